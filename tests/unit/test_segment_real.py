"""Olist: segments of the customers of the first half keep their letters as the later orders come in, week by week."""

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.data.load import load
from smart_customer_analysis.segment.features import customer_features
from smart_customer_analysis.segment.identity import match_segments, moved_share
from smart_customer_analysis.segment.refit import choose_segments

pytestmark = pytest.mark.real
NOTHING = pd.DataFrame({"review_id": pd.Series(dtype="str"), "p_negative": pd.Series(dtype=float)}), np.zeros((0, 4))


def members_at(loaded, now, previous=None, used=()):
    "Customers, orders and reviews known at a moment, segmented; predictions are the stars."
    orders = loaded.orders[loaded.orders["ordered_at"] <= now]
    reviews = loaded.reviews[(loaded.reviews["reviewed_at"] <= now).fillna(False).astype(bool)]
    customers = loaded.customers[loaded.customers["customer_id"].isin(orders["customer_id"])]
    features = customer_features(customers, orders, reviews, *NOTHING, now=now)
    model = choose_segments(features.frame, 3, 8, seed=42, previous=previous, draws=0)
    matching = match_segments(previous, model.members, used)
    return matching, model.members.assign(segment_id=model.members["segment"].map(matching.mapping))


def test_a_refit_on_later_orders_keeps_the_letters(real_data, capsys):
    loaded = load("olist", (real_data / "olist",))
    days = loaded.orders["ordered_at"].sort_values()
    half, week = days.iloc[len(days) // 2], pd.Timedelta(days=7)
    first, then = members_at(loaded, half)
    rows = []
    for step in range(1, 7):
        matching, now = members_at(loaded, half + step * week, then, first.used_ids)
        rows.append(
            (f"{half + step * week:%Y-%m-%d}", len(now), 1 - moved_share(matching.migration), len(matching.events))
        )
        first, then = matching, now
    table = pd.DataFrame(rows, columns=["to", "customers", "kept their letter", "events"])
    with capsys.disabled():
        print(f"\nOlist, first fit to {half:%Y-%m-%d}\n{table.round(4).to_string(index=False)}")
    assert table["kept their letter"].min() >= 0.85 and table["kept their letter"].mean() >= 0.9
    assert table["events"].sum() <= 1
