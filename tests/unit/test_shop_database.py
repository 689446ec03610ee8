"A shop's own database: the query runs as written, and what is missing is said in one line."

import sqlite3

import pytest

from smart_customer_analysis.data.sql import read_sql
from smart_customer_analysis.schema import InputError


@pytest.fixture
def url(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as c:
        c.execute("create table reviews (id, text, price real)")
        c.executemany("insert into reviews values (?, ?, ?)", [(1, "50% off at 12:30", 17850.0), (2, "fine", 4.5)])
    return f"sqlite:///{tmp_path / 'shop.db'}"


def rows(url, query):
    return [row for part in read_sql(url, query) for row in part.table.to_pylist()]


@pytest.mark.parametrize("text", ["from :import", ":a::b:", "100%", "%s %(x)s", "5 o''clock: yes"])
def test_colons_and_percent_signs_of_a_query_stay_as_written(url, text):
    assert rows(url, f"select '{text}' as text from reviews where id = 1") == [{"text": text.replace("''", "'")}]  # noqa: S608


@pytest.mark.parametrize("before", ["-- all of them\n", "/* one\ntwo */ ", "\n  -- a\n  -- b\n\n", "--\n/* x */"])
def test_a_select_behind_a_comment_is_a_select(url, before):
    assert len(rows(url, before + "select id from reviews")) == 2  # noqa: S608


@pytest.mark.parametrize("query", ["-- select\ndelete from reviews", "/* select */ drop table reviews", "-- select"])
def test_a_comment_does_not_make_a_select(url, query):
    with pytest.raises(InputError, match="expected a SELECT"):
        rows(url, query)


def test_a_whole_number_is_spelled_in_one_way_whatever_its_type(url):
    assert rows(url, "select id, price from reviews") == [{"id": "1", "price": "17850"}, {"id": "2", "price": "4.5"}]


@pytest.mark.parametrize("form", ["sqlite:///{}", "sqlite+pysqlite:///{}", "sqlite:///file:{}?uri=true"])
def test_a_missing_sqlite_file_is_refused_and_not_made(tmp_path, form):
    file = tmp_path / "not there.db"
    with pytest.raises(InputError, match="nothing at .*not there.db"):
        rows(form.format(file), "select 1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("mysql://shop/db", "pip install mysqlclient"),
        ("mysql+pymysql://shop/db", "pip install pymysql"),
        ("mssql+pyodbc://shop/db", "pip install pyodbc"),
        ("oracle+oracledb://shop/db", "pip install oracledb"),
        ("snowflake://u:secret@shop/db", "pip install snowflake-sqlalchemy"),
    ],
)
def test_a_missing_driver_is_named_with_the_package_to_install(url, package):
    with pytest.raises(InputError) as e:
        rows(url, "select 1")
    assert package in str(e.value) and "secret" not in str(e.value) and "password" not in str(e.value)


def test_an_unknown_kind_of_database_is_named():
    with pytest.raises(InputError, match="found shopbase://; next: correct the beginning of the URL"):
        rows("shopbase://host/db", "select 1")
