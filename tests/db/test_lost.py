"""A database file that is lost, put back or replaced while a server runs; questions that take too long."""

import shutil

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import DatabaseError
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.engine import make_engine, patient, reading, writing
from smart_customer_analysis.store.migrate import downgrade, migrate, open_database, revision


@pytest.fixture
def shop(tmp_path):
    "Service that is ready, its database file, and a good copy of it."
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path / "models")
    open_database(settings).dispose()
    file = tmp_path / "processed" / "customers.db"
    copy = shutil.copy(file, tmp_path / "copy.db")
    service = Service(settings)
    assert service.ready()["ready"]
    yield service, file, copy
    service.close()


def remove(file):
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


def test_a_lost_file_is_not_ready_and_no_empty_database_takes_its_place(shop):
    service, file, copy = shop
    remove(file)
    state = service.ready()
    assert not state["ready"] and "sca db restore" in state["database"] and str(file) not in state["database"]
    assert not file.exists()
    shutil.copy(copy, file)
    assert service.ready()["ready"]  # without a restart


def test_a_file_that_is_replaced_is_read_at_once(shop, tmp_path):
    service, file, copy = shop
    before = service.data.version.current()
    engine = make_engine(f"sqlite:///{copy}")
    with writing(engine) as c:
        c.execute(text("INSERT INTO loads VALUES (7, 'other', 'x', '2026-07-01', 0, 0, 0, 0, '{}')"))
    engine.dispose()
    remove(file)
    shutil.move(copy, file)
    with reading(service.connection.engine()) as c:
        assert c.execute(text("SELECT load_id FROM loads")).scalar() == 7
    service.data.version._read = (float("-inf"), ())
    assert service.data.version.current() != before


def test_a_copy_with_an_older_schema_is_not_ready_and_stays_as_it_is(shop):
    service, file, copy = shop
    engine = make_engine(f"sqlite:///{copy}")
    downgrade(engine, "0002")
    engine.dispose()
    remove(file)
    shutil.move(copy, file)
    assert "sca db upgrade" in service.ready()["database"]
    assert revision(make_engine(f"sqlite:///{file}")) == "0002"


def test_a_path_with_marks_of_a_url_names_the_same_file(tmp_path):
    file = tmp_path / "50% a?b#c é.db"
    migrate(make_engine(URL.create("sqlite", database=str(file))))
    assert file.stat().st_size > 0 and [p.name for p in tmp_path.iterdir() if p.suffix == ".db"] == [file.name]


@pytest.mark.db
def test_a_server_gives_up_a_statement_and_a_lock_and_a_load_does_not(pg_url):
    serving, loading = make_engine(pg_url, query_seconds=0.1), make_engine(pg_url)
    sleep = text("SELECT pg_sleep(0.3)")
    with pytest.raises(DatabaseError, match="query_seconds"), reading(serving) as c:
        c.execute(sleep)
    for unlimited in (loading, patient(serving)):
        with reading(unlimited) as c:
            c.execute(sleep)
    with writing(loading) as c:
        c.execute(text("CREATE TABLE taken (n int)"))
    with writing(loading) as held:
        held.execute(text("LOCK TABLE taken IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(DatabaseError, match="without a long wait"), reading(patient(serving)) as c:
            c.execute(text("SELECT n FROM taken"))
