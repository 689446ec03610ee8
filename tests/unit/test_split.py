"The split: every labelled review once, no person and no near text on both sides, the same for the same seed."

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.split import leakage, split_reviews


def reviews_of(n: int, people: int, seed: int = 0, repeat: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice([f"w{i}" for i in range(300)], 12)) for _ in range(n)]
    for i in np.flatnonzero(rng.random(n) < repeat):
        texts[i] = texts[rng.integers(0, n)] + " indeed"
    who = (
        pd.Series([f"c{i}" for i in rng.integers(0, max(people, 1), n)])
        if people
        else pd.Series([None] * n, dtype="str")
    )
    return pd.DataFrame(
        {
            "review_id": [f"r{i}" for i in range(n)],
            "customer_id": who,
            "title": "",
            "text": texts,
            "label": pd.array(rng.random(n) > 0.3, dtype="Int8"),
        }
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 200), st.sampled_from([0, 5, 100, 1000]), st.integers(0, 9))
def test_nothing_is_on_both_sides(n, people, seed):
    reviews = reviews_of(n, people, seed)
    split = split_reviews(reviews, seed=seed)
    assert split.index.equals(reviews.index) and split.notna().all()
    assert leakage(reviews, split)["rows"].sum() == 0
    assert split.equals(split_reviews(reviews, seed=seed))


def test_shares_and_labels_are_kept():
    reviews = reviews_of(5000, 3000)
    split = split_reviews(reviews)
    shares = split.value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.02) and shares["valid"] == pytest.approx(0.08, abs=0.02)
    positive = reviews["label"].astype(float).groupby(split).mean()
    assert positive.max() - positive.min() < 0.03


def test_unlabelled_and_empty_reviews_have_no_part():
    reviews = reviews_of(50, 50)
    reviews.loc[:9, "label"] = pd.NA
    reviews.loc[10:19, "text"] = ""
    assert split_reviews(reviews).isna().tolist() == [True] * 20 + [False] * 30


def test_one_person_with_most_reviews_is_learnt_from():
    reviews = reviews_of(400, 400)
    reviews.loc[:250, "customer_id"] = "Anonymous"
    assert set(split_reviews(reviews)[:251]) == {"train"}


def test_a_given_test_file_is_the_test_and_its_near_texts_are_left_out():
    reviews = reviews_of(600, 0, repeat=0.3)
    ids = frozenset(reviews["review_id"][:150])
    split = split_reviews(reviews, test_ids=ids)
    assert set(reviews["review_id"][split == "test"]) == ids
    report = leakage(reviews, split).set_index("check")["rows"]
    assert report["near text"].sum() == 0 and report["left out, near a test row"] == split.isna().sum() > 0


@pytest.mark.real
def test_amazon_polarity_keeps_its_855(real_data):
    shop = load(
        "fasttext",
        train=real_data / "amazon_polarity" / "train.ft.txt",
        test=real_data / "amazon_polarity" / "test.ft.txt",
    )
    split = split_reviews(shop.reviews, shop.test_ids)
    assert (
        split.value_counts().to_dict()["test"] == 855
        and leakage(shop.reviews, split).query("check != 'left out, near a test row'")["rows"].sum() == 0
    )


@pytest.mark.real
def test_multidomain_reviewers_are_on_one_side(real_data):
    shop = load("amazon-multidomain", real_data / "amazon_multidomain" / "reviews.csv.gz")
    assert leakage(shop.reviews, split_reviews(shop.reviews))["rows"].sum() == 0
