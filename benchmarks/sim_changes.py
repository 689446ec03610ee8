"""Changes on simulated truth: how many are claimed, detected, false. Writes docs/measured/changes.md."""

import argparse
import time

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.insight.changes import find_changes, simulate_changes
from smart_customer_analysis.insight.estimate import simulate_reviews

NAMES = {
    "flagged_per_run": "claimed per run",
    "found": "found",
    "false_share": "false share",
    "coverage": "coverage of printed ranges",
}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    start = time.perf_counter()
    tables = {
        "A model swapped overnight, 81 to 92 % right": swapped(args.runs, args.seed),
        "Planted changes": planted(max(args.runs // 5, 1), args.seed),
    }
    intro = (
        "Asked for: a swapped model makes a proven change in at most 5 % of the shops; planted changes are found. "
        "Groups of the planted table: 60 of 160 to 1,200 reviews in both periods together, true shares of 10 to 40 %."
    )
    write("changes", "Changes against simulated truth", intro, tables, args.seed, time.perf_counter() - start)


if __name__ == "__main__":
    main()
