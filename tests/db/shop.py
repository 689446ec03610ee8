"""A small seeded shop for the database tests."""

import numpy as np
import pandas as pd

from smart_customer_analysis.schema import Customer, Order, Review, conform, label_of_rating


def shop(n_customers: int = 300, n_reviews: int = 800, seed: int = 1, bbox=(-10.0, 36.0, 20.0, 55.0)):
    "Reviews, customers and orders with awkward values in them."
    rng = np.random.default_rng(seed)
    west, south, east, north = bbox
    ids = [f"c{i:05}" for i in range(n_customers)]
    customers = pd.DataFrame(
        {"customer_id": ids, "lon": rng.uniform(west, east, n_customers), "lat": rng.uniform(south, north, n_customers)}
    )
    customers.loc[rng.random(n_customers) < 0.05, ["lon", "lat"]] = np.nan
    customers["region"] = rng.choice(["Nord", "Süd", None], n_customers)
    customers["country"] = "CH"
    customers["first_seen"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(
        rng.integers(0, 10**9, n_customers), unit="us"
    )
    texts = np.array(
        [
            'He said "no"',
            "a,b;c\td",
            "line\nbreak",
            "\\.",
            "\\N",
            "100% _sure_",
            "Ärger, ÉTÉ, 北京 🙂",
            "",
            " spaces ",
            "NULL",
            "it's",
        ]
    )
    reviews = pd.DataFrame(
        {
            "review_id": [f"r{i:06}" for i in range(n_reviews)],
            "customer_id": rng.choice(np.array([*ids, None], dtype=object), n_reviews),
            "product_id": rng.choice(["lamp", "desk", "sofa"], n_reviews),
            "rating": rng.integers(1, 6, n_reviews).astype(float),
            "title": rng.choice(["", "Good", 'a "title"'], n_reviews),
            "text": rng.choice(texts, n_reviews),
            "reviewed_at": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 180 * 86_400 * 10**6, n_reviews), unit="us"),
            "source": "shop",
            "line": np.arange(2, n_reviews + 2),
        }
    )
    reviews["label"] = label_of_rating(reviews["rating"])
    reviews.loc[::17, "reviewed_at"] = pd.NaT
    orders = pd.DataFrame(
        {
            "order_id": [f"o{i:06}" for i in range(n_customers)],
            "customer_id": rng.choice(ids, n_customers),
            "ordered_at": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 10**13, n_customers), unit="us"),
            "amount": rng.uniform(1, 500, n_customers),
            "currency": "CHF",
            "product_id": rng.choice(np.array(["lamp", "vase", None], dtype=object), n_customers),
        }
    )
    return conform(reviews, Review), conform(customers, Customer), conform(orders, Order)


def predictions(review_ids, seed: int = 1) -> pd.DataFrame:
    "Random predictions, some unsure."
    p = np.random.default_rng(seed).uniform(0, 1, len(review_ids))
    label = pd.Series(np.where(p > 0.5, 0, 1), dtype="Int8").mask(np.abs(p - 0.5) < 0.1)
    return pd.DataFrame(
        {
            "review_id": list(review_ids),
            "label": label,
            "p_negative": p,
            "p_positive": 1 - p,
            "tokens_read": 7,
            "tokens_total": 9,
        }
    )
