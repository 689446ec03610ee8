"""Accuracy on kinds of reviews that were not learnt from. Writes docs/measured/sentiment_domains.md.

python benchmarks/domains_sentiment.py                 the models of accuracy_sentiment.py (3,400 products of 2013)
python benchmarks/domains_sentiment.py --leave-out     and cross-validation over domains: each kind is left out once

Left out: 1,000 rows of the two other kinds to learn from; beside it a smaller and closer set, 500 rows of the kind
itself. Runs are kept as in accuracy_sentiment.py, so that a stopped one goes on.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from accuracy_sentiment import (
    REAL,
    RUNS,
    SEEDS,
    WHO,
    difference_text,
    english_kinds,
    one_run,
    rows_of,
    standard_model,
    with_range,
)
from sim_table import write

from smart_customer_analysis.sentiment.evaluate import compare, evaluate, tfidf_scores
from smart_customer_analysis.sentiment.predict import Predictor

MINE = "products (2013)"


def kinds() -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    "Rows to learn from and up to 1,000 rows to test on, by kind; no text is in both."
    parts = {}
    for name, rows in english_kinds().items():
        once = rows.drop_duplicates("text", ignore_index=True)
        test = rows_of(REAL / "amazon_polarity" / "test.ft.txt") if name == MINE else once.sample(1000, random_state=0)
        parts[name] = once[~once["text"].isin(test["text"])], test
    return parts


def line(name: str, how: dict, test: pd.DataFrame, p: dict[str, np.ndarray]) -> dict:
    "One line of a table: how it was learnt, and what each says about the test rows (probability of negative)."
    truth = test["label"].to_numpy()
    metrics = {who: evaluate(truth, x) for who, x in p.items()}
    accuracy = {who: with_range(f["accuracy"]) for who, f in metrics.items()}
    accuracy |= {"ours − TF-IDF": difference_text(compare(truth, p["TF-IDF + LR"], p["ours"]))}
    row = {"tested on": name, "rows": len(test), **how, **accuracy, "calibration error": metrics["ours"]["ece"]}
    print(row, flush=True)
    return row


def as_they_are(many: dict[str, tuple[pd.DataFrame, pd.DataFrame]]) -> list[dict]:
    "The models of accuracy_sentiment.py on every kind."
    models, learnt, lines = [Predictor(standard_model(seed)) for seed in SEEDS], many[MINE][0], []
    for name, (_, test) in many.items():
        texts = test["text"].tolist()
        plain = tfidf_scores(learnt["text"].tolist(), learnt["label"].tolist(), texts)
        for seed, ask in zip(SEEDS, models, strict=True):
            p = {"ours": ask.predict(texts).frame["p_negative"].to_numpy(), "TF-IDF + LR": plain}
            lines.append(line(name, {"seed": seed}, test, p))
    return lines


def left_out_runs(many: dict[str, tuple[pd.DataFrame, pd.DataFrame]], n: int) -> Iterator[tuple]:
    "Kind tested, its test rows, what was learnt from, rows, run: n rows of the two others, half as many of its own."
    where = RUNS / "domains"
    where.mkdir(parents=True, exist_ok=True)
    for name, (own, test) in many.items():
        others = pd.concat(rows.sample(n // 2, random_state=0) for other, (rows, _) in many.items() if other != name)
        for how, rows, size in (("the two others", others, n), ("its own kind", own, n // 2)):
            yield name, test, how, size, one_run(rows, test, size, 0, where)


def left_out(many: dict[str, tuple[pd.DataFrame, pd.DataFrame]], n: int) -> list[dict]:
    "Each kind tested by what learnt from others, and from fewer rows of its own."
    lines = []
    for name, test, how, size, run in left_out_runs(many, n):
        learnt = {"learnt from": f"{size:,} rows of {how}", "train s": round(run["seconds"])}
        lines.append(line(name, learnt, test, {who: np.asarray(of(run)) for who, of in WHO.items()}))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leave-out", action="store_true", help="train with each kind left out, too")
    parser.add_argument("--rows", type=int, default=1000, help="rows of the two other kinds")
    args, start, many = parser.parse_args(), time.perf_counter(), kinds()
    tables = {"Learnt from 3,400 products of 2013": pd.DataFrame(as_they_are(many))}
    if args.leave_out:
        tables["Each kind left out once"] = pd.DataFrame(left_out(many, args.rows))
    intro = (
        "Models that learnt from one kind of labelled English reviews, tested on that and on others. Up to 1,000 "
        "rows of "
        "each; the recipe is the shipped one. A tenth of the rows to learn from is held out, as in "
        "sentiment_accuracy.md."
    )
    title = "Sentiment: kinds of reviews it has not learnt from"
    write("sentiment_domains", title, intro, tables, list(SEEDS), time.perf_counter() - start)


if __name__ == "__main__":
    main()
