"The sample shop: the same seed gives the same bytes, and what the truth says is really there."

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smart_customer_analysis.data.sample import CHANGE_DAYS, SEGMENTS, make_shop, write_shop
from smart_customer_analysis.schema import Customer, InputError, Order, Review, conform

COMMITTED = Path(__file__).resolve().parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def shop():
    return make_shop()


@pytest.fixture(scope="module")
def folder(shop, tmp_path_factory):
    where = tmp_path_factory.mktemp("shop")
    write_shop(shop, where)
    return where


def planted(shop, file):
    return {d["rule"]: d["rows"] for d in shop.truth["dirty"] if d["file"] == file}


def read(folder, name):
    return pd.read_csv(folder / name, dtype=str, keep_default_na=False)


def test_same_seed_same_bytes(folder, tmp_path):
    write_shop(make_shop(), tmp_path)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_another_seed_is_another_shop(shop):
    other = make_shop(seed=7)
    assert set(other.reviews["text"]) != set(shop.reviews["text"])
    assert not other.customers["lon"].equals(shop.customers["lon"])


def test_committed_files_are_what_the_generator_writes(folder):
    names = {p.name for p in folder.iterdir()}
    assert names <= {p.name for p in COMMITTED.iterdir()}
    for name in sorted(names):
        assert (COMMITTED / name).read_bytes() == (folder / name).read_bytes(), (
            f'{name}: write_shop(make_shop(), Path("data/sample")) writes it anew'
        )
    assert sum((COMMITTED / n).stat().st_size for n in names) < 2_000_000


def test_frames_are_conformed(shop):
    for frame, model in ((shop.customers, Customer), (shop.orders, Order), (shop.reviews, Review)):
        pd.testing.assert_frame_equal(conform(frame, model), frame)


def test_relations_hold_in_the_frames(shop):
    known = set(shop.customers["customer_id"])
    assert set(shop.orders["customer_id"]) == known
    assert set(shop.reviews["customer_id"]) <= known
    first = shop.customers.set_index("customer_id")["first_seen"]
    assert (shop.orders["ordered_at"] >= shop.orders["customer_id"].map(first)).all()
    assert (
        shop.reviews["reviewed_at"]
        >= shop.reviews["customer_id"].map(shop.orders.groupby("customer_id")["ordered_at"].min())
    ).all()
    end = pd.Timestamp(shop.truth["last_day"], tz="UTC") + pd.Timedelta(days=1)
    assert max(shop.orders["ordered_at"].max(), shop.reviews["reviewed_at"].max()) < end


def test_wording_is_varied(shop):
    texts = shop.reviews["text"]
    assert texts.nunique() / len(texts) > 0.97
    assert texts.str.len().quantile(0.05) < 45 and texts.str.len().max() > 800
    assert texts.str.contains(r"\bnot\b", case=False).mean() > 0.1
    assert set(shop.reviews["rating"].astype(int)) == {1, 2, 3, 4, 5}


def test_dirty_false_is_clean(shop):
    clean = make_shop(dirty=False)
    assert clean.truth["dirty"] == []
    assert (
        clean.reviews.equals(shop.reviews)
        and clean.customers.equals(shop.customers)
        and clean.orders.equals(shop.orders)
    )
    for name, frame in (
        ("customers.csv", clean.customers),
        ("orders.csv", clean.orders),
        ("reviews.csv", clean.reviews),
    ):
        assert len(clean.files[name]) == len(frame)
    labelled = clean.reviews["label"].notna().sum()
    assert len(clean.files["train.ft.txt"]) + len(clean.files["test.ft.txt"]) == labelled


def test_counts_of_faults_in_reviews(shop, folder):
    rows, faults = read(folder, "reviews.csv"), planted(shop, "reviews.csv")
    assert len(rows) == 2000 + sum(
        faults[r]
        for r in (
            "exact_duplicate",
            "id_repeated",
            "text_missing",
            "rating_out_of_range",
            "date_unreadable",
            "id_missing",
            "customer_unknown",
        )
    )
    assert rows.duplicated().sum() == faults["exact_duplicate"]
    assert (rows["text"] == "").sum() == faults["text_missing"]
    assert rows["rating"].isin(["0", "6"]).sum() == faults["rating_out_of_range"]
    assert (
        pd.to_datetime(rows["reviewed_at"], errors="coerce", format="ISO8601").isna().sum() == faults["date_unreadable"]
    )
    assert (rows["review_id"] == "").sum() == faults["id_missing"]
    good = rows[rows["review_id"].str.startswith("R") & ~rows["review_id"].duplicated()]
    assert good["text"].str.contains("\n").sum() == faults["line_break_and_quotes"]
    assert good["text"].str.contains(r"&#39;|&quot;|<br />").sum() == faults["html_entities"]
    once = rows[rows["review_id"] != ""].drop_duplicates()
    assert once["review_id"].duplicated().sum() == faults["id_repeated"]
    assert (~rows["customer_id"].isin(shop.customers["customer_id"])).sum() == faults["customer_unknown"]


def test_counts_of_faults_in_customers_and_orders(shop, folder):
    rows, faults = read(folder, "customers.csv"), planted(shop, "customers.csv")
    once = rows[~rows.duplicated()]
    lon, lat = pd.to_numeric(once["lon"]), pd.to_numeric(once["lat"])
    assert rows.duplicated().sum() == faults["exact_duplicate"]
    assert ((lon > 30) & (lon < 90)).sum() == faults["coordinates_swapped"]
    assert ((lon == 0) & (lat == 0)).sum() == faults["coordinates_zero"]
    assert lon.isna().sum() >= faults["coordinates_missing"]
    assert (lon > 180).sum() == faults["coordinates_out_of_range"]
    orders, faults = read(folder, "orders.csv"), planted(shop, "orders.csv")
    assert orders.duplicated().sum() == faults["exact_duplicate"]
    assert (orders["customer_id"] == "90001").sum() == faults["customer_unknown"]
    assert pd.to_numeric(orders["amount"], errors="coerce").isna().sum() == faults["amount_unreadable"]


def test_counts_of_faults_in_fasttext(shop, folder):
    train = (folder / "train.ft.txt").read_text(encoding="utf-8").split("\n")[:-1]
    test = (folder / "test.ft.txt").read_text(encoding="utf-8").split("\n")[:-1]
    faults = planted(shop, "train.ft.txt")
    labelled = shop.reviews.dropna(subset="label")
    n_test = labelled["review_id"].isin(shop.truth["test_reviews"]).sum()
    assert len(train) == len(labelled) - n_test + sum(faults.values())
    assert len(test) == n_test + planted(shop, "test.ft.txt")["label_unknown"]
    assert (
        sum(not line.startswith(("__label__1 ", "__label__2 ")) for line in train if line != "__label__1")
        == faults["label_unknown"]
    )
    assert not set(train) & set(test)


def test_no_customer_stands_in_training_and_test(shop):
    tested = shop.reviews["review_id"].isin(shop.truth["test_reviews"])
    assert 0.1 < tested.mean() < 0.3
    assert not set(shop.reviews["customer_id"][tested]) & set(shop.reviews["customer_id"][~tested])


def test_leading_zeros_make_two_customers(folder):
    ids = read(folder, "customers.csv")["customer_id"]
    assert {"1", "00001"} <= set(ids)


@pytest.mark.parametrize("seed", [42, 1, 2])
def test_the_hot_spot_is_there(seed):
    shop = make_shop(seed=seed, dirty=False)
    rated = shop.reviews.dropna(subset="label")
    negative, hot = rated["label"] == 0, rated["customer_id"].isin(shop.truth["hot_spot"]["customers"])
    assert len(shop.truth["hot_spot"]["customers"]) >= 60
    assert negative[hot].mean() - negative[~hot].mean() > 0.35
    by_place = negative.groupby(rated["place"]).mean()
    assert by_place.idxmax() == shop.truth["hot_spot"]["place"]
    here = shop.customers[shop.customers["customer_id"].isin(shop.truth["hot_spot"]["customers"])]
    assert (
        np.hypot(
            here["lon"].astype(float) - shop.truth["hot_spot"]["lon"],
            here["lat"].astype(float) - shop.truth["hot_spot"]["lat"],
        ).median()
        < 0.1
    )


@pytest.mark.parametrize("seed", [42, 1, 2])
def test_the_change_is_there_and_nowhere_else(seed):
    shop = make_shop(seed=seed, dirty=False)
    rated = shop.reviews.dropna(subset="label")
    end = pd.Timestamp(shop.truth["last_day"], tz="UTC") + pd.Timedelta(days=1)
    ago = (end - rated["reviewed_at"]).dt.total_seconds() / 86400
    region = rated["customer_id"].map(shop.customers.set_index("customer_id")["region"])
    after, before = ago < CHANGE_DAYS, (ago >= CHANGE_DAYS) & (ago < 2 * CHANGE_DAYS)
    negative, here = rated["label"] == 0, region == shop.truth["change"]["region"]

    def z(rows):
        a, b = negative[rows & after], negative[rows & before]
        p = negative[rows & (after | before)].mean()
        return (a.mean() - b.mean()) / np.sqrt(p * (1 - p) * (1 / len(a) + 1 / len(b)))

    assert (here & after).sum() >= 100 and (here & before).sum() >= 100
    assert z(here) > 4
    assert abs(z(~here)) < 2.6
    topics = [shop.truth["topics"][i] for i in rated["review_id"][here & after & negative]]
    assert topics.count(shop.truth["change"]["topic"]) / len(topics) > 0.5


def test_segments_differ_as_planted(shop):
    kind = shop.orders["customer_id"].map(shop.truth["segments"])
    assert set(kind) == set(SEGMENTS["segment"])
    median = shop.orders.groupby(kind)["amount"].median()
    assert median["big spenders"] > 5 * median["critics"] > 20 * median["bargain hunters"] / 2


@pytest.mark.parametrize(
    "size",
    [{"n_customers": 20, "n_reviews": 1, "weeks": 9, "noise": 0}, {"n_customers": 50, "n_reviews": 3000, "noise": 5}],
)
def test_the_smallest_and_the_noisiest_shop_have_the_size_asked_for_and_all_segments(size):
    shop = make_shop(**size)
    assert (len(shop.customers), len(shop.reviews)) == (size["n_customers"], size["n_reviews"])
    assert set(shop.truth["segments"]) == set(shop.customers["customer_id"]) == set(shop.orders["customer_id"])
    assert set(shop.truth["segments"].values()) == set(SEGMENTS["segment"])
    assert set(shop.truth["topics"]) == set(shop.reviews["review_id"])
    assert set(shop.reviews["customer_id"]) <= set(shop.customers["customer_id"])


@pytest.mark.parametrize("wrong", [{"n_customers": 3}, {"n_reviews": 0}, {"weeks": 2}, {"noise": -1}])
def test_refuses_sizes_that_cannot_be(wrong):
    with pytest.raises(InputError, match="at least 20 customers"):
        make_shop(**wrong)
