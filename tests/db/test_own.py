"The columns a shop keeps of its own: stored, found again, changed, taken back and erased like the others."

import pandas as pd
import pytest
from shop import shop
from sqlalchemy import text

from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import BadQuery, Customer, Order, Review, conform
from smart_customer_analysis.service import Service
from smart_customer_analysis.steps.export import export_only
from smart_customer_analysis.steps.load import load_only
from smart_customer_analysis.store.erase import erase_customer, find_person
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import save_load, undo_load
from smart_customer_analysis.store.query import review_facts, reviews_page, stored_frames

SOURCE = """
name = "kiosk"
decimal = ","
[files.rows]
path = "reviews.csv"
[review]
file = "rows"
keep = { state = "text", "weight kg" = "number", sent = "date" }
"""


def with_own(state: str = "sent"):
    "The small shop, with own columns in all three tables."
    reviews, customers, orders = shop(n_customers=40, n_reviews=120)
    own = [f'{{"n": {i % 3}, "state": "{state}"}}' if i % 2 else None for i in range(len(reviews))]
    homes, bills = '{"channel": "web \'1\'"}', '{"paid": 1.5}'
    frames = reviews.assign(extra=own), customers.assign(extra=homes), orders.assign(extra=bills)
    return tuple(conform(f, m) for f, m in zip(frames, (Review, Customer, Order), strict=True))


def test_own_columns_come_back_as_they_went_in_and_a_load_taken_back_takes_them_back(engine):
    first, second = with_own(), with_own("lost")
    save_load(engine, "shop", *first)
    before = stored_frames(engine)
    for name, frame in zip(before, first, strict=True):
        pd.testing.assert_series_equal(before[name]["extra"], frame["extra"])
    changed = save_load(engine, "shop", *second)
    assert changed.updated == {"customers": 0, "reviews": 60, "orders": 0}
    assert reviews_page(engine, Filters(extra="state:sent"))["total"] == 0
    undo_load(engine, changed.load_id)
    pd.testing.assert_frame_equal(stored_frames(engine)["reviews"], before["reviews"])


def test_a_filter_finds_texts_numbers_and_columns_of_the_customer(engine):
    frames = with_own()
    save_load(engine, "shop", *frames)
    n_known = int(frames[0]["customer_id"].notna().sum())
    for extra, n in (("state:sent", 60), ("n:1", 20), ("n:1.0", 0), ("channel:web '1'", n_known), ("state:' OR 1", 0)):
        filters = Filters(extra=extra)
        assert reviews_page(engine, filters)["total"] == n == len(review_facts(engine, filters))


def test_an_erased_customer_leaves_no_own_column(engine):
    reviews, customers, orders = with_own()
    own = '{"note": "zqplantx"}'
    customer = reviews["customer_id"].dropna().iloc[0]
    frames = [f.assign(extra=f["extra"].mask(f["customer_id"] == customer, own)) for f in (reviews, customers, orders)]
    save_load(engine, "shop", *frames)
    save_load(engine, "shop", reviews, customers, orders)  # the note stays in the replaced rows
    erase_customer(engine, find_person(engine, "shop", customer))
    with engine.connect() as c:
        for table in ("reviews", "customers", "orders", "replaced_rows"):
            assert "zqplantx" not in str(c.execute(text(f"SELECT * FROM {table}")).all()), table  # noqa: S608


def test_kept_columns_of_a_file_are_typed_exported_and_offered_where_enough_customers_share_them(
    database_url, tmp_path
):
    states = ["burnt"] * 3 + ["lost"] * 12 + ["sent"] * 25
    rows = [f'c{i},text {i} is fine,{i % 5 + 1},{s},"0,5",2026-05-01T10:00:00Z' for i, s in enumerate(states)]
    lines = ["customer_id,text,rating,state,weight kg,sent", *rows, "c99,one more text,5,sent,heavy,2026-05-01"]
    (tmp_path / "reviews.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "kiosk.toml").write_text(SOURCE, encoding="utf-8")
    settings = Settings(database_url=database_url, data_dir=tmp_path, models_dir=tmp_path, min_customers=10)
    loaded = load_only(settings, tmp_path / "kiosk.toml", (tmp_path / "reviews.csv",))
    assert any(r["rule"] == "weight kg: not a number, left out" and r["rows"] == 1 for r in loaded["rules"])
    export_only(settings, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "reviews.parquet")
    assert table["own.weight kg"].sum() == 20.0 and set(table["own.state"]) == {"sent", "lost", "burnt"}
    service = Service(settings)
    assert {c["name"]: c["values"] for c in service.filters()["extra"]} == {"state": ["sent"]}  # lost would tell burnt
    assert service.shares(Filters(extra="state:sent"))["items"][0]["n_reviews"] == 26
    refused = []
    for extra in ("state:burnt", "state:lost", "state:nothing", "colour:red", "review_id:r1"):
        with pytest.raises(BadQuery) as e:
            service.reviews(Filters(extra=extra))
        refused.append(str(e.value))
    assert len(set(refused)) == 1, "a small group must not be told from none"
    service.close()
