"""Sources that lack what others have: no customers, no dates, no places, no model, nothing at all."""

import pandas as pd
import pytest
from made_up import Served, predictions_of
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import Customer, Order, Review, conform
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.results import save_model, save_predictions, save_segment_run
from smart_customer_analysis.view.maps import PLACELESS

ADDRESSES = [
    "/v1/overview",
    *(f"/v1/shares?by={by}" for by in ("overall", "segment", "region", "product", "month", "week")),
    "/v1/changes",
    "/v1/segments",
    "/v1/customers",
    "/v1/map/cells",
    "/v1/map/cells?resolution=8&size=small",
    "/v1/reviews",
    "/v1/reviews?q=fine&sort=longest",
    "/v1/reports",
    "/v1/filters",
]
NOBODY = conform(pd.DataFrame(columns=["customer_id"]), Customer)


def reviews(n: int, **more) -> pd.DataFrame:
    "As the fastText files give them: a label and a text."
    columns = {
        "review_id": [f"r{i}" for i in range(n)],
        "title": "",
        "text": ["fine", "broken"] * (n // 2),
        "label": [1, 0] * (n // 2),
    }
    return conform(pd.DataFrame({**columns, "source": "fasttext", "line": range(1, n + 1), **more}), Review)


@pytest.fixture
def app(engine, database_url, tmp_path):
    settings = Settings(
        database_url=database_url, data_dir=tmp_path, models_dir=tmp_path / "m", reports_dir=tmp_path / "r"
    )
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)


def test_no_customers_no_dates_no_places(app, engine):
    rows = reviews(200)
    save_load(
        engine,
        "fasttext",
        rows,
        NOBODY,
        conform(pd.DataFrame(columns=["order_id", "customer_id", "ordered_at", "amount", "currency"]), Order),
    )
    answers = {a: app.get(a) for a in ADDRESSES}
    head = answers["/v1/overview"]
    assert (head["headline"]["n_reviews"], head["headline"]["n_customers"], head["headline"]["value"]) == (
        200,
        200,
        0.5,
    )
    assert (head["change"]["mark"], head["over_time"], head["data_to"]) == ("first", [], None)
    assert answers["/v1/map/cells"]["sentence"] == PLACELESS and answers["/v1/map/cells"]["extent"] is None
    assert answers["/v1/reviews"]["counts"] == {
        "negative": 100, "positive": 100, "unsure": 0, "neutral": 0, "unread": 0
    }  # fmt: skip
    assert {i["mark"] for i in answers["/v1/reviews"]["items"]} == {"negative", "positive"}
    assert answers["/v1/reviews"]["sentence"].startswith("100 of 200 are negative, by the stars of 200 reviews (50%).")
    assert answers["/v1/changes"]["sentence"] == "No earlier period to compare."


def test_segments_of_reviews(app, engine):
    rows = reviews(200)
    save_load(engine, "fasttext", rows, NOBODY)
    save_model(
        engine, "made-up", "sentiment", "made-up", {"validation_confusion": {"tn": 90, "fp": 10, "fn": 10, "tp": 90}}
    )
    save_predictions(engine, "made-up", predictions_of(rows.assign(rating=rows["label"] * 4 + 1)))
    groups = pd.DataFrame(
        {
            "segment_id": ["A", "B"],
            "name": ["Tea", "Cups"],
            "sentence": "",
            "size": 100,
            "share": 0.5,
            "profile": [[], []],
            "words": [[], []],
            "quotes": [[], []],
            "stability": None,
        }
    )
    members = pd.DataFrame(
        {"member_id": rows["review_id"], "segment_id": ["A", "B"] * 100, "distance": 0.1, "margin": 0.1}
    )
    save_segment_run(engine, "review", "made-up", {}, pd.DataFrame(), groups, members)
    for address in ADDRESSES:
        app.get(address)
    segments = app.get("/v1/segments")
    assert (segments["unit"], segments["chosen_k"], segments["moved_share"], segments["migration"]) == (
        "review",
        2,
        None,
        [],
    )
    assert [i["share_negative"]["n_reviews"] for i in segments["items"]] == [100, 100]
    assert app.get("/v1/segments/A")["over_time"] == []
    assert app.get("/v1/reviews", segment="A", sentiment="negative")["total"] <= 100


def test_seven_people_are_too_few_for_anything(app, engine):
    people = conform(
        pd.DataFrame({"customer_id": [f"c{i}" for i in range(7)], "lon": 8.5, "lat": 47.4, "region": "Zürich"}),
        Customer,
    )
    when = pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(range(14), unit="D")
    save_load(engine, "fasttext", reviews(14, customer_id=[f"c{i % 7}" for i in range(14)], reviewed_at=when), people)
    answers = {a: app.get(a) for a in ADDRESSES}
    assert answers["/v1/overview"]["headline"]["reliability"] == "hidden"
    assert answers["/v1/reviews"]["items"] == [] and answers["/v1/filters"]["regions"] == []
    assert {f["properties"]["state"] for f in answers["/v1/map/cells"]["features"]} == {"hidden"}
    assert "Zürich" not in "".join(str(answers[a]) for a in ADDRESSES if "by=region" not in a)


def test_two_sources_do_not_mix(app, engine):
    save_load(engine, "one", reviews(100).assign(source="one"), NOBODY)
    save_load(engine, "two", reviews(60).assign(source="two"), NOBODY)
    assert app.get("/v1/overview")["shop"] == "two"
    assert app.get("/v1/overview", source="one")["headline"]["n_reviews"] == 100
    assert app.get("/v1/filters")["sources"] == ["one", "two"]


def test_an_empty_database_says_what_to_run(app):
    assert app.client.get("/ready").json()["ready"] is True
    for address in ADDRESSES:
        answer = app.client.get(address)
        assert answer.status_code == (200 if address == "/v1/reports" else 503), address
        assert answer.status_code == 200 or "sca run" in answer.json()["detail"]


def test_a_new_load_is_seen(app, engine, monkeypatch):
    monkeypatch.setattr("smart_customer_analysis.serving.VERSION_SECONDS", -1.0)
    save_load(engine, "one", reviews(100).assign(source="one"), NOBODY)
    assert app.get("/v1/shares")["items"][0]["n_reviews"] == 100
    save_load(engine, "one", reviews(120).assign(source="one"), NOBODY)
    assert app.get("/v1/shares")["items"][0]["n_reviews"] == 120
