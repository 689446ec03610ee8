"""Shares on simulated truth: error and coverage, and how far the headline depends on the model. Writes docs/measured/shares.md."""

import argparse
import time

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.insight.estimate import simulate_reviews
from smart_customer_analysis.insight.shares import shares_by, simulate_shares
from smart_customer_analysis.stats import confusion_counts, score_distribution

TRUTHS = (0.05, 0.20, 0.50, 0.90)
CUSTOMERS = {"1 each": {}, "1 to 10, ICC 0": {"most": 10}, "1 to 10, ICC 0.3": {"icc": 0.3, "most": 10}, "1 to 10, ICC 0.5": {"icc": 0.5, "most": 10}}  # fmt: skip
NAMES = {"truth": "true share", "error": "mean error", "coverage": "coverage of 95 % range", "width": "mean width",
         "error_counted": "mean error of bare marks"}  # fmt: skip


def table(draws: int, seed: int, **more: float) -> pd.DataFrame:
    "Error and coverage for every true share and kind of customers."
    rows = [
        {"reviews a customer": name} | simulate_shares(t, draws, seed=seed, **more, **kind)
        for name, kind in CUSTOMERS.items()
        for t in TRUTHS
    ]
    return pd.DataFrame(rows)[["reviews a customer", *NAMES]].rename(columns=NAMES)


def headline(right: float, seed: int, labelled: float, validation: int) -> float:
    "The share of one shop as judged by one model, whose reading and validation rows are drawn by the seed."
    shop = simulate_reviews(1000, 0.3, labelled=labelled, icc=0.3, most=4, seed=7)
    rng = np.random.default_rng(seed)

    def read(truth: pd.Series) -> np.ndarray:
        "What this model says of these reviews."
        sides = (
            simulate_reviews(len(truth), 0.0, right, 0, seed=rng),
            simulate_reviews(len(truth), 1.0, right, 0, seed=rng),
        )
        return np.where(truth == 1, sides[1]["p_negative"], sides[0]["p_negative"])

    shop = shop.assign(p_negative=read(shop["truth"]))
    shop["marked"] = (shop["p_negative"] >= 0.5) * 1.0
    if not validation:
        return float(shares_by(shop, None)["value"][0])
    held = pd.Series(np.arange(validation) % 2)
    pairs = 1 - held, read(held)
    confusion = confusion_counts(*pairs) | score_distribution(*pairs)
    return float(shares_by(shop.drop(columns="stars"), None, confusion)["value"][0])


def judges(models: int) -> pd.DataFrame:
    "Spread of the headline over models of different quality."
    rights = np.linspace(0.75, 0.92, models)
    cases = {"all have stars": (1.0, 0), "half have stars": (0.5, 0), "one in ten has stars": (0.1, 0), "no stars, 2,000 validation rows": (0, 2000),
             "no stars, 150 validation rows": (0, 150)}  # fmt: skip
    rows = []
    for name, (labelled, validation) in cases.items():
        values = [headline(r, 100 + i, labelled, validation) for i, r in enumerate(rights)]
        low, high = np.quantile(values, [0.05, 0.95])
        rows.append(
            {
                "reviews": name,
                "models": models,
                "5th percentile": low,
                "95th percentile": high,
                "span in points": 100 * (high - low),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start = time.perf_counter()
    tables = {
        "Whole shop: 1,000 reviews, half with stars": table(args.draws, args.seed, n=1000),
        "By group: 8 groups of 1,600 reviews, half with stars": table(
            max(args.draws // 4, 1), args.seed, n=1600, groups=8
        ),
        "No stars: 1,000 reviews, rates from 2,000 validation rows": table(
            max(args.draws // 2, 1), args.seed, validation=2000, labelled=0
        ),
        "Twenty models on one shop, 75 to 92 % right": judges(20),
    }
    intro = (
        f"{args.draws:,} simulated shops per row of the first table, a quarter and half as many in the second and third; the model is right 81 % of the time. "
        "Errors and widths as shares: 0.020 is 2 points. Asked for: coverage 0.93 to 0.97, mean error at most 0.020 where customers write one review each, "
        "span at most 1 point where half of the reviews have stars and 3 where none have. With several reviews of one customer the error includes the luck of who wrote."
    )
    write(
        "shares",
        "Shares of negative reviews against simulated truth",
        intro,
        tables,
        args.seed,
        time.perf_counter() - start,
    )


if __name__ == "__main__":
    main()
