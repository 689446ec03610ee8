"""Where the exponent of the calibration starts from. Writes docs/measured/sentiment_calibration.md.

python benchmarks/calibration_prior.py   from the runs kept by accuracy_sentiment.py (with --all-english, too) and
                                         domains_sentiment.py --leave-out; what is missing is trained

Twelve models, each with its 855 or 1,000 test rows. A few of these fit temperature and exponent, the others give the
calibration error; many draws.
"""

import time

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL, RUNS, SEEDS, all_english_run, one_run, rows_of
from domains_sentiment import kinds, left_out_runs
from sim_table import write

from smart_customer_analysis.sentiment.calibrate import fit_calibration
from smart_customer_analysis.sentiment.evaluate import evaluate
from smart_customer_analysis.sentiment.loaded import probabilities

PRIORS, HELD, DRAWS = (1.0, 1.25, 1.5, 1.75), (25, 100, 340), 25


def models() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    "Margins and labels of rows that a model has not learnt from."
    train, test = (rows_of(REAL / "amazon_polarity" / name) for name in ("train.ft.txt", "test.ft.txt"))
    margins = {}
    for seed in SEEDS:
        runs = {"3,400": one_run(train, test, len(train), seed, RUNS)}
        runs["34,180"] = all_english_run(train, test, len(train), seed, RUNS / "all")
        margins |= {f"{n} labels, seed {seed}": (run["margin"], test["label"]) for n, run in runs.items()}
    for name, rows, how, size, run in left_out_runs(kinds(), 1000):
        margins[f"{size:,} of {how}, tested on {name}"] = run["margin"], rows["label"]
    return {name: (np.array(margin), label.to_numpy()) for name, (margin, label) in margins.items()}


def error(margin: np.ndarray, labels: np.ndarray, held: int, around: float) -> float:
    "Mean calibration error of the rows that did not fit."
    errors = []
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(margin))
        fit, rest = order[:held], order[held:]
        p = probabilities(margin[rest], fit_calibration(margin[fit], labels[fit], around))
        errors.append(evaluate(labels[rest], 1 - p)["ece"])
    return float(np.mean(errors))


def main() -> None:
    start, lines, title = time.perf_counter(), [], "Sentiment: where calibration starts"
    for name, (margin, labels) in models().items():
        for held in HELD:
            row = {"model": name, "held-out rows": held}
            row |= {f"around {around:g}": error(margin, labels, held, around) for around in PRIORS}
            lines.append(row)
            print(row, flush=True)
    table = pd.DataFrame(lines)
    means = table.groupby("held-out rows").mean(numeric_only=True).reset_index()
    less = (table["around 1.5"] < table["around 1"]).groupby(table["held-out rows"]).sum()
    means["less with 1.5 than with 1"] = [f"{n} of {len(table) // len(HELD)}" for n in less]
    intro = (
        "Calibration error of rows that did not fit temperature and exponent, by the exponent that the prior is around "
        f"(0.3 wide on the log); {DRAWS} draws. An exponent of 1 is temperature scaling with a little freedom."
    )
    tables = {"Mean of the models": means, "Model by model": table}
    write("sentiment_calibration", title, intro, tables, list(SEEDS), time.perf_counter() - start)


if __name__ == "__main__":
    main()
