"""The search for the number of segments beside a plain scikit-learn sweep, in one run.

Writes docs/measured/segments.md."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from smart_customer_analysis.segment.refit import choose_segments
from smart_customer_analysis.segment.scale import FeatureScaler


def shop(n: int, seed: int, k: int = 6, d: int = 16, places: int | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    "Rows in k overlapping groups of unequal size."
    rng = np.random.default_rng(seed)
    kind = rng.choice(k, n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2))
    at = np.random.default_rng(seed if places is None else places).normal(size=(k, d))
    values = 2.0 * at[kind] + rng.normal(size=(n, d))
    return pd.DataFrame(
        values.astype(np.float32), columns=[f"x{i}" for i in range(d)], index=[f"c{i}" for i in range(n)]
    ), kind


def plain(frame: pd.DataFrame, ks: range, seed: int) -> tuple[int, np.ndarray]:
    "What most notebooks do: fit every k ten times on all rows, silhouette on 20,000 of them, take the best."
    X, best = FeatureScaler().fit_transform(frame), (-1.0, 0, None)
    for k in ks:
        labels = KMeans(k, n_init=10, random_state=seed).fit_predict(X)
        best = max(
            best,
            (silhouette_score(X, labels, sample_size=min(20_000, len(X)), random_state=seed), k, labels),
            key=lambda b: b[0],
        )
    return best[1], best[2]


STREAM = """
import resource, sys, time
from bench_segments import shop
from smart_customer_analysis.segment.refit import stream_segments
blocks, seed = int(sys.argv[1]), int(sys.argv[2])
rows = lambda: (shop(50_000, seed + i, places=seed)[0].rename(index=lambda x, i=i: f"{i}-{x}") for i in range(blocks))
start = time.perf_counter()
model = stream_segments(rows, 2, 12, seed)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, model.k)
"""


def streamed(rows: int, seed: int) -> dict:
    "Segment a stream in a process of its own; seconds include making the rows four times."
    command = [sys.executable, "-c", STREAM, str(rows // 50_000), str(seed)]
    process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    seconds, peak, k = process.stdout.split()
    return {"rows": f"{rows:,}", "seconds": float(seconds), "peak memory, MB": round(float(peak)), "chosen": int(k)}


def timed(search: Callable[[], tuple]) -> tuple[float, float, tuple]:
    "Seconds on the clock, seconds of processor time, and the result."
    clock, cpu = time.perf_counter(), time.process_time()
    result = search()
    return time.perf_counter() - clock, time.process_time() - cpu, result


def ours(frame: pd.DataFrame, ks: range, seed: int) -> tuple[int, np.ndarray]:
    "The library's search."
    model = choose_segments(frame, ks[0], ks[-1], seed)
    return model.k, model.members["segment"].to_numpy()


def tables(plain_run: tuple, our_runs: list[tuple], kind: np.ndarray, streams: pd.DataFrame) -> dict[str, pd.DataFrame]:
    "Both searches side by side, then the streams."
    rows = []
    middle = sorted(our_runs, key=lambda r: r[1])[len(our_runs) // 2]
    for name, (clock, cpu, (k, labels)) in {"plain scikit-learn": plain_run, "choose_segments": middle}.items():
        rows.append(
            {
                "search": name,
                "seconds": clock,
                "processor seconds": cpu,
                "times faster": plain_run[0] / clock,
                "times faster, processor": plain_run[1] / cpu,
                "chosen": k,
                "agreement with truth": adjusted_rand_score(kind, labels),
            }
        )
    return {"In one run": pd.DataFrame(rows), "As a stream of blocks of 50,000": streams}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="ours; the plain sweep runs once")
    parser.add_argument("--stream", type=int, default=1_000_000, help="rows of the stream")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    begin, ks = time.perf_counter(), range(2, 13)
    # first: a child counts the memory its parent had when it began
    streams = pd.DataFrame([streamed(n, args.seed) for n in (100_000, args.stream)])
    frame, kind = shop(args.rows, args.seed)
    plain_run = timed(lambda: plain(frame, ks, args.seed))
    our_runs = [timed(lambda: ours(frame, ks, args.seed)) for _ in range(args.rounds)]
    results = tables(plain_run, our_runs, kind, streams)
    intro = introduction(args.rows, args.rounds)
    write("segments", "Speed of the search for segments", intro, results, args.seed, time.perf_counter() - begin)


def introduction(rows: int, rounds: int) -> str:
    "What was measured and what is asked for."
    return (
        f"{rows:,} rows, 16 columns, six planted groups, 2 to 12 segments tried. Plain: `n_init=10` on all rows and "
        f"a silhouette on 20,000 of them for every number. "
        f"Ours includes stability by resampling, two silhouettes, Calinski–Harabasz and the assignment of all rows; "
        f"median of {rounds}. "
        "Asked for: at least 8 times faster, the same number. Processor seconds do not depend on what else the "
        "machine does."
    )


if __name__ == "__main__":
    main()
