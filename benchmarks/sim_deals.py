"""Customers dealt into two periods at random: how often that passes for a change. Writes docs/measured/deals.md.

Every shop is taken with its last 4, 13 and 52 weeks. --minutes bounds the time, the table tells the deals."""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sim_changes import by_kind
from sim_table import write

from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.insight.changes import find_changes
from smart_customer_analysis.schema import label_of_rating
from smart_customer_analysis.stats import proportion

REAL = Path(os.environ.get("SCA_REAL_DATA", "../shared/data"))
WEEKS = (4, 13, 52)
INTRO = (
    "The customers of the last weeks of a shop are dealt into two periods at random, so nothing has changed. Asked "
    "for: a proven change, of the whole or of a region, in at most 5 % of the deals. Beside it, with the 95 % range: "
    "how often the test of the whole alone is below 0.05, and how often it would be if every review counted as a "
    "customer of its own."
)


def shops() -> dict[str, pd.DataFrame]:
    "Reviews with stars on a side: customer_id, stars (1 negative), region, day."
    shop = make_shop()
    sample = shop.reviews.merge(shop.customers[["customer_id", "region"]], on="customer_id", how="left")
    frames = {"sample": sample.assign(day=sample["reviewed_at"], side=sample["label"])}
    if (REAL / "olist").exists():
        olist = pd.read_csv(REAL / "olist/order_reviews.csv").merge(
            pd.read_csv(REAL / "olist/orders.csv"), on="order_id"
        )
        olist = olist.merge(pd.read_csv(REAL / "olist/customers.csv"), on="customer_id")
        olist = olist.assign(customer_id=olist["customer_unique_id"], region=olist["customer_state"])
        frames["Olist"] = olist.assign(day=olist["review_creation_date"], side=label_of_rating(olist["review_score"]))
        books = pd.read_csv(REAL / "amazon_multidomain/reviews.csv.gz").rename(columns={"reviewer": "customer_id"})
        frames["multi-domain"] = books.assign(day=books["date"], side=label_of_rating(books["rating"]), region=None)
    return {name: tidy(frame) for name, frame in frames.items()}


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    "The columns that are dealt, of reviews with customer, day and side."
    day = pd.to_datetime(frame["day"], utc=True, errors="coerce", format="mixed")
    frame = frame.assign(day=day, stars=1 - frame["side"].astype("Float64"))
    rows = frame.dropna(subset=["stars", "customer_id", "day"])
    return rows[["customer_id", "stars", "region", "day"]].reset_index(drop=True)


def deal(name: str, rows: pd.DataFrame, deals: int, until: float, seed: int) -> dict:
    "Deal the customers of some reviews again and again, and count what passes for a change."
    rng, code = np.random.default_rng(seed), pd.factorize(rows["customer_id"])[0]
    n = overall = anything = naive = 0
    while n < deals and (n == 0 or time.perf_counter() < until):
        heap, n = rng.integers(0, 2, code.max() + 1)[code], n + 1
        changes = find_changes(by_kind(rows.assign(period=np.where(heap == 1, "after", "before"))))
        whole = changes.measures[changes.measures["kind"] == "overall"]
        overall += bool((whole["p_value"] < 0.05).any())
        anything += len(changes.proven) > 0
        table = pd.crosstab(heap, rows["stars"].astype(float))
        naive += stats.chi2_contingency(table, correction=False).pvalue < 0.05
    share = proportion(anything, n)
    return {
        "shop": name, "reviews": len(rows), "customers": int(code.max() + 1), "deals": n,
        "any proven change": anything / n, "range": f"{share['low']:.3f} to {share['high']:.3f}",
        "overall below 0.05": overall / n, "counting reviews, overall": naive / n,
    }  # fmt: skip


def main() -> None:
    "Deal every shop and write the table."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=60, help="of all shops together")
    parser.add_argument("--seed", type=int, default=42)
    args, start = parser.parse_args(), time.perf_counter()
    cases = [(f"{name}, {w} weeks", rows, w) for name, rows in shops().items() for w in WEEKS]
    lines = []
    for i, (name, rows, weeks) in enumerate(cases):
        left = start + 60 * args.minutes - time.perf_counter()
        recent = rows[rows["day"] > rows["day"].max() - pd.Timedelta(weeks=weeks)].reset_index(drop=True)
        lines.append(deal(name, recent, args.deals, time.perf_counter() + left / (len(cases) - i), args.seed))
        print(lines[-1], flush=True)
    tables = {"What passes for a change": pd.DataFrame(lines)}
    write("deals", "Customers dealt at random", INTRO, tables, args.seed, time.perf_counter() - start)


if __name__ == "__main__":
    main()
