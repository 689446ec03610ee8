"""Accuracy on a kind of reviews that was left out of the training. Writes docs/measured/sentiment_domains.md.

python benchmarks/domains_sentiment.py

Cross-validation over domains: each of the three kinds there are is left out once, and the model learns from 1,000 rows
of the other two. Beside it a smaller and closer set, 500 rows of the kind itself. Runs are kept as in
accuracy_sentiment.py, so that a stopped one goes on.
"""

import argparse
import time

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL, RUNS, WHO, everything_english, one_run, rows_of, told_as
from sim_table import write

from smart_customer_analysis.sentiment.evaluate import compare, evaluate


def kinds() -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    "Rows to learn from and up to 1,000 rows to test on, by kind; no text is in both."
    rest, found = everything_english(), {}
    films = rest["text"].isin(rows_of(REAL / "imdb" / "train.ft.txt.gz")["text"])
    mine = rest["text"].isin(rows_of(REAL / "amazon_polarity" / "train.ft.txt")["text"])
    for name, rows in {"films": rest[films], "books, DVDs, electronics (2006)": rest[~films & ~mine]}.items():
        test = rows.sample(1000, random_state=0)
        found[name] = rows.drop(test.index), test
    return found | {"products (2013)": (rest[mine], rows_of(REAL / "amazon_polarity" / "test.ft.txt"))}


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
    parser.add_argument("--rows", type=int, default=1000, help="rows of the two other kinds")
    parser.add_argument("--seed", type=int, default=0)
    args, start = parser.parse_args(), time.perf_counter()
    (RUNS / "domains").mkdir(parents=True, exist_ok=True)
    many = kinds()
    table = pd.DataFrame([line for name in many for line in lines_of(name, many, args.seed, args.rows)])
    intro = (
        "Each of the three kinds of labelled English reviews is left out once: ours and both baselines learn from the two "
        "others, half from each, and are tested on the third. Beside it, half as many rows of the kind itself. A tenth of "
        "the rows is held out, as in sentiment_accuracy.md; the recipe is the shipped one."
    )
    write(
        "sentiment_domains",
        "Sentiment: a kind of reviews it has not seen",
        intro,
        {"By kind": table},
        args.seed,
        max(time.perf_counter() - start, float(table["train s"].sum())),
    )


if __name__ == "__main__":
    main()
