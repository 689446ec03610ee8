"""Faults of training and model folders, counted.

Writes docs/measured/faults_sentiment.md; exit code 1 where one went wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from sim_table import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import sentiment_faults as faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="trainings killed at a random moment")
    parser.add_argument("--writes", type=int, default=20, help="trainings killed in the middle of a write")
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start, rows = time.perf_counter(), []
    for what, work in {
        "training SIGKILLed at a random moment": lambda f: faults.kill_training(f, args.kills, args.seed),
        "training SIGKILLed in the middle of a write": lambda f: faults.kill_saving(f, args.writes),
        "scoring of 3,000 reviews SIGKILLed at a random moment": lambda f: faults.kill_scoring(
            f, args.kills, args.seed
        ),
        "model folder damaged": faults.damage_folders,
    }.items():
        with tempfile.TemporaryDirectory() as folder:
            outcomes, wrong = work(Path(folder))
        runs = len(faults.CASES) if what == "model folder damaged" else outcomes.total()
        summary = "; ".join(f"{place}: {n}" for place, n in outcomes.most_common())
        rows.append({"fault": what, "runs": runs, "what was found": summary, "went wrong": len(wrong)})
        print(rows[-1], *wrong[:5], sep="\n  ", flush=True)
    intro = (
        "A small encoder, a checkpoint after every step. A killed training is right when no half model can be loaded "
        "and "
        "training again ends with the weights (to 1e-5), the validation figures and the history of a run that nobody "
        "disturbed. A killed scoring is right when the files that were there are not scored again and every review is "
        "answered once. A damaged folder (9 files deleted, cut or with one bit changed; 9 foreign or half folders) "
        "is right when "
        "it is refused in one sentence and the version before it goes on answering as before."
    )
    write(
        "faults_sentiment",
        "Faults of training and model folders",
        intro,
        {"Runs": pd.DataFrame(rows)},
        args.seed,
        time.perf_counter() - start,
    )
    return int(any(r["went wrong"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
