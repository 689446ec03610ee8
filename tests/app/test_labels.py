"""What people say of the texts: offered in order, in every share at once, and taken back."""

from collections.abc import Generator

import numpy as np
import pytest
from made_up import Served, predictions_of
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.results import save_model, save_predictions

REGION = {"region": "Lisboa"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    "A small shop with stars on every other review."
    home = tmp_path_factory.mktemp("labels")
    settings = Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    shop = make_shop(n_customers=200, n_reviews=500)
    bare, customers = np.arange(len(shop.reviews)) % 2 == 0, shop.customers.copy()
    customers.loc[customers.index[:3], "region"] = "Lonelyshire"
    reviews = shop.reviews.assign(rating=shop.reviews["rating"].mask(bare), label=shop.reviews["label"].mask(bare))
    engine = open_database(settings)
    save_load(engine, "sample", reviews, customers, shop.orders)
    counts = {"tn": 460, "fp": 40, "fn": 40, "tp": 460}
    save_model(engine, "m1", "sentiment", "m1", {"validation_confusion": counts})
    save_predictions(engine, "m1", predictions_of(shop.reviews).assign(held_out=True))
    engine.dispose()
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)


def share(served: Served) -> dict:
    return served.client.get("/v1/shares").json()["items"][0]


def offered(served: Served, n: int = 10, **filters: str) -> dict:
    return served.client.get("/v1/labels/next", params={"n": n, **filters}).json()


def test_a_label_is_in_the_shares_at_once_and_out_again(served: Served) -> None:
    before, queue = share(served), offered(served)
    ids = [item["review_id"] for item in queue["items"]]
    body = {"by": "Ana", "labels": [{"review_id": i, "label": "negative"} for i in ids]}
    saved = served.client.post("/v1/labels", json=body)
    assert (saved.status_code, saved.json()) == (200, {"added": 10, "replaced": 0, "unchanged": 0})
    after, next_ids = share(served), {item["review_id"] for item in offered(served)["items"]}
    assert (after["n_by_hand"], after["n_predicted"]) == (10, before["n_predicted"] - 10)
    assert after["value"] != before["value"] and not next_ids & set(ids)
    again = {**body, "by": "Rui"}
    assert served.client.post("/v1/labels", json=again).json() == {"added": 0, "replaced": 0, "unchanged": 10}
    page = served.client.get("/v1/reviews", params={"sentiment": "negative", "limit": 200}).json()
    assert {i["mark"] for i in page["items"]} == {"negative"} and page["figure"]["value"] == after["value"]
    assert "people's labels of 10" in page["sentence"]
    for i in ids:
        undone = served.client.request("DELETE", "/v1/labels", params={"review_id": i, "by": "Ana"})
        assert undone.json() == {"undone": 1}
    assert share(served) == before and [i["review_id"] for i in offered(served)["items"]] == ids
    records = served.client.get("/v1/labels", params={"limit": 10}).json()["items"]
    assert {(r["labelled_by"], r["undone_by"], r["queue"]) for r in records} == {("Ana", "Ana", "")}


def test_a_queue_shows_no_reading_of_the_model_and_nothing_of_few_people(served: Served) -> None:
    queue = offered(served, 100)
    assert not {"p_negative", "predicted", "mark"} & set(queue["items"][0])
    assert len({item["region"] for item in queue["items"]}) > 2 and "Lonelyshire" not in str(queue)
    few = offered(served, region="Lonelyshire")
    assert (few["items"], few["waiting"], few["figure"]["value"]) == ([], 0, None)
    assert {item["region"] for item in offered(served, **REGION)["items"]} == {"Lisboa"}


def test_a_wrong_label_is_refused_and_nothing_is_saved(served: Served) -> None:
    first = offered(served, 1)["items"][0]["review_id"]
    right = {"review_id": first, "label": "positive"}
    bodies = {
        "unknown review": {"by": "Ana", "labels": [right, {"review_id": "nobody", "label": "positive"}]},
        "unknown label": {"by": "Ana", "labels": [right, {"review_id": first, "label": "great"}]},
        "no name": {"by": " ", "labels": [right]},
        "no label": {"by": "Ana", "labels": []},
        "group that moves": {"by": "Ana", "labels": [right], "queue": {"segment": "A"}},
    }
    for name, body in bodies.items():
        answer = served.client.post("/v1/labels", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), name
    assert offered(served, 1)["items"][0]["review_id"] == first
