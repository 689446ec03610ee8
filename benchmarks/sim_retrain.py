"""Does the headline move when the model is trained again? Writes docs/measured/retraining.md.

python benchmarks/sim_retrain.py [--models 20]

One shop, many models: each is trained on its own draw of the labelled reviews, 60 % of them, or 15 to 60 % ("unlike
models"), so that they differ as much as a shop's own do over the years. A model here is a logistic regression on words
(TF-IDF): cheap enough for twenty, and worse than the product's. The labelled reviews outside its draw are its held-out
rows.
"""

import argparse
import time

import numpy as np
import pandas as pd
from accuracy_sentiment import REAL
from sim_table import write
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.review_text import review_texts
from smart_customer_analysis.insight.estimate import fit_pool, read_reviews
from smart_customer_analysis.insight.shares import shares_by

SHOPS = {"sample": (), "olist": (REAL / "olist",)}
LABELLED = {"all have stars": 1.0, "half have stars": 0.5, "none has stars": 0.0}


def shop(name: str) -> pd.DataFrame:
    "Reviews with a verdict and a text: customer_id, text, negative (0 or 1), current (the last quarter of the time)."
    reviews = load(name, SHOPS[name]).reviews.dropna(subset=["label", "reviewed_at"])
    reviews = reviews.assign(text=review_texts(reviews))
    reviews = reviews[reviews["text"].str.strip() != ""]
    return pd.DataFrame({
        "customer_id": reviews["customer_id"].fillna(reviews["review_id"]), "text": reviews["text"],
        "negative": 1.0 - reviews["label"].astype(float),
        "current": reviews["reviewed_at"] >= reviews["reviewed_at"].quantile(0.75),
    }).reset_index(drop=True)  # fmt: skip


def judged(rows: pd.DataFrame, stars: np.ndarray, least: float, seed: int) -> tuple[pd.DataFrame, float]:
    "The rows as one model reads them, with what it was not trained on; and its share of right answers there."
    rng = np.random.default_rng(seed)
    learnt = np.isfinite(stars) & (rng.random(len(rows)) < rng.uniform(least, 0.6))
    words = TfidfVectorizer(min_df=2, ngram_range=(1, 2), sublinear_tf=True).fit(rows["text"][learnt])
    model = LogisticRegression(C=10, random_state=seed).fit(words.transform(rows["text"][learnt]), stars[learnt])
    p = model.predict_proba(words.transform(rows["text"]))[:, 1]
    right = float(((p >= 0.5) == (rows["negative"] == 1))[~learnt].mean())
    return rows.assign(stars=stars, marked=(p >= 0.5) * 1.0, p_negative=p, held_out=~learnt), right


def spread(name: str, labelled: float, least: float, models: int) -> dict[str, object]:
    "How far the share of the current period goes from model to model."
    rows = shop(name)
    known = ~rows["current"] | (np.random.default_rng(1).random(len(rows)) < labelled)
    stars = rows["negative"].where(known).to_numpy()
    current = rows["current"].to_numpy()
    truth, values, bare, right, holds = rows["negative"][current].mean(), [], [], [], []
    for seed in range(models):
        read, accuracy = judged(rows, stars, least, seed)
        answer = shares_by(read[current], None, pool=fit_pool(read_reviews(read, None), None))
        if pd.notna(answer["value"][0]):  # no number is published where the model's rates do not hold
            values.append(answer["value"][0])
            holds.append(bool(answer["low"][0] <= truth <= answer["high"][0]))
        bare.append(read["marked"][current].mean())
        right.append(accuracy)
    (low, high), wide = np.quantile(values, [0.05, 0.95]), np.quantile(bare, [0.05, 0.95])
    return {
        "shop": name, "models are": "alike" if least == 0.6 else "unlike",
        "reviews of the period": int(current.sum()), "models": models,
        "models right": f"{min(right):.0%} to {max(right):.0%}", "true share": f"{truth:.1%}",
        "published, 5th to 95th percentile": f"{low:.1%} to {high:.1%}", "span in points": f"{100 * (high - low):.1f}",
        "no number": models - len(values), "ranges that hold the true share": f"{sum(holds)} of {len(values)}",
        "bare predictions": f"{wide[0]:.1%} to {wide[1]:.1%}",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=20)
    args = parser.parse_args()
    start = time.perf_counter()
    tables = {
        f"Reviews of the period: {case}": pd.DataFrame(
            [spread(name, labelled, least, args.models) for name in SHOPS for least in (0.6, 0.15)]
        )
        for case, labelled in LABELLED.items()
    }
    intro = (
        "The share of negative reviews in the last quarter of the time, as it would be published under each of the "
        "models; earlier reviews have their stars. Each model is a logistic regression on words trained on its own "
        "draw of 60 % of the labelled reviews, or of 15 to 60 % (unlike models): worse than models of `sca train`. "
        "Asked for: a span of at most 1 point where half have stars and 3 where none has."
    )
    write("retraining", "The headline under many models", intro, tables, 42, time.perf_counter() - start)


if __name__ == "__main__":
    main()
