"""Backup, upgrade, rollback and restore, rehearsed on both databases with rows in every step."""

import json
import threading

import pytest
from shop import shop
from sqlalchemy import text

from smart_customer_analysis.schema import DatabaseError
from smart_customer_analysis.store import backup as module
from smart_customer_analysis.store.backup import backup, count_rows, restore
from smart_customer_analysis.store.engine import make_engine, reading, writing
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import check_schema, downgrade, migrate, newest_revision, revision

TEXTS = text("SELECT review_id, text, title, rating FROM reviews ORDER BY review_id")
PLACES = text("SELECT customer_id, ST_AsText(geom) FROM customers ORDER BY customer_id")


def held(engine):
    "What a person would miss: texts and places."
    with reading(engine) as c:
        return c.execute(TEXTS).all(), c.execute(PLACES).all()


def test_backup_upgrade_rollback_and_restore_lose_nothing(engine, make_database, tmp_path):
    save_load(engine, "shop", *shop(n_customers=20, n_reviews=50))
    before = held(engine)
    downgrade(engine, "0003")  # the shop of the version before
    old = backup(engine, tmp_path / "before.copy")
    assert old["revision"] == "0003" and old["rows"]["reviews"] == 50 and "closes" not in old["rows"]

    assert migrate(engine) == newest_revision() and held(engine) == before
    downgrade(engine, "0003")
    assert held(engine) == before

    url = make_database()
    back = restore(url, tmp_path / "before.copy")
    assert (back["rows"], back["revision"], back["compared"]) == (old["rows"], "0003", True)
    restored = make_engine(url)
    migrate(restored)
    assert check_schema(restored) == newest_revision() and held(restored) == before
    save_load(restored, "other", *shop(n_customers=20, n_reviews=50))  # its numbers and keys go on
    with pytest.raises(DatabaseError, match="where there is nothing"):
        restore(url, tmp_path / "before.copy")
    assert revision(restored) == newest_revision()


def test_a_copy_made_while_others_write_is_of_one_moment(engine, make_database, tmp_path):
    begun, stop = threading.Event(), threading.Event()

    def write():  # both tables or neither
        for n in range(1, 100_000):
            with writing(engine) as c:
                values = {"n": n}
                c.execute(text("INSERT INTO loads VALUES (:n, 'w', 'x', '2026-07-01', 0, 0, 0, 0, '{}')"), values)
                c.execute(text("INSERT INTO erasures VALUES (:n, '2026-07-01', '{}')"), values)
            begun.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(60)
        copies = [backup(engine, tmp_path / f"{i}.copy") for i in range(2)]
    finally:
        stop.set()
        writer.join()
    assert [c["rows"]["loads"] for c in copies] == [c["rows"]["erasures"] for c in copies]
    url = make_database()
    restore(url, tmp_path / "1.copy")
    with reading(make_engine(url)) as c:
        rows = count_rows(c)
    assert rows == copies[1]["rows"] and rows["loads"] == rows["erasures"] > 0


def test_a_copy_that_is_changed_cut_or_of_another_kind_is_refused(engine, make_database, tmp_path):
    file = tmp_path / "good.copy"
    backup(engine, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    url = make_database()
    with pytest.raises(DatabaseError, match="another hash"):
        restore(url, file)
    (tmp_path / "good.copy.json").unlink()
    with pytest.raises(DatabaseError):  # found by the database itself
        restore(url, file)
    other = "postgresql://u@127.0.0.1:1/x" if engine.dialect.name == "sqlite" else f"sqlite:///{tmp_path}/x.db"
    with pytest.raises(DatabaseError, match="a copy of"):
        restore(other, file)
    file.write_bytes(whole)
    assert restore(url, file)["compared"] is False  # the place stayed empty, so a good copy fits


def test_rows_that_differ_from_those_copied_are_reported(engine, make_database, tmp_path):
    file = tmp_path / "a.copy"
    copy = backup(engine, file)
    copy["rows"]["reviews"] += 1
    (tmp_path / "a.copy.json").write_text(json.dumps(copy))
    with pytest.raises(DatabaseError, match="others in reviews"):
        restore(make_database(), file)


@pytest.mark.db
def test_without_pg_dump_the_error_names_the_package(pg_url, tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    engine = make_engine(pg_url)
    migrate(engine)
    with pytest.raises(DatabaseError, match="pg_dump on this machine.*postgresql-client"):
        backup(engine, tmp_path / "a.copy")
    assert list(tmp_path.iterdir()) == []
