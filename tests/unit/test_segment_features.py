"""Features: no gaps whatever is missing, arguments untouched, scikit-learn's own rules kept."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.segment.features import CustomerFeatures, customer_features, review_features
from smart_customer_analysis.segment.refit import choose_segments
from smart_customer_analysis.segment.rfm import RFM, rfm_table
from smart_customer_analysis.segment.scale import FeatureScaler
from smart_customer_analysis.segment.topics import TopicModel, class_words

DAY = pd.Timedelta(days=1)
NOW = pd.Timestamp("2026-11-01", tz="UTC")


@parametrize_with_checks([RFM(), FeatureScaler(), TopicModel()])
def test_follows_scikit_learn(estimator, check):
    check(estimator)


def shop(n=40, seed=0, orders_of=1.0, reviews_of=1.0):
    rng = np.random.default_rng(seed)
    ids = [f"{i:03}" for i in range(n)]
    buyers, writers = ids[: int(n * orders_of)], ids[n - int(n * reviews_of) :]
    customers = pd.DataFrame({"customer_id": ids, "first_seen": NOW - 500 * DAY})
    who = [b for b in buyers for _ in range(rng.integers(1, 4))]
    orders = pd.DataFrame({"order_id": [f"o{i}" for i in range(len(who))], "customer_id": pd.Series(who, dtype=str)})
    orders["ordered_at"] = pd.to_datetime(NOW - pd.to_timedelta(rng.integers(0, 400, len(who)), "D"))
    orders["amount"] = rng.lognormal(3, 1, len(who))
    who = [w for w in writers for _ in range(rng.integers(1, 4))]
    reviews = pd.DataFrame(
        {
            "review_id": pd.Series([f"r{i}" for i in range(len(who))], dtype=str),
            "customer_id": pd.Series(who, dtype=str),
        }
    )
    reviews["title"], reviews["text"] = "", [["late courier", "soft cotton shirt"][i % 2] for i in range(len(who))]
    reviews["label"] = rng.integers(0, 2, len(who))
    reviews["reviewed_at"] = pd.to_datetime(NOW - pd.to_timedelta(rng.integers(0, 400, len(who)), "D"))
    predictions = pd.DataFrame({"review_id": reviews["review_id"], "p_negative": rng.random(len(who))})
    return customers, orders, reviews, predictions, rng.normal(size=(len(who), 8)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(orders_of=st.sampled_from([0.0, 0.3, 1.0]), reviews_of=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 50))
def test_there_is_never_a_gap(orders_of, reviews_of, seed):
    frames = shop(seed=seed, orders_of=orders_of, reviews_of=reviews_of)
    features = customer_features(*frames)
    assert len(features.frame) == 40 and np.isfinite(features.frame.to_numpy()).all()
    assert ("has_orders" in features.frame) == (0 < orders_of < 1)
    assert ("has_reviews" in features.frame) == (0 < reviews_of < 1)
    assert set(features.labels) == set(features.frame.columns)


def test_arguments_are_not_changed():
    frames = shop()
    copies = [f.copy() for f in frames]
    customer_features(*frames)
    review_features(*frames[2:])
    for before, after in zip(copies, frames, strict=True):
        assert before.equals(after) if isinstance(before, pd.DataFrame) else (before == after).all()


def shuffled(frames, seed=1):
    "The same rows in another order; predictions and embeddings stay side by side."
    *tables, predictions, vectors = frames
    rows = np.random.default_rng(seed).permutation(len(predictions))
    return *(t.sample(frac=1, random_state=seed) for t in tables), predictions.iloc[rows], vectors[rows]


def test_the_order_of_rows_changes_neither_features_nor_segments():
    frames = shop(n=120)
    one, other = customer_features(*frames), customer_features(*shuffled(frames))
    assert len(one.topics) > 1, "without topics the test proves little"
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    pd.testing.assert_frame_equal(one.topics, other.topics, check_exact=True)
    pd.testing.assert_series_equal(one.review_topics, other.review_topics)
    segments = [choose_segments(f.frame, 3, 5, seed=1, draws=0).members for f in (one, other)]
    pd.testing.assert_frame_equal(*segments, check_exact=True)


def test_the_order_of_reviews_changes_neither_their_features_nor_their_segments():
    frames = shop(n=120)
    one, other = review_features(*frames[2:]), review_features(*shuffled(frames)[2:])
    assert len(one.topics) > 1, "without topics the test proves little"
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    segments = [choose_segments(f.frame, 3, 5, seed=1, draws=0).members for f in (one, other)]
    pd.testing.assert_frame_equal(*segments, check_exact=True)


def test_reviews_without_a_prediction_count_by_their_stars():
    customers, orders, reviews, predictions, vectors = shop()
    none = predictions.head(0)
    features = customer_features(customers, orders, reviews.assign(label=0), none, vectors[:0]).frame
    assert (features["share_negative"] > 0.99).all()


def test_a_new_review_of_an_unknown_customer_is_counted():
    customers, orders, reviews, predictions, vectors = shop()
    assert customer_features(customers.iloc[1:], orders, reviews, predictions, vectors).left_out["orders"] >= 1


def test_rfm_scores_and_scaler_work_in_a_pipeline():
    table = rfm_table(shop()[1])
    scored = RFM().set_output(transform="pandas").fit_transform(table)
    assert list(scored.columns) == list(table.columns) and scored.to_numpy().min() >= 1 and scored.to_numpy().max() <= 5
    assert (
        scored.loc[table["recency"].idxmin(), "recency"] == 5
        and scored.loc[table["monetary"].idxmax(), "monetary"] == 5
    )
    both = clone(make_pipeline(RFM(3), FeatureScaler()))
    assert both.fit_transform(table).shape == table.shape


def tables(*frames):
    return dict(zip(("customers", "orders", "reviews", "predictions", "embeddings"), frames, strict=True))


def test_customer_features_keep_the_rules_that_need_no_array():
    one, transformer = tables(*shop(orders_of=0.5)), CustomerFeatures(n_topics=3)
    assert clone(transformer).get_params() == {"n_topics": 3, "now": None, "random_state": 42}
    assert transformer.set_params(n_topics=4).fit(one) is transformer
    frame = transformer.transform(one)
    assert list(transformer.get_feature_names_out()) == list(frame.columns) and frame.index.name == "customer_id"
    pd.testing.assert_frame_equal(clone(transformer).set_output(transform="pandas").fit_transform(one), frame)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(transformer)).transform(one), frame)
    with pytest.raises(NotFittedError):
        CustomerFeatures().transform(one)
    by_chance = [CustomerFeatures(n_topics=3, random_state=np.random.RandomState(1)).fit(one) for _ in range(2)]
    pd.testing.assert_frame_equal(*[t.transform(one) for t in by_chance])
    whole = make_pipeline(CustomerFeatures(), FeatureScaler(), KMeans(3, n_init=2, random_state=0)).fit(one)
    assert len(whole.predict(one)) == len(frame)


@pytest.mark.parametrize("few", [1, 7])
def test_a_customer_is_described_alone_as_among_all(few):
    customers, *rest = shop(orders_of=0.6, reviews_of=0.7)
    transformer = CustomerFeatures(n_topics=3, now=NOW).fit(tables(customers, *rest))
    alone = transformer.transform(tables(customers.tail(few), *rest))
    pd.testing.assert_frame_equal(alone, transformer.transform(tables(customers, *rest)).tail(few))


def test_a_later_shop_has_the_columns_of_the_first():
    transformer = CustomerFeatures(n_topics=3).fit(tables(*shop(orders_of=0.6, reviews_of=0.7)))
    for later in (shop(n=9, seed=5), shop(n=9, seed=6, orders_of=0.0), shop(n=9, seed=7, reviews_of=0.0)):
        frame = transformer.transform(tables(*later))
        assert list(frame) == list(transformer.get_feature_names_out()) and np.isfinite(frame.to_numpy()).all()


def test_outliers_do_not_move_the_scale():
    values = pd.DataFrame({"x": np.r_[np.random.default_rng(0).normal(size=500), [1e9]]})
    scaled = FeatureScaler().fit_transform(values)
    assert 0.8 < scaled[:500].std() < 1.2 and scaled.max() == 3


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_reviews_have_no_topics_but_no_error(n):
    customers, orders, reviews, predictions, vectors = shop()
    features = customer_features(customers, orders, reviews.head(n), predictions.head(n), vectors[:n])
    assert len(features.topics) == 0 and np.isfinite(features.frame.to_numpy()).all()


def test_words_come_from_their_class_only():
    texts = pd.Series(["late courier again"] * 5 + ["soft cotton shirt"] * 5)
    words = class_words(texts, pd.Series([0] * 5 + [1] * 5))
    assert "courier" in words[0] and "cotton" in words[1] and not set(words[0]) & set(words[1])


@pytest.mark.parametrize("change", [str, str.capitalize, str.upper])
def test_the_best_customer_scores_five_in_any_letter_case(change):
    table = pd.DataFrame(
        {"recency": [1, 10, 50, 100, 300.0], "frequency": [9, 5, 3, 2, 1.0], "monetary": [900, 400, 200, 90, 20.0]}
    ).rename(columns=change)
    assert RFM().fit_transform(table)[0].tolist() == [5, 5, 5]


def test_an_array_is_scored_with_a_warning_or_by_position():
    table = np.array([[1, 9, 900], [10, 5, 400], [50, 3, 200], [100, 2, 90], [300, 1, 20.0]])
    with pytest.warns(UserWarning, match="low_is_best"):
        RFM().fit(table)
    assert RFM(low_is_best=(0,)).fit_transform(table)[0].tolist() == [5, 5, 5]


def test_misspelt_columns_and_scores_are_refused():
    table = rfm_table(shop()[1])
    for wrong in (RFM(low_is_best=("recncy",)), RFM(cut_points={"freq": [1, 2]}), RFM(n_scores=1)):
        with pytest.raises(InputError):
            wrong.fit(table)


def bought(*rows):
    orders = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount"])
    return orders.assign(ordered_at=pd.to_datetime(orders["ordered_at"], utc=True))


ORDERS = bought(("a", "c", "2024-01-01", 10.0), ("b", "c", "2024-02-01", 20.0), ("c", "c", "2024-06-01", 500.0))


def test_a_day_in_the_past_knows_no_later_order():
    then = pd.Timestamp("2024-03-01", tz="UTC")
    assert rfm_table(ORDERS, then).loc["c"].tolist() == [29, 2, 30, 15, 60]
    customers, orders, *rest = shop()
    past = NOW - 200 * DAY
    features = CustomerFeatures(now=past).fit_transform(tables(customers, orders, *rest))
    expected = orders[orders["ordered_at"] <= past].groupby("customer_id").size()
    assert (features["frequency"].reindex(expected.index) == expected).all() and features["recency"].min() >= 0


def test_lines_of_one_order_are_one_order():
    table = rfm_table(ORDERS.assign(order_id="a"))
    assert table.loc["c", ["frequency", "monetary", "basket"]].tolist() == [1, 530, 530]


REFUSED = {
    "two currencies": (ORDERS.assign(currency=["EUR", "EUR", "JPY"]), None, "EUR, JPY"),
    "a missing amount": (ORDERS.assign(amount=[1.0, np.nan, 2.0]), None, "an amount in every order"),
    "text dates": (ORDERS.assign(ordered_at="2024-01-01"), None, "moments with a zone"),
    "no dates": (ORDERS.assign(ordered_at=pd.to_datetime([None] * 3, utc=True)), None, "only missing ones"),
    "a date to come": (bought(("a", "c", "2099-01-01", 1.0)), None, "up to today"),
    "now without zone": (ORDERS, pd.Timestamp("2024-03-01"), "now as a moment with a zone"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_orders_that_cannot_be_right_are_refused(case):
    orders, now, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        rfm_table(orders, now)


def test_orders_of_nobody_in_the_table_are_refused():
    customers, orders, *rest = shop()
    with pytest.raises(InputError, match="same ids in both tables"):
        customer_features(customers, orders.assign(customer_id="x" + orders["customer_id"]), *rest)


def test_ids_that_became_floats_are_the_same_customers():
    customers, orders, *rest = shop(reviews_of=0.0)
    text = [t.assign(customer_id=t["customer_id"].astype(int).astype(str)) for t in (customers, orders)]
    floats = [t.assign(customer_id=t["customer_id"].astype(float)) for t in text]
    one, other = (customer_features(*tables_, *rest).frame for tables_ in (text, floats))
    pd.testing.assert_frame_equal(one, other)
