"A parameter of a wrong kind is refused in one line that names it; nobody sees where inside it broke."

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.geo.hotspots import find_hotspots
from smart_customer_analysis.insight.changes import find_changes
from smart_customer_analysis.insight.shares import negative_share
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.segment.customers import CustomerSegments
from smart_customer_analysis.segment.rfm import RFM, rfm_table
from smart_customer_analysis.sentiment.classifier import SentimentClassifier
from smart_customer_analysis.sentiment.recipe import Recipe
from smart_customer_analysis.shop import from_frame
from smart_customer_analysis.stats import confusion_counts, proportion, seed_of, wilson_interval
from smart_customer_analysis.themes import Themes

PLACES = pd.DataFrame({"customer_id": ["a"], "lon": [8.0], "lat": [46.0], "negative": [1]})
FEATURES = pd.DataFrame({"recency": [1.0, 2, 30], "frequency": [9.0, 8, 1]}, index=list("abc"))
ORDERS = pd.DataFrame({"customer_id": ["a"], "ordered_at": [pd.Timestamp("2026-01-01", tz="UTC")], "amount": ["10"]})
REVIEWS = pd.DataFrame({"kind": [], "key": [], "name": [], "customer_id": [], "period": [], "marked": []})
TEXTS = [f"It broke on day {i}, and I sent it back." for i in range(120)]
SHOP = from_frame(pd.DataFrame({"comment": TEXTS[:30], "stars": [1, 2, 4, 5, 3] * 6}))

REFUSED = {
    "permutations": [lambda x=x: find_hotspots(PLACES, permutations=x) for x in ("9", 9.5, 0, True)],
    "alpha": [lambda x=x: find_hotspots(PLACES, alpha=x) for x in ("a", 2)]
    + [lambda x=x: find_changes(REVIEWS, alpha=x) for x in ("0.1", 2)],
    "a frame of reviews": [lambda x=x: find_hotspots(x) for x in (None, [1])],
    "a level between": [lambda x=x: proportion(3, 10, x) for x in (95, "a", 0)]
    + [lambda: wilson_interval(3, 10, np.array([0.9, 95])), lambda: negative_share(3, 10, None, "a")],
    "k from 0 to 10": [lambda x=x: proportion(x, 10) for x in (20, 2.5, "3")],
    "marked": [lambda: negative_share("3", 10, None)],  # ty: ignore[invalid-argument-type]
    "a list of labels": [lambda: confusion_counts(1, 0.5), lambda: confusion_counts([[0, 1]], [[0.3, 0.6]])],
    "random_state": [lambda x=x: seed_of(x) for x in ("a", 1.5, -1, 2**40)],
    "numbers in every column": [
        lambda: CustomerSegments().fit(FEATURES.assign(plan="A")),
        lambda: CustomerSegments().fit(FEATURES.assign(day=pd.Timestamp("2026-01-01"))),
        lambda: RFM().fit(FEATURES.assign(plan="A")),
    ],
    "rows of numbers": [
        lambda: CustomerSegments().fit(FEATURES.iloc[:0]),
        lambda: CustomerSegments().fit(pd.concat([FEATURES, FEATURES], axis=1)),
    ],
    "weight": [lambda w=w: CustomerSegments(weights=w).fit(FEATURES) for w in ({"shoe": 1}, {"recency": -1})],
    "k_min": [lambda x=x: CustomerSegments(x, 4).fit(FEATURES) for x in ("2", 2.5)],
    "amounts as numbers": [lambda: rfm_table(ORDERS)],
    "no ordered_at": [lambda: rfm_table(ORDERS.drop(columns="ordered_at"))],
    "min_themes": [lambda x=x: Themes(min_themes=x).fit(["It broke."]) for x in (0, "a", 2.5)],
    "most from 0": [lambda x=x: SHOP.sentiment(most=x) for x in ("a", 1.5, -1)],
    "a model, its folder": [lambda: SHOP.sentiment(model=3)],
    "options among": [lambda: SentimentClassifier(options={"batchtokens": 9}).fit(TEXTS, [0, 1] * 60)],
    "epochs": [lambda x=x: Recipe(epochs=x) for x in (1.5, "2")],
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_wrong_parameter_is_named(word):
    for call in REFUSED[word]:
        with pytest.raises(InputError, match=word):
            call()


def test_rfm_says_so_where_no_column_is_called_recency():
    named = FEATURES.rename(columns={"recency": "Recency "})
    assert RFM().fit(named).low_is_best_.tolist() == [True, False]
    with pytest.warns(UserWarning, match="none of r, f is called recency.*'R'"):
        RFM().fit(FEATURES.rename(columns={"recency": "R", "frequency": "F"}))
