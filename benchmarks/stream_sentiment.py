"""400,000 reviews scored as a stream: memory, a kill, and nothing twice. Writes docs/measured/sentiment_stream.md.

A tiny encoder stands in for the real one, so that the length of the stream is measured and not the speed of the model.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from sim_table import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "unit"))
from test_sentiment_train import toy

from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.train import train_sentiment


def write_reviews(path: Path, n: int) -> Path:
    "A fastText file of n different reviews."
    texts, labels = toy(n, seed=5)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"__label__{y + 1} Order {i}: {t}\n" for i, (t, y) in enumerate(zip(texts, labels, strict=True)))
    return path


def scored(home: Path, file: Path, out: Path, kill_at: int = 0) -> dict:
    "Run `sca score`; watch its memory; kill it once there are `kill_at` files of answers."
    command = [str(Path(sys.executable).with_name("sca")), "score", str(file), "--out", str(out), "--json"]
    start, peaks, done = time.perf_counter(), [], 0
    run = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True)
    me = psutil.Process(run.pid)
    while run.poll() is None:
        try:
            peaks.append((len(list((out / "_done").glob("*.json"))), me.memory_info().rss / 1e6))
        except psutil.Error:
            break
        if kill_at and peaks[-1][0] >= kill_at:
            os.kill(run.pid, signal.SIGKILL)
            break
        time.sleep(0.2)
    stdout, done = run.communicate()[0], run.returncode
    scored_now = 0 if done else json.loads(stdout)["scored_now"]
    working = [mb for files, mb in peaks if files > 2] or [0.0]
    parts = [f"{np.max(part):,.0f}" for part in np.array_split(working, 8) if len(part)]
    return {
        "ended": "killed" if done == -signal.SIGKILL else f"exit code {done}",
        "files": peaks[-1][0] if done else len(list((out / "_done").glob("*.json"))), "scored now": int(scored_now),
        "seconds": round(time.perf_counter() - start), "peak MB": round(max(mb for _, mb in peaks)),
        "peak MB in each eighth of the time it scored": " · ".join(parts),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    args, start = parser.parse_args(), time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        home, rows = Path(name), []
        (home / "settings.ini").write_text("[sca]\n")
        texts, labels = toy(400)
        columns = texts[:300], labels[:300], texts[300:], labels[300:]
        train_sentiment(
            *columns,
            home / "models" / "sentiment",
            encoder=str(tiny_encoder(home / "tiny", texts)),
            max_tokens=32,
            epochs=2,
        )
        small, large = write_reviews(home / "small.txt", args.rows // 8), write_reviews(home / "large.txt", args.rows)
        rows.append({"reviews": f"{args.rows // 8:,}", "run": "whole"} | scored(home, small, home / "a"))
        print(rows[-1], flush=True)
        cut = args.rows // 2048 * 2 // 5
        rows.append({"reviews": f"{args.rows:,}", "run": "killed at two fifths"} | scored(home, large, home / "b", cut))
        print(rows[-1], flush=True)
        rows.append({"reviews": f"{args.rows:,}", "run": "asked again"} | scored(home, large, home / "b"))
        print(rows[-1], flush=True)
        ids = pd.read_parquet(home / "b", columns=["review_id"])["review_id"]
        left = args.rows - rows[1]["files"] * 2048
        once = (
            f"{len(ids):,} answers, {ids.nunique():,} different reviews; {rows[1]['files']} files were there, at "
            f"most {left:,} were left to score, {rows[2]['scored now']:,} were scored."
        )
    write(
        "sentiment_stream",
        "Sentiment: 400,000 reviews as a stream",
        f"`sca score FILE --out DIR` on made-up reviews with a tiny encoder. After the kill: {once} The real encoder "
        f"takes "
        "longer for a review and more memory for its weights; the stream does not know the difference.",
        {"Runs": pd.DataFrame(rows)},
        5,
        time.perf_counter() - start,
    )
    return int(len(ids) != ids.nunique() or len(ids) != args.rows)


if __name__ == "__main__":
    sys.exit(main())
