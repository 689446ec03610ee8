"""A load is all or nothing, repeatable, traceable, and can be taken back."""

import numpy as np
import pandas as pd
import pytest
from shop import predictions, shop
from sqlalchemy import inspect, text

from smart_customer_analysis.schema import COUNT_COLUMNS, REJECT_COLUMNS, DatabaseError, InputError
from smart_customer_analysis.store import staging
from smart_customer_analysis.store.engine import make_engine, writing
from smart_customer_analysis.store.erase import erase_customer, find_person
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import LoadBuffer, list_loads, save_load, show_load, undo_load
from smart_customer_analysis.store.migrate import schema_changes
from smart_customer_analysis.store.query import overview, review_facts, reviews_page
from smart_customer_analysis.store.results import last_segment_run, save_model, save_predictions, save_segment_run
from smart_customer_analysis.store.tables import table_names

FILES = pd.DataFrame({"file": ["a.csv"], "sha256": ["ab" * 32], "bytes": [3_000_000_000], "encoding": ["utf-8"]})


def dump(engine):
    "Every row of every table, except the log of loads."
    tables = (
        "customers",
        "products",
        "reviews",
        "orders",
        "predictions",
        "segment_members",
        "segments",
        "rejects",
        "replaced_rows",
        "load_files",
        "load_counts",
    )
    with engine.connect() as c:
        return {t: sorted(map(str, c.execute(text(f"SELECT * FROM {t}")).all())) for t in tables}  # noqa: S608


def test_what_goes_in_comes_out(engine):
    reviews, customers, orders = shop()
    receipt = save_load(engine, "shop", reviews, customers, orders)
    assert receipt.inserted == {"customers": 300, "reviews": 800, "orders": 300}
    assert receipt.derived == {"customers": 0, "products": 4}
    facts = review_facts(engine)
    expected = reviews.sort_values("review_id").reset_index(drop=True)
    for name in ("review_id", "customer_id", "product_id", "rating", "label", "reviewed_at"):
        pd.testing.assert_series_equal(
            facts[name], expected[name], check_dtype=name in ("rating", "label", "reviewed_at")
        )
    with engine.connect() as c:
        stored = pd.DataFrame(
            c.execute(text("SELECT title, text FROM reviews ORDER BY review_id")).all(), columns=["title", "text"]
        )
        amounts = c.execute(text("SELECT amount FROM orders ORDER BY order_id")).scalars().all()
    assert stored["text"].tolist() == expected["text"].tolist()
    assert stored["title"].tolist() == expected["title"].tolist()
    assert amounts == orders["amount"].tolist(), "numbers must keep every digit"
    where = facts.drop_duplicates("customer_id").set_index("customer_id")["lon"].dropna()
    assert np.array_equal(
        where.to_numpy(), customers.set_index("customer_id").loc[where.index, "lon"].to_numpy("float64")
    )


def test_twice_changes_nothing(engine):
    frames = shop()
    first = save_load(engine, "shop", *frames, files=FILES)
    before = dump(engine)
    again = save_load(engine, "shop", *frames, files=FILES)
    assert (again.repeated, again.load_id) == (True, first.load_id)
    assert (again.inserted["reviews"], again.unchanged["reviews"]) == (0, 800)
    assert dump(engine) == before
    assert len(list_loads(engine)) == 1


def test_a_load_without_rows_is_a_load(engine):
    reviews, _, _ = shop()
    receipt = save_load(engine, "shop", reviews[:0])
    assert (receipt.load_id, sum(receipt.inserted.values()), len(list_loads(engine))) == (1, 0, 1)
    assert save_load(engine, "shop", reviews[:0]).repeated


def test_a_moved_line_is_no_change(engine):
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews, customers, orders, files=FILES)
    moved = save_load(
        engine, "shop", reviews.assign(line=reviews.line + 5), customers, orders, files=FILES.assign(sha256="cd" * 32)
    )
    assert sum(moved.updated.values()) == 0


def test_overlapping_files(engine):
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews[:500], customers[:200], orders[:100])
    second = save_load(engine, "shop", reviews[300:], customers[100:], orders[50:])
    assert (second.inserted["reviews"], second.unchanged["reviews"], second.inserted["orders"]) == (300, 200, 200)
    details = second.inserted["customers"] + second.updated["customers"]
    assert (details, second.unchanged["customers"]) == (100, 100), (
        "customers only mentioned before get their details now"
    )
    assert len(review_facts(engine)) == 800


def test_changed_row_is_updated_and_the_older_load_stays_traceable(engine):
    reviews, customers, orders = shop()
    first = save_load(engine, "shop", reviews, customers, orders)
    changed = reviews.copy()
    changed.loc[[3, 4], "text"] = "other words"
    second = save_load(engine, "shop", changed, customers, orders)
    assert (second.updated["reviews"], second.unchanged["reviews"]) == (2, 798)
    assert show_load(engine, first.load_id)["stands"]["reviews"] == 798
    assert show_load(engine, first.load_id)["replaced_since"] == 2
    with engine.connect() as c:
        rows = c.execute(
            text("SELECT review_id, load_id, first_load_id FROM reviews WHERE load_id = 2 ORDER BY 1")
        ).all()
    assert rows == [("r000003", 2, 1), ("r000004", 2, 1)]


def test_undo_gives_the_database_back_exactly(engine):
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews[:600], customers, orders[:200])
    save_model(engine, "v1", "sentiment", "m", {})
    save_predictions(engine, "v1", predictions(reviews.review_id[:300]))
    before = dump(engine)
    rng = np.random.default_rng(0)
    changed = reviews.copy()
    changed.loc[310:330, "text"] = "changed"
    changed.loc[100:120, "rating"] = 3.0
    moved = customers.copy()
    moved.loc[5:30, ["lon", "lat"]] = rng.uniform(-40, 40, (26, 2))
    second = save_load(engine, "shop", changed, moved, orders)
    assert second.updated["reviews"] >= 21 and second.updated["customers"] == 26
    with pytest.raises(DatabaseError, match=f"undo load {second.load_id} first"):
        undo_load(engine, 1)
    undo_load(engine, second.load_id)
    assert dump(engine) == before
    undo_load(engine, 1)
    assert all(not rows for rows in dump(engine).values())


def test_a_prediction_goes_when_the_text_changes(engine):
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews, customers, orders)
    save_model(engine, "v1", "sentiment", "m", {})
    assert save_predictions(engine, "v1", predictions(reviews.review_id))["inserted"] == 800
    assert save_predictions(engine, "v1", predictions(reviews.review_id)) == {
        "inserted": 0,
        "updated": 0,
        "unchanged": 800,
    }
    changed = reviews.copy()
    changed.loc[7, "text"] = "other words"
    changed.loc[8, "rating"] = 1.0 if reviews.rating[8] != 1 else 2.0
    save_load(engine, "shop", changed, customers, orders)
    assert list(review_facts(engine).query("p_negative.isna()").review_id) == ["r000007"]


def test_two_sources_do_not_meet(engine):
    reviews, customers, orders = shop()
    save_load(engine, "one", reviews, customers, orders)
    save_load(engine, "two", reviews[:10], customers, orders)
    assert (len(review_facts(engine, Filters(source="one"))), len(review_facts(engine))) == (800, 10)
    assert overview(engine)["source"] == "two"
    undo_load(engine, 2)
    assert len(review_facts(engine)) == 800


def test_rejects_and_counts(engine):
    reviews, customers, orders = shop()
    rejects = pd.DataFrame(
        [
            ["a.csv", 3, "rating", "9", 'x,"y"'],
            ["a.csv", None, "header", None, None],
            ["a.csv", 5, "rating", "8", "nul\0"],
        ],
        columns=REJECT_COLUMNS,
    )
    counts = pd.DataFrame(
        [
            ["a.csv", "review", 810, 800, 3, 7],
            ["b.csv", "customer", 300, 300, 0, 0],
            ["places.csv", "lookup", 50, 50, 0, 0],  # looked up in, no rows of the shop
        ],
        columns=COUNT_COLUMNS,
    )
    receipt = save_load(engine, "shop", reviews, customers, orders, rejects, counts, FILES)
    summary = overview(engine)
    assert summary["rows"] == summary["rows_all"] == {"read": 1110, "loaded": 1100, "rejected": 3, "duplicate": 7}
    assert summary["rejects"] == [{"rule": "rating", "rows": 2}, {"rule": "header", "rows": 1}]
    shown = show_load(engine, receipt.load_id)
    assert shown["files"] == [{"file": "a.csv", "sha256": "ab" * 32, "bytes": 3_000_000_000, "encoding": "utf-8"}]
    assert shown["rejects"] == {"header": 1, "rating": 2}
    with pytest.raises(DatabaseError):
        save_load(engine, "shop", reviews[:1], counts=counts.assign(read=1))


def test_a_refused_row_refuses_the_load(engine):
    reviews, customers, orders = shop()
    before = dump(engine)
    with pytest.raises(DatabaseError):
        save_load(engine, "shop", reviews, customers.assign(lon=500.0, lat=10.0), orders)
    with pytest.raises(InputError, match="'r000000' twice"):
        save_load(engine, "shop", pd.concat([reviews, reviews[:1]]), customers, orders)
    with pytest.raises(InputError, match="NUL"):
        save_load(engine, "shop", reviews.assign(text="a\0b"), customers, orders)
    assert dump(engine) == before and len(list_loads(engine)) == 0


def test_large_load_keeps_constraints(engine):
    "The fast way of a first load must leave every foreign key and index in place, and must refuse what they refuse."
    reviews, customers, orders = shop(6_000, 9_000)
    before = keys_and_indexes(engine)
    save_load(engine, "shop", reviews, customers, orders)
    assert keys_and_indexes(engine) == before and schema_changes(engine) == []
    save_model(engine, "v1", "sentiment", "m", {})
    save_predictions(engine, "v1", predictions(reviews.review_id))
    more, others, _ = shop(8_000, 20_000, seed=2)
    save_load(engine, "shop", more.assign(review_id="s" + more.review_id), others)
    assert keys_and_indexes(engine) == before and schema_changes(engine) == []
    for statement in (
        "UPDATE reviews SET customer_id = 'nobody' WHERE review_id = 'r000000'",
        "UPDATE reviews SET review_id = 'r000001' WHERE review_id = 'r000000'",
        "UPDATE predictions SET review_id = 'none' WHERE review_id = 'r000000'",
    ):
        with pytest.raises(DatabaseError), writing(engine) as c:
            c.execute(text(statement))


def keys_and_indexes(engine) -> dict:
    "Primary keys, foreign keys and indexes by table."
    inspector = inspect(engine)
    readers = (inspector.get_pk_constraint, inspector.get_foreign_keys, inspector.get_indexes)
    return {
        t: [sorted(map(in_words, [x] if isinstance(x, dict) else x)) for x in (read(t) for read in readers)]
        for t in table_names()
    }


def in_words(found: dict) -> str:
    "A key or index as text, with the condition of a partial index."
    return str(found | {"dialect_options": {k: str(v) for k, v in found.get("dialect_options", {}).items()}})


def test_segments_are_kept(engine):
    reviews, customers, orders = shop()
    save_load(engine, "shop", reviews, customers, orders)
    segments = pd.DataFrame(
        {
            "segment_id": ["A", "B"],
            "name": ["x", "y"],
            "sentence": "s",
            "size": [1, 2],
            "share": [0.5, 0.5],
            "profile": [{"a": np.nan}, {}],
            "words": [["w"], []],
            "quotes": [[], []],
            "stability": [0.9, np.nan],
        }
    )
    members = pd.DataFrame(
        {
            "member_id": customers.customer_id,
            "segment_id": np.where(np.arange(300) % 2, "A", "B"),
            "distance": 0.5,
            "margin": np.nan,
        }
    )
    for _ in range(2):
        run_id = save_segment_run(
            engine,
            "customer",
            None,
            {"k": 2},
            pd.DataFrame({"k": [2]}),
            segments,
            members,
            pd.DataFrame({"kind": ["birth"]}),
            pd.DataFrame({"from": ["A"], "to": ["B"], "n": [3]}),
        )
    last = last_segment_run(engine, "customer")
    assert (last["run_id"], last["used_ids"], len(last["members"])) == (run_id, {"A", "B"}, 300)
    facts = review_facts(engine)
    assert len(facts) == 800
    assert facts.segment_id.notna().sum() == reviews.customer_id.notna().sum()


def test_a_person_is_erased(engine):
    reviews, customers, orders = shop()
    token = "zq-planted-7"
    reviews.loc[[1, 2], ["customer_id", "text"]] = [token, "my secret-planted words"]
    customers.loc[0, "customer_id"] = token
    orders.loc[0, "customer_id"] = token
    rejects = pd.DataFrame(
        [["a.csv", 9, "rating", token, f"{token},9"], ["a.csv", 10, "rating", "", f"{token}x,9"]],
        columns=REJECT_COLUMNS,
    )
    counts = pd.DataFrame([["a.csv", "review", 802, 800, 2, 0]], columns=COUNT_COLUMNS)
    save_load(engine, "shop", reviews[5:], customers, orders)
    save_load(engine, "shop", reviews.assign(title="new"), customers, orders, rejects, counts)
    quotes = [[{"review_id": "r000001", "text": "my secret-planted words"}, {"review_id": "r000009", "text": "stays"}]]
    segments = pd.DataFrame(
        {
            "segment_id": ["A"],
            "name": ["x"],
            "sentence": "s",
            "size": [1],
            "share": [1.0],
            "profile": [{}],
            "words": [[]],
            "quotes": quotes,
            "stability": [1.0],
        }
    )
    save_segment_run(
        engine, "customer", None, {}, pd.DataFrame(), segments, pd.DataFrame({"member_id": [token], "segment_id": "A"})
    )
    erased = erase_customer(engine, find_person(engine, "shop", token))
    assert (
        erased["customers"],
        erased["reviews"],
        erased["rejects"],
        erased["segments"],
        erased["segment_members"],
    ) == (1, 2, 1, 1, 1)
    left = str(dump(engine))
    assert "planted words" not in left and f"{token}'" not in left and "stays" in left
    assert reviews_page(engine, Filters(q="planted words"))["total"] == 0


def test_read_only_and_missing_databases_are_refused(tmp_path):
    for url in ("sqlite:////proc/nothing/here.db", f"sqlite:///{tmp_path}", "oracle://x"):
        with pytest.raises(DatabaseError):
            make_engine(url)


def test_rows_that_wait_in_a_file_are_the_rows_that_wait_in_memory(engine, monkeypatch):
    reviews, customers, orders = shop()
    hashes, kept = [], []
    for source, room in (("memory", staging._IN_MEMORY), ("file", 40_000)):
        monkeypatch.setattr(staging, "_IN_MEMORY", room)
        load = LoadBuffer()
        load.add(reviews[:700], customers, orders)
        load.add(reviews[700:])  # few enough to stay in memory
        waiting = load.staged["reviews"]
        assert (waiting.spilled is not None, len(waiting.held)) == ((True, 1) if source == "file" else (False, 2))
        load.save(engine, source)
        with engine.connect() as c:
            hashes.append(c.execute(text("SELECT content_hash FROM loads WHERE source = :s"), {"s": source}).scalar())
            rows = text("SELECT review_id, text, title, rating, reviewed_at FROM reviews WHERE source = :s ORDER BY 1")
            kept.append(c.execute(rows, {"s": source}).all())
    assert hashes[0] == hashes[1] and kept[0] == kept[1] and len(kept[0]) == len(reviews)
