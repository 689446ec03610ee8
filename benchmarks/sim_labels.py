"""Labels by hand on simulated shops without stars: coverage and width by the number of labels and by their order.

Writes docs/measured/labels.md."""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.insight.estimate import fit_pool, read_reviews, simulate_reviews
from smart_customer_analysis.insight.shares import shares_by
from smart_customer_analysis.stats import confusion_counts, score_distribution
from smart_customer_analysis.view.labels import label_weights, queue_order, thresholds

SHOPS = ((0.81, 0.4), (0.92, 0.1))  # share of right predictions, true share
LABELS = (0, 50, 200)
VALIDATION = 150  # rows behind the confusion counts


def facts_of(shop: pd.DataFrame, draw: int) -> pd.DataFrame:
    "Write a simulated shop as `store.query.review_facts` does; half of the reviews are of another region."
    n = len(shop)
    return shop.assign(
        review_id=[f"{draw}-{i}" for i in range(n)], label=None, rating=None, labelled=None, reviewed_at=pd.NaT,
        region=np.where(np.arange(n) % 2 == 0, "a", "b"), product_id="p", label_queue=None, label_size=np.nan,
        label_threshold=np.nan,
        stars=np.nan, neutral=False,
    )  # fmt: skip


def labelled(facts: pd.DataFrame, n: int, ordered: bool, queue: str = "") -> pd.DataFrame:
    "Give the next `n` reviews of the queue their true label; not ordered: each review is as likely as any other."
    order = queue_order(facts[facts["region"] == "a"] if queue else facts)
    if not ordered:
        order = order.assign(place=order["place"] * order["size"], size=1.0).sort_values("place", ignore_index=True)
    rows = facts.set_index("review_id")
    marks = thresholds(order, order["review_id"].head(n).tolist(), n + 1)
    ids = list(marks)
    rows.loc[ids, "labelled"] = np.where(rows.loc[ids, "truth"] == 1, "negative", "positive")
    rows.loc[ids, "label_queue"] = queue
    rows.loc[ids, ["label_size", "label_threshold"]] = np.reshape(list(marks.values()), (-1, 2))
    return rows.reset_index()


def answer(facts: pd.DataFrame, confusion: dict, region: str | None = None) -> tuple[float, float, float]:
    "Share, low and high of all reviews or of one region."
    by_hand = facts["labelled"].notna()
    rows = facts.assign(
        by_hand=by_hand, weight=label_weights(facts), held_out=True, stars=facts["truth"].where(by_hand)
    )
    pool = fit_pool(read_reviews(rows, confusion), confusion)
    rows = rows if region is None else rows[rows["region"] == region]
    row = shares_by(rows, None, confusion, k=1, pool=pool).iloc[0]
    return row["value"], row["low"], row["high"]


def simulate(right: float, truth: float, draws: int, n: int, seed: int, focus: bool = False) -> list[dict]:
    "Error, coverage and width for each number and order of labels; focus: labels and share of one region."
    rng, rows = np.random.default_rng(seed), []
    for draw in range(draws):
        held = simulate_reviews(VALIDATION, 0.5, right, 0, seed=rng)
        pairs = 1 - held["truth"], held["p_negative"]
        confusion = confusion_counts(*pairs) | score_distribution(*pairs)
        facts = facts_of(simulate_reviews(n, truth, right, 0, seed=rng), draw + 10_000 * seed)
        for ordered in (False, True):
            queue = "region=a" if focus and ordered else ""
            for m in LABELS:
                value, low, high = answer(labelled(facts, m, ordered, queue), confusion, "a" if focus else None)
                rows.append({"order": "queue" if ordered else "random", "labels": m, "error": abs(value - truth),
                             "covered": low <= truth <= high, "width": high - low})  # fmt: skip
    return rows


def table(draws: int, n: int, seed: int, focus: bool = False) -> pd.DataFrame:
    "One row for each shop and number of labels, both orders beside each other."
    parts = []
    for right, truth in SHOPS:
        means = pd.DataFrame(simulate(right, truth, draws, n, seed, focus)).groupby(["labels", "order"]).mean()
        wide = means.unstack("order")
        row = {"model right": right, "true share": truth, "labels": wide.index}
        for name, column in (("coverage", "covered"), ("mean error", "error"), ("width", "width")):
            row |= {f"{name}, {order}": wide[column, order].astype(float) for order in ("random", "queue")}
        parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--reviews", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(table, args.draws, args.reviews, args.seed + focus, bool(focus)) for focus in (0, 1)]
        whole, part = (job.result() for job in jobs)
    intro = (
        f"{args.draws:,} simulated shops of {args.reviews:,} reviews per row, none with stars; customers write one "
        f"review each. Before the first label the share rests on {VALIDATION} validation rows. Random: each review "
        "is as likely to be offered as any other. Queue: as `view.labels` offers and weighs them. Errors and widths as "
        "shares: 0.020 is 2 points. Asked for: coverage 0.93 to 0.97, and a narrower range than in random order."
    )
    tables = {
        "All reviews, labels for all": whole,
        "One of two regions: random labels for all, the queue for this region": part,
    }
    write("labels", "Labels given by people", intro, tables, args.seed, time.perf_counter() - started)
