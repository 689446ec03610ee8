"""The main job on the three real sets, on both databases. Writes docs/measured/real_input.md.

The second database of a set finds the model and the marks of the first, so its seconds are those of a repeat.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write
from store_server import databases

REAL = Path(os.environ.get("SCA_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RUNS = {
    "fasttext": ["--train", "amazon_polarity/train.ft.txt", "--test", "amazon_polarity/test.ft.txt"],
    "amazon-multidomain": ["amazon_multidomain/reviews.csv.gz"],
    "olist": ["olist"],
}


def job(source: str, url: str, out: Path) -> dict:
    "Run `sca run` on a set and read its summary."
    paths = [word if word.startswith("--") else str(REAL / word) for word in RUNS[source]]
    command = [str(Path(sys.executable).with_name("sca")), "run", "--source", source, *paths]
    subprocess.run([*command, "--database", url, "--out", str(out)], check=True)
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def row(source: str, database: str, summary: dict) -> dict:
    "One line of the table."
    n, accuracy = summary["rows"], summary["accuracy"]
    tfidf = accuracy["baselines"]["tfidf"]
    stages = {s["name"]: s["seconds"] for s in summary["stages"]}
    return {
        "source": source,
        "database": database,
        "rows": f"{n['read']:,} = {n['loaded']:,} + {n['rejected']:,} + {n['duplicate']:,}",
        "accuracy": f"{accuracy['value']:.1%} ({accuracy['low']:.1%}–{accuracy['high']:.1%}), n {accuracy['n']:,}",
        "TF-IDF": f"{tfidf['value']:.1%}",
        "segments": "; ".join(f"[{s['id']}] {s['name']} {s['size']:,}" for s in summary["segments"]),
        "train s": round(stages["train"]),
        "in all s": round(sum(stages.values())),
        "peak MB": max(s["peak_rss_mb"] for s in summary["stages"]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--found", type=Path, help="folder with SOURCE_DATABASE/summary.json of runs made before")
    args = parser.parse_args()
    start, rows = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as makers:
        for source in RUNS:
            for name, make in makers.items():
                out = (args.found or Path(folder)) / f"{source}_{name}"
                ready = out / "summary.json"
                summary = json.loads(ready.read_text(encoding="utf-8")) if args.found else job(source, make(), out)
                rows.append(row(source, name, summary))
    write(
        "real_input",
        "The main job on real input",
        "Rows: read = loaded + rejected + duplicate. The second database of a set finds the model and the marks of "
        "the first, "
        "so its seconds are those of a repeat. Data: ../shared/data, which is not part of this project.",
        {"runs": pd.DataFrame(rows)},
        seed=42,
        seconds=time.perf_counter() - start,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
