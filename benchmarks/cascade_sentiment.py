"""A linear model in front of the network: how many texts may skip it? Writes docs/measured/cascade.md."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL, english_kinds, rows_of
from sim_table import write

from smart_customer_analysis.sentiment.lexical import fit_lexical, lexical_score
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.scoring import score
from smart_customer_analysis.sentiment.train import train_sentiment

LOST, FASTER = 0.002, 1.5  # accuracy that may be lost; reviews a second that it must bring


def seconds_of(work):
    "Result of a call, and the seconds of the processor it took."
    start = time.process_time()
    return work(), time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--labels", type=int, default=1000, help="that the network learns from; the linear model has all"
    )
    parser.add_argument("--old", type=int, default=1500, help="rows of 2006 beside the test rows")
    parser.add_argument("--seed", type=int, default=0)
    args, began = parser.parse_args(), time.perf_counter()
    rows = rows_of(REAL / "amazon_polarity" / "train.ft.txt").sample(frac=1, random_state=args.seed)
    held, learn = rows[:340], rows[340:]
    few = learn[: args.labels]
    parts = [few["text"].tolist(), few["label"].tolist(), held["text"].tolist(), held["label"].tolist()]
    tests = {
        "Amazon, like the training rows": rows_of(REAL / "amazon_polarity" / "test.ft.txt"),
        "Amazon, books, DVDs, electronics of 2006": english_kinds()["books, DVDs, electronics (2006)"].sample(
            args.old, random_state=args.seed
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        ask = Predictor(train_sentiment(*parts, Path(folder), seed=args.seed).folder)
        coded = ask.encode(learn["text"].tolist())
        words = fit_lexical(coded.ids, coded.offsets, learn["label"].to_numpy(float))
        found = {}
        for name, test in ({"held out": held} | tests).items():
            data, read_s = seconds_of(lambda test=test: ask.encode(test["text"].tolist()))
            linear, linear_s = seconds_of(lambda data=data: lexical_score([words], data.ids, data.offsets))
            whole, whole_s = seconds_of(
                lambda data=data: score(ask.scorer, data, ask.batch_tokens, dtype=ask.dtype).margin
            )
            label = test["label"].to_numpy() == 1
            found[name] = (linear, whole, label, data.totals, read_s, linear_s, whole_s)
            print(name, (whole > 0).mean(), ((whole > 0) == label).mean(), ((linear > 0) == label).mean(), flush=True)

    def cascade(name: str, least: float) -> dict:
        "What comes out where texts with a linear margin of `least` skip the network."
        linear, whole, label, tokens, read_s, linear_s, whole_s = found[name]
        skip = np.abs(linear) >= least
        both = np.where(skip, linear, whole) > 0
        left = tokens[~skip].sum() / tokens.sum()
        return {
            "rows": name,
            "skip the network": f"{skip.mean():.0%}",
            "right, network": ((whole > 0) == label).mean(),
            "right, cascade": (both == label).mean(),
            "points lost": round(100 * (((whole > 0) == label).mean() - (both == label).mean()), 2),
            "reviews/s, ratio": round((read_s + whole_s) / (read_s + linear_s + left * whole_s), 2),
        }

    margins = np.sort(np.abs(found["held out"][0]))
    lines = [
        {"surest part": f"{share:.0%}"} | cascade(name, margins[int(len(margins) * (1 - share))])
        for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
        for name in tests
    ]
    safe = [m for m in margins if cascade("held out", m)["points lost"] <= 100 * LOST]
    chosen = [cascade(name, min(safe)) for name in found]
    cost = [
        {"rows": name, "n": len(f[2]), "right, linear alone": ((f[0] > 0) == f[2]).mean(), "tokens to ids, s": f[4],
         "linear, s": f[5], "network, s": f[6]}
        for name, f in found.items()
    ]  # fmt: skip
    intro = (
        f"A network trained on {args.labels:,} Amazon reviews (with its own linear model beside it), and a linear "
        f"model of {len(learn):,} in front: a text whose linear margin is large enough takes its label from that and "
        f"skips the network. Asked for: at most {100 * LOST} points lost and {FASTER} times the reviews a second. "
        "The ratio counts "
        "seconds of the processor; what the network takes of the rest is its share of the tokens. The margin is chosen "
        "on 340 held-out rows; `surest part` is the share of these that would skip."
    )
    tables = {
        "The margin that loses at most 0.2 points on the held-out rows": pd.DataFrame(chosen),
        "Other margins": pd.DataFrame(lines),
        "Cost": pd.DataFrame(cost).round(3),
    }
    write("cascade", "A linear model in front of the network", intro, tables, args.seed, time.perf_counter() - began)


if __name__ == "__main__":
    main()
