"""Faults of shards, counted: workers and the one who asks killed, and the answers of 1, 2 and 7 workers compared.

Writes docs/measured/faults_shards.md; exit code 1 where one went wrong."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sim_table import write

tests = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(tests / "faults"), str(tests / "unit")]
import shard_faults as faults

from smart_customer_analysis.scale.engine import Local, Ray


def compare_workers(work: Path, machines: list) -> tuple[Counter, list[str]]:
    "Score 600 reviews with a small model by each of `machines`; the manifests must be equal, byte by byte."
    import sentiment_faults as model_faults

    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.predict import Predictor

    folder = model_faults.train(work / "models", str(tiny_encoder(work / "tiny", model_faults.toy(100)[0]))).folder
    ask, manifests = Predictor(folder, precision="fp32"), set()
    for number, machine in enumerate(machines):
        model_faults.score_all(ask, work / str(number), 600, machine)
        manifests.add((work / str(number) / "_MANIFEST.json").read_bytes())
    wrong = [] if len(manifests) == 1 else [f"{len(manifests)} different manifests"]
    return Counter({"runs with the same manifest": len(machines)}), wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="runs of each kind")
    parser.add_argument("--seed", type=int, default=42)
    args, start, rows = parser.parse_args(), time.perf_counter(), []
    n, seed = args.kills, args.seed
    cases = {
        "the command SIGKILLed, 1 worker": lambda f: faults.kill_askers(f, n, 1, seed),
        "the command SIGKILLed, 2 workers": lambda f: faults.kill_askers(f, max(1, n // 5), 2, seed),
        "workers SIGKILLed after a part, before its receipt": lambda f: faults.kill_workers(
            f, max(1, n // 5), Local(2), seed
        ),
        "scored by 1, 2 and 7 workers": lambda f: compare_workers(f, [Local(1), Local(2), Local(7)]),
    }
    if find_spec("ray"):
        cases |= {
            "Ray: workers SIGKILLed after a part, before its receipt": lambda f: faults.kill_workers(
                f, max(1, n // 10), Ray(2), seed
            ),
            "Ray: scored by 1 and 2 workers, and here": lambda f: compare_workers(f, [Local(1), Ray(1), Ray(2)]),
        }
    for what, work in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            outcomes, wrong = work(Path(folder))
        summary = "; ".join(f"{place}: {count}" for place, count in outcomes.most_common())
        rows.append({"fault": what, "what was found": summary, "went wrong": len(wrong)})
        print(rows[-1], *wrong[:5], sep="\n  ", flush=True)
    if not find_spec("ray"):
        rows.append({"fault": "Ray", "what was found": "NOT RUN: the extra ray is not installed", "went wrong": 0})
    intro = (
        "12 shards of 50 rows. A run is right when its manifest is, byte by byte, that of a run nobody disturbed, when "
        "every row is there once, and when no worker is alive 3 minutes after the command was killed. The workers that "
        "score load a small encoder each. Two cores: the table proves what comes out, not how fast."
    )
    write("faults_shards", "Faults of shards", intro, {"Runs": pd.DataFrame(rows)}, seed, time.perf_counter() - start)
    return int(any(r["went wrong"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
