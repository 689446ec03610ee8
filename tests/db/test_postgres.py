"PostgreSQL: letters stay what they are, and every time of a shop's own database is a row or a reject."

import signal

import pytest
from shop import shop
from sqlalchemy import create_engine, make_url, text

from smart_customer_analysis.data.load import load
from smart_customer_analysis.schema import DatabaseError
from smart_customer_analysis.store import bulk
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import list_loads, save_load
from smart_customer_analysis.store.migrate import migrate

pytestmark = pytest.mark.db


@pytest.fixture
def server(pg_server):
    engine = create_engine(pg_server.replace("postgresql://", "postgresql+psycopg2://"), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def latin(server):
    "URL of a database in LATIN1."
    with server.connect() as c:
        c.execute(text("CREATE DATABASE sca_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"))
    yield server.url.set(database="sca_latin").render_as_string(hide_password=False)
    with server.connect() as c:
        c.execute(text("DROP DATABASE sca_latin WITH (FORCE)"))


@pytest.mark.parametrize("said", ["environment", "url", "role"])
def test_letters_are_stored_as_they_are_whatever_encoding_the_client_names(make_pg_database, monkeypatch, server, said):
    url = make_url(make_pg_database())
    if said == "environment":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    elif said == "url":
        url = url.update_query_dict({"client_encoding": "latin1"})
    else:
        with server.connect() as c:
            c.execute(text(f"ALTER DATABASE {url.database} SET client_encoding = 'LATIN1'"))
    engine = make_engine(url)
    migrate(engine)
    reviews, customers, _ = shop()
    save_load(engine, "shop", reviews, customers)
    with engine.connect() as c:
        stored = set(c.execute(text("SELECT text FROM reviews")).scalars())
    engine.dispose()
    assert stored == set(reviews["text"]) and any("北京 🙂" in t for t in stored)


def test_a_database_that_does_not_store_utf8_is_refused_in_one_line(latin):
    with pytest.raises(DatabaseError, match="expected a database in UTF-8; found one in LATIN1 .*ENCODING 'UTF8'"):
        make_engine(latin)


def test_a_shop_in_latin1_is_read(latin, tmp_path):
    engine = create_engine(latin)
    with engine.begin() as c:
        c.exec_driver_sql("create table reviews as select 1 as review_id, 'caf' || chr(233) as text")
    engine.dispose()
    assert load(source_of(tmp_path, "select * from reviews"), database=latin).reviews["text"].tolist() == ["café"]


def source_of(folder, query):
    path = folder / "shop.toml"
    path.write_text(f'[files.r]\nformat = "sql"\nquery = """{query}"""\n[review]\nfile = "r"\n')
    return path


def test_years_that_python_does_not_know_are_rejects(pg_url, tmp_path):
    query = (
        "select * from (values (1, 'good', timestamptz '2026-03-01'), (2, 'old', timestamptz '0044-03-15 BC'), "
        "(3, 'far', timestamptz '294276-01-01'), (4, 'good: yes', timestamptz '2026-03-02')) "
        "r(review_id, text, reviewed_at)"
    )
    shop = load(source_of(tmp_path, query), database=pg_url)
    assert shop.reviews["review_id"].tolist() == ["1", "4"]
    assert shop.rules["rule"].tolist() == ["bad_date"] and len(shop.rejects) == 2
    plain = query.replace("timestamptz", "timestamp")
    assert load(source_of(tmp_path, plain), database=pg_url).rows["loaded"] == 2
    dates = query.replace("timestamptz", "date").replace("294276", "5874897")
    assert load(source_of(tmp_path, dates), database=pg_url).rows["loaded"] == 2


def test_ctrl_c_in_a_load_is_no_error_of_the_database_and_writes_nothing(make_pg_database, monkeypatch):
    engine = make_engine(make_pg_database())
    migrate(engine)

    def interrupt():
        signal.raise_signal(signal.SIGINT)
        yield b""

    def start(self, rows):
        self.blocks, self.stopped = interrupt(), None

    monkeypatch.setattr(bulk._EncodedRows, "__init__", start)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            save_load(engine, "shop", *shop())
    finally:
        signal.signal(signal.SIGINT, handler)
    assert list_loads(engine).empty
    engine.dispose()
