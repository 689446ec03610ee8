"""Labels outlive a load, leave with the person, and are told in an export."""

import pytest
from shop import shop

from smart_customer_analysis.schema import InputError
from smart_customer_analysis.store.backup import count_rows
from smart_customer_analysis.store.engine import make_engine, reading
from smart_customer_analysis.store.erase import erase_customer, find_person
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.labels import count_labels, list_labels, save_labels, text_labels
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.query import review_facts, reviews_page


def label(review_id: str, name: str) -> dict:
    return {"review_id": review_id, "label": name, "queue": "", "size": 0.5, "threshold": 0.2}


@pytest.fixture(scope="module")
def engine(make_database):
    engine = make_engine(make_database())
    migrate(engine)
    reviews, customers, orders = shop(60, 120)
    reviews.loc[reviews.index[:40], ["rating", "label"]] = None
    save_load(engine, "shop", reviews, customers, orders)
    yield engine
    engine.dispose()


def test_a_label_counts_where_there_are_no_stars_and_outlives_a_load(engine) -> None:
    names = ("negative", "neutral", "positive", "cannot tell")
    save_labels(engine, "shop", [label(f"r{i:06}", n) for i, n in enumerate(names)], "Ana")
    save_labels(engine, "shop", [label("r000060", "negative")], "Ana")  # has stars: they count
    reviews, customers, orders = shop(60, 120)
    reviews.loc[reviews.index[:40], ["rating", "label"]] = None
    reviews["title"] = "changed"
    save_load(engine, "shop", reviews, customers, orders)
    facts = review_facts(engine).set_index("review_id")
    assert facts.loc[[f"r{i:06}" for i in range(4)], "labelled"].tolist() == list(names)
    items = {r["review_id"]: r for r in reviews_page(engine, limit=500)["items"]}
    marks = [items[f"r{i:06}"]["mark"] for i in range(4)]
    assert marks == ["negative", "neutral", "positive", None]
    assert (items["r000060"]["mark"] == "negative") == (items["r000060"]["label"] == 0)
    for kind in ("negative", "neutral", "positive"):
        page = reviews_page(engine, Filters(sentiment=kind), limit=500)
        assert page["total"] == page["counts"][kind] == len(page["items"])
        assert {r["mark"] for r in page["items"]} == {kind}


def test_an_erased_person_leaves_no_label(engine) -> None:
    facts = review_facts(engine)
    mine = facts[facts["customer_id"].notna()].iloc[0]
    save_labels(engine, "shop", [label(mine["review_id"], "neutral")], "Ana")
    save_labels(engine, "shop", [label(mine["review_id"], "positive")], "Rui")
    person = find_person(engine, "shop", mine["customer_id"])
    assert person is not None and erase_customer(engine, person)["labels"] >= 2
    assert mine["review_id"] not in {r["review_id"] for r in list_labels(engine, "shop", None)}
    with reading(engine) as c:
        assert count_rows(c)["labels"] == len(list_labels(engine, "shop", None)) > 0


def test_two_people_at_once_leave_one_label_in_force(engine) -> None:
    for by in ("Ana", "Rui"):
        save_labels(engine, "shop", [label("r000030", "negative" if by == "Ana" else "positive")], by)
    assert text_labels(engine, "shop")["r000030"] == "positive" and count_labels(engine, "shop")["positive"] >= 1
    with pytest.raises(InputError, match="nobody"):
        save_labels(engine, "shop", [label("r000031", "negative"), label("nobody", "negative")], "Ana")
    assert "r000031" not in text_labels(engine, "shop")
