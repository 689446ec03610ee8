"""Names: own to each segment, kept with the letter, true of the numbers, in words a shop owner uses."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_words import LOUD
from sklearn.metrics import adjusted_rand_score

from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.schema import Review, conform
from smart_customer_analysis.segment.describe import _review_names, clip, describe_segments, name_segments
from smart_customer_analysis.segment.features import CATALOG, Features, customer_features, review_features
from smart_customer_analysis.segment.identity import match_segments, moved_share
from smart_customer_analysis.segment.refit import choose_segments


def segmented(shop, errors=0.06, previous=None):
    "Segments of a shop whose predictions are the stars with some errors."
    rng = np.random.default_rng(0)
    good = shop.reviews["label"].astype("Float64").fillna(0.5).to_numpy(dtype=float)
    good = np.where(rng.random(len(good)) < errors, 1 - good, good)
    predictions = pd.DataFrame({"review_id": shop.reviews["review_id"], "p_negative": 0.95 - 0.9 * good})
    names = sorted(set(shop.truth["topics"].values()))
    topics = np.array([names.index(t) for t in shop.truth["topics"].values()])
    vectors = np.eye(12)[topics] + 0.5 * rng.normal(size=(len(topics), 12))
    features = customer_features(shop.customers, shop.orders, shop.reviews, predictions, vectors.astype(np.float32))
    model = choose_segments(features.frame, 3, 8, seed=42, previous=previous)
    matching = match_segments(previous, model.members)
    return features, model.members.assign(segment_id=model.members["segment"].map(matching.mapping)), predictions


@pytest.fixture(scope="module")
def sample():
    shop = make_shop(dirty=False)
    return shop, *segmented(shop)


def test_planted_segments_are_found_and_recognisable(sample):
    shop, features, members, predictions = sample
    planted = members["member_id"].map(shop.truth["segments"])
    assert adjusted_rand_score(planted, members["segment_id"]) >= 0.9
    table = describe_segments(features, members, shop.reviews, predictions, customers=shop.customers)
    table = table.set_index("segment_id")
    kind = planted.groupby(members["segment_id"]).agg(lambda s: s.mode()[0])
    names = {kind[letter]: table.loc[letter, "name"] for letter in kind.index}
    expected = {
        "regulars": "regulars",
        "big spenders": "spenders",
        "critics": "nhappy",
        "lapsed": "Lapsed",
        "bargain hunters": "bargain hunters",
    }
    assert all(word.lower() in names[k].lower() for k, word in expected.items()), names


@pytest.mark.parametrize("noise, least", [(0, 0.98), (2, 0.8)])
def test_more_scatter_costs_little_at_first(noise, least):
    shop = make_shop(dirty=False, noise=noise, seed=1)
    _, members, _ = segmented(shop)
    assert adjusted_rand_score(members["member_id"].map(shop.truth["segments"]), members["segment_id"]) >= least


@pytest.mark.parametrize("seed", [1, 2])
def test_other_shops_are_found_too(seed):
    shop = make_shop(seed=seed, dirty=False)
    _, members, _ = segmented(shop)
    assert adjusted_rand_score(members["member_id"].map(shop.truth["segments"]), members["segment_id"]) >= 0.9


@pytest.mark.parametrize("seed", [1, 2])
def test_a_refit_of_the_same_customers_tells_nothing(seed):
    "People with one review are content or not: such gaps are no reason to split a segment in the second run."
    shop = make_shop(seed=seed, dirty=False)
    _, members, _ = segmented(shop)
    for errors in (0.06, 0.05):
        _, again, _ = segmented(shop, errors, previous=members[["member_id", "segment_id"]])
        matching = match_segments(members, again.drop(columns="segment_id"))
        assert len(matching.events) == 0 and moved_share(matching.migration) <= 0.02


def test_rows_are_complete_and_serialisable(sample):
    shop, features, members, predictions = sample
    table = describe_segments(features, members, shop.reviews, predictions)
    assert list(table["segment_id"]) == sorted(members["segment_id"].unique()) and table["size"].sum() == len(members)
    assert abs(table["share"].sum() - 1) < 1e-9 and table["stability"].between(0, 1).all()
    json.dumps(table.to_dict("records"), allow_nan=False)
    for row in table.itertuples():
        assert row.name and row.sentence.endswith(".") and row.words and len(row.quotes) == 2
        assert {"feature", "label", "value", "all", "difference_sd"} <= set(row.profile[0])
        assert all(q["text"] and len(q["text"]) <= 200 for q in row.quotes)
        assert {q["review_id"] for q in row.quotes} <= set(shop.reviews["review_id"])
    written = " ".join(table["name"]) + " " + " ".join(table["sentence"])
    assert not LOUD.search(written) and not re.search("!|nan|none", written, re.IGNORECASE)


def test_quotes_are_by_members_of_the_segment(sample):
    shop, features, members, predictions = sample
    table = describe_segments(features, members, shop.reviews, predictions)
    author = shop.reviews.set_index("review_id")["customer_id"]
    home = members.set_index("member_id")["segment_id"]
    assert all(home[author[q["review_id"]]] == row.segment_id for row in table.itertuples() for q in row.quotes)


def test_names_stay_with_their_letters(sample):
    shop, features, members, predictions = sample
    table = describe_segments(features, members, shop.reviews, predictions)
    names = dict(zip(table["segment_id"], table["name"], strict=True))
    later = make_shop(dirty=False, n_customers=780)  # another draw of the same kinds of people
    features, members, predictions = segmented(later)
    again = describe_segments(features, members, later.reviews, predictions, names)
    assert dict(zip(again["segment_id"], again["name"], strict=True)) == names


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from("ABCDEF"),
        st.dictionaries(st.sampled_from(["Loyal", "New", "Lapsed", "Unhappy"]), st.floats(0.1, 2), min_size=1),
        min_size=1,
    ),
    st.dictionaries(st.sampled_from("ABCXYZ"), st.sampled_from(["Loyal", "Old friends", "Gift buyers"]), max_size=1),
)
def test_no_name_twice(candidates, previous):
    previous = {letter: name for name, letter in {name: letter for letter, name in previous.items()}.items()}
    names = name_segments(candidates, previous)
    assert set(names) == set(candidates) and len(set(names.values())) == len(names)
    assert all(names[k] == v for k, v in previous.items() if k in names)


@given(st.text(max_size=400), st.integers(2, 60))
def test_clip_never_exceeds_its_length(text, most):
    assert len(clip(text, most)) <= most and "\n" not in clip(text, most)


WORDLESS = {
    "ok, good, bad": ["ok", "good", "bad"] * 20,
    "only emoji": ["👍", "👎", "😀"] * 20,
    "Chinese without commas": ["这个东西非常好用我很喜欢", "质量太差不推荐"] * 30,
    "one review": ["It broke."],
    "80 alike": ["Works fine for me"] * 80,
}


@pytest.mark.parametrize("case", WORDLESS)
def test_reviews_without_a_telling_word_are_named_all_the_same(case):
    texts = pd.Series(WORDLESS[case])
    alike, n, rng = texts.nunique() == 1, len(texts), np.random.default_rng(0)
    rows = pd.DataFrame({"review_id": [f"r{i}" for i in range(n)], "source": "s", "line": range(1, n + 1)})
    rows = rows.assign(title="", text=texts)
    reviews = conform(rows, Review)
    p = np.full(n, 0.5) if alike else np.where(texts == texts[0], 0.1, 0.9)
    vectors = np.ones((n, 8)) if alike else rng.normal(size=(n, 8))
    predictions = pd.DataFrame({"review_id": reviews["review_id"], "p_negative": p})
    features = review_features(reviews, predictions, vectors.astype(np.float32))
    model = choose_segments(features.frame, 3, 8, seed=42)
    members = model.members.assign(segment_id=model.members["segment"].map(lambda k: chr(65 + k)))
    names = describe_segments(features, members, reviews, predictions)["name"]
    assert names.is_unique and set(members["segment_id"]) and len(names) == members["segment_id"].nunique()
    if alike:
        assert names.tolist() == ["All reviews"], "a single segment is everybody"


def test_a_segment_of_reviews_without_words_is_about_many_things():
    profiles = pd.DataFrame({"segment_id": ["A", "B", "C"], "feature": "p_negative", "difference_sd": [0.0, 0.9, -0.9]})
    names = _review_names(profiles, {"A": [], "B": ["parcel"]})
    assert [*map(list, names.values())] == [
        ["Reviews about many things"],
        ["Complaints about: parcel"],
        ["Praise for many things"],
    ]


def told_of(features, letters):
    members = pd.DataFrame({"member_id": features.frame.index.astype(str), "segment_id": letters, "distance": 0.0})
    empty = pd.DataFrame({c: pd.Series(dtype=str) for c in ("review_id", "customer_id", "title", "text", "place")})
    empty = empty.assign(reviewed_at=pd.Series(dtype="datetime64[us, UTC]"))
    marks = pd.DataFrame({"review_id": pd.Series(dtype=str), "p_negative": pd.Series(dtype=float)})
    return describe_segments(features, members, empty, marks)


def plain_features(frame):
    labels = dict(CATALOG["label"].reindex(frame.columns))
    topics = pd.DataFrame({"topic": [], "words": []})
    return Features("customer", frame, labels, topics, pd.Series(dtype=int), None)


BUYING = re.compile("buyer|spender|regular|loyal|lapsed|hunter|active", re.IGNORECASE)


def test_who_never_ordered_has_no_name_of_buying():
    half = np.repeat([0.0, 1.0], 40)
    frame = pd.DataFrame({"frequency": half, "has_orders": half, "monetary": 30 * half, "recency": 300 - 280 * half})
    frame.index = [f"c{i}" for i in range(80)]
    names = told_of(plain_features(frame), np.where(half, "B", "A")).set_index("segment_id")["name"]
    assert not BUYING.search(names["A"].replace("Not yet buying", "")) and "regulars" not in names["B"].lower(), names


def test_where_nobody_bought_nobody_is_a_silent_buyer():
    wrote = np.repeat([0.0, 1.0], 40)
    frame = pd.DataFrame({"n_reviews": 3 * wrote, "has_reviews": wrote}, index=[f"c{i}" for i in range(80)])
    names = told_of(plain_features(frame), np.where(wrote, "B", "A")).set_index("segment_id")["name"]
    assert names["A"] == "Silent customers" and not BUYING.search(" ".join(names)), names


def test_a_single_segment_is_everybody_and_says_that_there_are_no_groups():
    frame = pd.DataFrame({"frequency": np.arange(30.0)}, index=[f"c{i}" for i in range(30)])
    segment = told_of(plain_features(frame), "A").iloc[0]
    assert segment["name"] == "All customers"
    assert (
        segment["sentence"] == "30 customers: no groups: the customers are one cloud." and segment["stability"] is None
    )


def test_a_mood_made_from_sentiment_says_so(sample):
    shop, features, members, marks = sample
    sentences = describe_segments(features, members, shop.reviews, marks)["sentence"]
    moody = sentences[sentences.str.contains("unhappy")]
    assert len(moody) and moody.str.contains("sentiment is one of the features").all()
