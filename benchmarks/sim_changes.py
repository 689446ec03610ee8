"""Changes on simulated truth and on customers dealt at random: how many are claimed, detected, false.

Writes docs/measured/changes.md."""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sim_table import write

from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.insight.changes import find_changes, simulate_changes
from smart_customer_analysis.insight.estimate import simulate_reviews
from smart_customer_analysis.schema import label_of_rating

NAMES = {
    "flagged_per_run": "claimed per run",
    "found": "found",
    "false_share": "false share",
    "coverage": "coverage of printed ranges",
}
REAL = Path(os.environ.get("SCA_REAL_DATA", "../shared/data"))


def planted(runs: int, seed: int) -> pd.DataFrame:
    "What is claimed and found where the truth is planted."
    kinds = {"1 review each": {}, "1 to 4, ICC 0.3": {"icc": 0.3, "most": 4}}
    cases = {"nothing changed": (0, 0.12), "six changed by 12 points": (6, 0.12)}
    rows = [
        {"60 measures": name, "customers": who, "runs": runs}
        | simulate_changes(n, p, 60, runs, seed, labelled=labelled, **kind)
        | {"stars": f"{labelled:.0%}"}
        for name, (n, p) in cases.items()
        for who, kind in kinds.items()
        for labelled in (1.0, 0.5)
    ]
    return pd.DataFrame(rows)[["60 measures", "customers", "stars", "runs", *NAMES]].rename(columns=NAMES)


def swapped(shops: int, seed: int) -> pd.DataFrame:
    "How often a model swapped overnight passes for a change of the customers."
    rng, rows = np.random.default_rng(seed), []
    for labelled in (0.5, 0.2):
        claimed = 0
        for _ in range(shops):
            parts = [
                simulate_reviews(800, 0.25, right, labelled, icc=0.2, most=4, seed=rng).assign(period=t)
                for t, right in (("before", 0.81), ("after", 0.92))
            ]
            rows_of = pd.concat(parts, ignore_index=True)
            rows_of["customer_id"] = rows_of["period"] + rows_of["customer_id"].astype(str)
            rows_of["region"] = rng.integers(0, 4, 800)[pd.factorize(rows_of["customer_id"])[0] % 800]
            claimed += len(find_changes(by_kind(rows_of)).proven) > 0
        rows.append({"stars": f"{labelled:.0%}", "shops": shops, "shops with a claimed change": claimed / shops})
    return pd.DataFrame(rows)


def by_kind(rows: pd.DataFrame) -> pd.DataFrame:
    "Rows overall and per region."
    regions = rows.dropna(subset="region").assign(
        kind="region", key=lambda f: f["region"].astype(str), name=lambda f: f["key"]
    )
    return pd.concat([rows.assign(kind="overall", key="", name="all"), regions], ignore_index=True)


def shops() -> dict[str, pd.DataFrame]:
    "Reviews with stars: customer_id, label, region."
    shop = make_shop()
    sample = shop.reviews.merge(shop.customers[["customer_id", "region"]], on="customer_id", how="left")
    recent = sample["reviewed_at"] > sample["reviewed_at"].max() - pd.Timedelta(days=56)
    frames = {"sample, a year": sample, "sample, eight weeks": sample[recent]}
    if (REAL / "olist").exists():
        olist = pd.read_csv(REAL / "olist/order_reviews.csv").merge(
            pd.read_csv(REAL / "olist/orders.csv"), on="order_id"
        )
        olist = olist.merge(pd.read_csv(REAL / "olist/customers.csv"), on="customer_id")
        columns = {
            "customer_id": olist["customer_unique_id"],
            "stars": label_of_rating(olist["review_score"]),
            "region": olist["customer_state"],
        }
        frames["Olist"] = pd.DataFrame(columns)
        books = pd.read_csv(REAL / "amazon_multidomain/reviews.csv.gz")
        columns = {"customer_id": books["reviewer"], "stars": label_of_rating(books["rating"]), "region": None}
        frames["multi-domain"] = pd.DataFrame(columns)
    return {
        n: f.assign(stars=1 - f["stars"].astype("Float64"))
        .dropna(subset=["stars", "customer_id"])
        .reset_index(drop=True)
        for n, f in frames.items()
    }


def dealt(deals: int, seed: int) -> pd.DataFrame:
    "How often customers dealt into two periods at random pass for a change."
    rng, out = np.random.default_rng(seed), []
    for name, rows in shops().items():
        code, overall, anything, naive = pd.factorize(rows["customer_id"])[0], 0, 0, 0
        for _ in range(deals):
            heap = rng.integers(0, 2, code.max() + 1)[code]
            table = rows.assign(period=np.where(heap == 1, "after", "before"))
            changes = find_changes(by_kind(table))
            whole = changes.measures[changes.measures["kind"] == "overall"]
            overall += bool((whole["p_value"] < 0.05).any())
            anything += len(changes.proven) > 0
            naive += (
                stats.chi2_contingency(pd.crosstab(heap, table["stars"].astype(float)), correction=False).pvalue < 0.05
            )
        out.append({
            "shop": name, "reviews": len(rows), "customers": int(code.max() + 1), "deals": deals,
            "any proven change": anything / deals, "overall below 0.05": overall / deals,
            "counting reviews, overall": naive / deals,
        })  # fmt: skip
    return pd.DataFrame(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start = time.perf_counter()
    tables = {
        "Customers dealt into two periods at random": dealt(args.runs, args.seed),
        "A model swapped overnight, 81 to 92 % right": swapped(args.runs, args.seed),
        "Planted changes": planted(max(args.runs // 5, 1), args.seed),
    }
    intro = (
        "Asked for: customers dealt at random make a proven change in at most 5 % of the deals, a swapped model in "
        "at most 5 % of the shops; "
        "planted changes are found. Groups of the planted table: 60 of 160 to 1,200 reviews in both periods "
        "together, true shares of 10 to 40 %."
    )
    write("changes", "Changes against simulated truth", intro, tables, args.seed, time.perf_counter() - start)


if __name__ == "__main__":
    main()
