"""Accuracy on kinds of reviews that were not learnt from. Writes docs/measured/sentiment_domains.md.

python benchmarks/domains_sentiment.py                 the models of accuracy_sentiment.py (3,400 products of 2013)
python benchmarks/domains_sentiment.py --leave-out     and cross-validation over domains: each kind is left out once

Left out: 1,000 rows of the two other kinds to learn from; beside it a smaller and closer set, 500 rows of the kind
itself. Runs are kept as in accuracy_sentiment.py, so that a stopped one goes on.
"""

import argparse
import time

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL, RUNS, WHO, everything_english, one_run, rows_of, standard_model, told_as
from sim_table import write

from smart_customer_analysis.sentiment.evaluate import compare, evaluate, tfidf_scores
from smart_customer_analysis.sentiment.predict import Predictor


def kinds() -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    "Rows to learn from and up to 1,000 rows to test on, by kind; no text is in both."
    rest, found = everything_english(), {}
    films = rest["text"].isin(rows_of(REAL / "imdb" / "train.ft.txt.gz")["text"])
    mine = rest["text"].isin(rows_of(REAL / "amazon_polarity" / "train.ft.txt")["text"])
    for name, rows in {"films": rest[films], "books, DVDs, electronics (2006)": rest[~films & ~mine]}.items():
        test = rows.sample(1000, random_state=0)
        found[name] = rows.drop(test.index), test
    return found | {"products (2013)": (rest[mine], rows_of(REAL / "amazon_polarity" / "test.ft.txt"))}


def elsewhere(
    name: str, many: dict[str, tuple[pd.DataFrame, pd.DataFrame]], seeds: tuple[int, ...] = (0, 1, 2)
) -> list[dict]:
    "The models of three seeds on another kind than the one they learnt from."
    learnt, test = many["products (2013)"][0], many[name][1]
    texts, truth = test["text"].tolist(), test["label"].to_numpy()
    plain = tfidf_scores(learnt["text"].tolist(), learnt["label"].tolist(), texts)
    lines = []
    for seed in seeds:
        p = Predictor(standard_model(seed)).predict(texts).frame["p_negative"].to_numpy()
        found, beside = evaluate(truth, p), compare(truth, plain, p)
        lines.append({
            "tested on": name, "rows": len(test), "seed": seed, "ours": told_as(found["accuracy"]),
            "TF-IDF + LR": told_as(evaluate(truth, plain)["accuracy"]),
            "ours − TF-IDF": f"{beside['difference']:+.3f} ({beside['low']:+.3f} to {beside['high']:+.3f})",
            "calibration error": found["ece"],
        })  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def lines_of(name: str, many: dict[str, tuple[pd.DataFrame, pd.DataFrame]], seed: int, n: int) -> list[dict]:
    "One kind as the one that is tested: learnt from the two others, and from a half as many rows of its own."
    test, runs = many[name][1], {}
    others = [rows.sample(n // 2, random_state=seed) for other, (rows, _) in many.items() if other != name]
    runs[f"{n:,} rows of the two others"] = one_run(pd.concat(others), test, n, seed, RUNS / "domains")
    runs[f"{n // 2:,} rows of its own kind"] = one_run(many[name][0], test, n // 2, seed, RUNS / "domains")
    truth, lines = test["label"].to_numpy(), []
    for learnt, run in runs.items():
        p = {who: np.asarray(of(run)) for who, of in WHO.items()}
        beside = compare(truth, p["TF-IDF + LR"], p["ours"])
        lines.append({
            "tested on": name, "rows": len(test), "learnt from": learnt,
            **{who: told_as(evaluate(truth, x)["accuracy"]) for who, x in p.items()},
            "ours − TF-IDF": f"{beside['difference']:+.3f} ({beside['low']:+.3f} to {beside['high']:+.3f})",
            "calibration error": evaluate(truth, p["ours"])["ece"], "train s": round(run["seconds"]),
        })  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leave-out", action="store_true", help="train with each kind left out, too")
    parser.add_argument("--rows", type=int, default=1000, help="rows of the two other kinds")
    parser.add_argument("--seed", type=int, default=0)
    args, start = parser.parse_args(), time.perf_counter()
    (RUNS / "domains").mkdir(parents=True, exist_ok=True)
    many = kinds()
    tables = {
        "Learnt from 3,400 products of 2013": pd.DataFrame([line for name in many for line in elsewhere(name, many)])
    }
    intro = (
        "Models that learnt from one kind of labelled English reviews, tested on others. Up to 1,000 rows of each; the recipe "
        "is the shipped one. A tenth of the rows to learn from is held out, as in sentiment_accuracy.md."
    )
    if args.leave_out:
        lines = [line for name in many for line in lines_of(name, many, args.seed, args.rows)]
        tables["Each kind left out once"] = pd.DataFrame(lines)
    write(
        "sentiment_domains",
        "Sentiment: kinds of reviews it has not learnt from",
        intro,
        tables,
        args.seed,
        time.perf_counter() - start,
    )


if __name__ == "__main__":
    main()
