"""The shipped sources read the files that people download; the samples are made up, their headers are the real ones."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from smart_customer_analysis import pipeline
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.look import look
from smart_customer_analysis.data.paths import list_files
from smart_customer_analysis.data.source import Source, load_source
from smart_customer_analysis.service import Service
from smart_customer_analysis.steps.load import load_only
from smart_customer_analysis.steps.source import source_for
from smart_customer_analysis.store.filters import Filters

SAMPLES = Path(__file__).parents[1] / "shipped"
SOURCES = sorted(p.name for p in SAMPLES.iterdir())


def moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize("source", SOURCES)
def test_a_sample_of_each_shape_goes_into_the_database(source, tmp_path):
    settings = load_settings(database_url=f"sqlite:///{tmp_path / 'shop.db'}")
    result = load_only(settings, source, (SAMPLES / source,))
    assert result["source"] == source
    rows = result["rows"]
    assert rows["loaded"] >= 2
    assert set(result["rejects"]) <= {"cancelled", "repeated_order_id", "repeated_customer_id"}, result["rejects"]


def test_an_order_of_shopify_has_its_total_once_and_cancelled_ones_are_left_out():
    shop = load("shopify", SAMPLES / "shopify")
    orders = shop.orders.set_index("order_id")
    assert orders["amount"].to_dict() == {"#1001": 30.0, "#1002": 1200.0, "#1004": 9.0}
    assert orders.loc["#1001", "ordered_at"] == moment("2026-03-01 15:00")
    assert set(orders["currency"]) == {"USD"}
    assert orders.loc["#1001", "customer_id"] == "ann@example.com"
    people = shop.customers.set_index("customer_id")
    assert people.loc["bob@example.com", "place"] == "Paris"


def test_reviews_of_judge_me_belong_to_the_customers_of_shopify():
    shop = load("shopify", SAMPLES / "shopify")
    reviews = shop.reviews.set_index("customer_id")
    assert reviews["rating"].to_dict() == {"ann@example.com": 5, "bob@example.com": 1, "cem@example.com": 4}
    assert reviews.loc["bob@example.com", "text"] == 'The lid broke, "after one week".'
    assert reviews.loc["ann@example.com", "reviewed_at"] == moment("2026-03-15 10:12")
    assert set(reviews.index) <= set(shop.customers["customer_id"])


def test_an_order_of_woocommerce_with_two_items_is_one_order():
    shop = load("woocommerce", SAMPLES / "woocommerce")
    assert shop.orders.set_index("order_id")["amount"].to_dict() == {"501": 108.0, "503": 20.5}
    assert shop.reviews.set_index("review_id")["rating"].to_dict() == {"31": 5, "32": 1}
    assert shop.customers.set_index("customer_id").loc["eva@example.com", "place"] == "Wien"


def test_a_review_of_trustpilot_without_text_keeps_its_stars():
    reviews = load("trustpilot", SAMPLES / "trustpilot").reviews.set_index("review_id")
    assert reviews["rating"].to_dict() == {"6a01": 5, "6a02": 1, "6a03": 4}
    assert reviews.loc["6a02", "text"] == "Commande payée, jamais reçue."
    assert reviews.loc["6a01", "reviewed_at"] == moment("2026-05-01 08:15:30")


def test_a_report_of_google_play_is_read_as_utf_16():
    shop = load("google-play", SAMPLES / "google-play")
    assert sorted(shop.reviews["rating"]) == [2, 4, 5]
    assert "업데이트 후 자꾸 꺼져요." in set(shop.reviews["text"])
    assert shop.reviews["reviewed_at"].min() == moment("2026-05-04 10:00")


def test_reviews_of_the_app_store_api_are_read_with_their_zone():
    reviews = load("app-store", SAMPLES / "app-store").reviews.set_index("review_id")
    assert reviews.loc["00000001-aa", "reviewed_at"] == moment("2026-05-04 10:10")
    assert reviews["rating"].to_dict() == {"00000001-aa": 5, "00000002-bb": 1}


def test_the_nine_files_of_the_public_olist_archive_are_read_by_folder_and_by_name():
    folder = SAMPLES / "olist"
    for paths in (folder, sorted(folder.iterdir())):
        shop = load("olist", paths)
        assert shop.orders.set_index("order_id")["amount"].to_dict() == {"o1": 128.45, "o2": 25.0}
        assert shop.reviews["customer_id"].to_list() == ["p1", "p2"]
        assert shop.customers.set_index("customer_id").loc["p1", "lat"] == pytest.approx(-23.5489)


def test_the_public_folders_of_the_multi_domain_set_are_read_as_they_are():
    reviews = load("amazon-multidomain", SAMPLES / "amazon-multidomain").reviews.set_index("review_id")
    stars = {"k1:lovely:ann_lee": 5, "k2:good:bo": 4, "k1:dull:cy": 1, "e1:broke:ann_lee": 2}
    assert reviews["rating"].to_dict() == stars
    assert reviews.loc["k1:lovely:ann_lee", "text"] == "A quiet book & a good one.\n\nI read it twice."
    assert reviews.loc["k1:lovely:ann_lee", "place"] == "Boston, MA"
    assert reviews.loc["k1:dull:cy", "reviewed_at"] == moment("2006-11-09")


def test_a_tagged_review_without_its_end_is_a_reject(tmp_path):
    whole = (SAMPLES / "amazon-multidomain" / "books" / "positive.review").read_text()
    (tmp_path / "positive.review").write_text(whole + "<review>\n<title>\nCut off\n")
    shop = load("amazon-multidomain", tmp_path)
    assert shop.rows == {"read": 3, "loaded": 2, "rejected": 1, "duplicate": 0}
    assert shop.rejects["rule"].to_list() == ["broken_record"]


def test_the_public_olist_archive_may_stay_zipped(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for path in sorted((SAMPLES / "olist").iterdir()):
            archive.write(path, path.name)
    assert load("olist", tmp_path / "archive.zip").orders["amount"].to_list() == [128.45, 25.0]


SHORT = {
    "olist_customers_dataset.csv": "customers.csv",
    "olist_geolocation_dataset.csv": "geolocation.csv",
    "olist_order_items_dataset.csv": "order_items.csv",
    "olist_order_payments_dataset.csv": "order_payments.csv",
    "olist_order_reviews_dataset.csv": "order_reviews.csv",
    "olist_orders_dataset.csv": "orders.csv",
    "olist_products_dataset.csv": "products.csv",
}


def test_the_short_names_of_olist_give_the_same_shop(tmp_path):
    for public, short in SHORT.items():
        shutil.copy(SAMPLES / "olist" / public, tmp_path / short)
    one, other = load("olist", SAMPLES / "olist"), load("olist", tmp_path)
    for name in ("reviews", "customers", "orders"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_objects_of_the_app_store_may_hold_more_than_is_read(tmp_path):
    lines = (SAMPLES / "app-store" / "reviews.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"response": None} for line in lines]
    path = tmp_path / "reviews.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert len(load("app-store", path).reviews) == 2


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "amazon-multidomain"])
def test_files_of_a_known_shape_need_neither_a_source_nor_a_draft(source, tmp_path):
    for path in (SAMPLES / source).iterdir():
        shutil.copy(path, tmp_path / f"my {path.name}")
    lines: list[str] = []
    chosen = source_for(None, [tmp_path], say=lines.append)
    assert source in lines[0]
    assert isinstance(chosen, Source)
    shop, same = load(chosen, tmp_path), load(source, SAMPLES / source)
    assert shop.rows == same.rows


COPIES = 11  # more people than the least that is shown, fewer labelled reviews than train a model
TAGGED = re.compile(r"(<(?:unique_id|reviewer)>\n)")


def write_copies(source: str, folder: Path) -> Path:
    "Write the sample of a shape with every row several times, each time of other people and other orders."
    entities = load_source(source).entities.values()
    mapped = [(name, column) for e in entities for name, column in e.columns.items()]
    keys = [[column] if isinstance(column, str) else column for name, column in mapped if name.endswith("_id")]
    ids = {column for columns in keys for column in columns}
    ids |= {column for e in entities for j in e.joins for column in (j.on, j.to or j.on)}
    for file in list_files([SAMPLES / source]):
        to = folder.joinpath(*file.parts)
        to.parent.mkdir(parents=True, exist_ok=True)
        seen = look(file)
        if seen.spec.format == "tagged":
            text = file.path.read_text(encoding="utf-8")
            to.write_text("".join(TAGGED.sub(rf"\g<1>{i}x", text) for i in range(COPIES)), encoding="utf-8")
            continue
        frames = [seen.frame.apply(lambda c, i=i: f"{i}x" + c if c.name in ids else c) for i in range(COPIES)]
        rows = pd.concat(frames)
        if seen.spec.format == "jsonl":
            rows.to_json(to, orient="records", lines=True)
        else:
            rows.to_csv(
                to, sep=seen.spec.delimiter or ",", index=False, encoding="utf-16" if "google" in source else None
            )
    return folder


@pytest.mark.parametrize("source", SOURCES)
def test_files_of_each_shape_end_in_a_figure_and_a_report_without_an_edit(source, tmp_path):
    settings = load_settings(tmp_path)
    sample = load(source, SAMPLES / source)
    summary = pipeline.run(settings, source, (write_copies(source, tmp_path / "files"),))
    assert summary["rows"]["loaded"] == COPIES * sample.rows["loaded"]
    stars = sample.reviews["label"].dropna()
    (figure,) = Service(settings).shares(Filters(source=source))["items"]
    assert figure["n_reviews"] == COPIES * len(stars)
    assert figure["value"] == pytest.approx(1 - stars.mean(), abs=1e-4)
    page = Path(summary["report"]).read_text(encoding="utf-8")
    assert source in page
