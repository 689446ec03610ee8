"""Themes of Olist beside what happened to the orders: which theme speaks of parcels that never came?

Writes docs/measured/themes_olist.md. No label and no word list: the themes are found in the texts alone."""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.data.sentences import split_reviews
from smart_customer_analysis.segment.themes import OTHER, find_themes, theme_table
from smart_customer_analysis.sentiment.choice import MANY
from smart_customer_analysis.sentiment.sentences import plain_embeddings

DATA = Path(os.environ.get("SCA_REAL_DATA", "../shared/data")) / "olist"
NEVER, LATE, IN_TIME = "never delivered", "late", "in time"


def reviews_with_state() -> pd.DataFrame:
    "Reviews with text: review_id, text, rating, state of the order."
    orders = pd.read_csv(
        DATA / "orders.csv", parse_dates=["order_delivered_customer_date", "order_estimated_delivery_date"]
    )
    reviews = pd.read_csv(DATA / "order_reviews.csv").drop_duplicates("review_id").merge(orders, on="order_id")
    delivered, promised = reviews["order_delivered_customer_date"], reviews["order_estimated_delivery_date"]
    state = np.select([delivered.isna(), delivered.dt.normalize() > promised], [NEVER, LATE], IN_TIME)
    parts = [reviews["review_comment_title"].fillna(""), reviews["review_comment_message"].fillna("")]
    text = (parts[0] + ": " + parts[1]).str.strip(": ")
    frame = pd.DataFrame(
        {"review_id": reviews["review_id"], "text": text, "rating": reviews["review_score"], "state": state}
    )
    return frame[frame["text"] != ""].reset_index(drop=True)


def sentences_of(reviews: pd.DataFrame) -> pd.DataFrame:
    "Sentences; the opinion of each is that of the stars of its review."
    rows = split_reviews(reviews)
    stars = rows["review_id"].map(reviews.set_index("review_id")["rating"])
    return rows.assign(p_negative=(stars < 3) + 0.5 * (stars == 3))


def shares_by_state(reviews: pd.DataFrame, sentences: pd.DataFrame, theme: np.ndarray) -> pd.DataFrame:
    "For each theme, the share of the reviews of each kind of order that have a sentence of it."
    state = reviews.set_index("review_id")["state"]
    pairs = sentences[["review_id"]].assign(theme=theme).drop_duplicates()
    counts = pd.crosstab(pairs["theme"], pairs["review_id"].map(state))
    return counts / state.value_counts()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--cache", type=Path, required=True, help="file for the embeddings")
    args = options.parse_args()
    started, reviews = time.time(), reviews_with_state()
    sentences = sentences_of(reviews)
    if not args.cache.is_file():
        np.save(args.cache, plain_embeddings(sentences["text"].tolist(), MANY))
    X = np.load(args.cache)
    model = find_themes(sentences, X)
    assigned = model.assign(X)
    table = theme_table(sentences, assigned, "pt").set_index("theme")
    shares = shares_by_state(reviews, sentences, assigned["theme"].to_numpy())
    rows = table.drop(index=OTHER, errors="ignore").join(shares)[["name", "sentences", NEVER, LATE, IN_TIME]]
    rows = rows.sort_values(NEVER, ascending=False)
    of_lost = rows.index[(rows[NEVER] > 2 * rows[IN_TIME]) & (rows[NEVER] > 0.1)]
    is_one = assigned["theme"].isin(of_lost).to_numpy()
    together = shares_by_state(reviews, sentences, np.where(is_one, 1, 0)).loc[1]
    name = f"the {len(of_lost)} of parcels that never came, together"
    rows = pd.concat([rows, pd.DataFrame([{"name": name, "sentences": is_one.sum()} | together.to_dict()])])
    counts = reviews["state"].value_counts()
    intro = (
        f"{len(reviews):,} reviews with text, {len(sentences):,} sentences, encoder {MANY} as it came, {model.k} "
        f"themes. Orders never delivered {counts[NEVER]}, late {counts[LATE]}, in time {counts[IN_TIME]:,}. A share is "
        "that of the reviews of such orders with a sentence of the theme. Asked: one theme in at least 70 % of the "
        "first and at most 10 % of the last. No single theme is so wide: what is said of a parcel that never came is "
        "spread over themes, and the last row has those together that at least twice as many of the first speak of. "
        "A shop joins themes on the page or in themes.toml. Names are not edited."
    )
    write(
        "themes_olist", "Themes of Olist", intro, {"What happened, and what is said": rows}, 42, time.time() - started
    )
