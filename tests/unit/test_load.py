"""Bad input, one case per row.

Every line is a row or a reject with its rule and line, or the file is refused in one sentence."""

import bz2
import gzip
import json
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.data.delimited import read_csv
from smart_customer_analysis.data.fasttext import read_fasttext
from smart_customer_analysis.data.load import load, read_batches
from smart_customer_analysis.data.rules import RuleLog, _coordinates
from smart_customer_analysis.data.source import list_sources, load_source
from smart_customer_analysis.schema import InputError, check_row_counts

HEAD = "review_id,customer_id,rating,title,text,reviewed_at\n"
GOOD = "1,a,5,Good,It works.,2026-01-05\n"
OTHER = "2,b,1,Bad,It broke.,2026-01-06\n"


def csv_of(*rows: str) -> bytes:
    return (HEAD + "".join(rows)).encode()


# name, bytes, ids loaded, rejects (line, rule), or the words of the refusal
STRUCTURE = [
    ("first row long", csv_of("9,a,5,T,x,2026-01-05,extra\n", GOOD), ["1"], [(2, "too_many_fields")]),
    ("later row long", csv_of(GOOD, "9,a,5,T,x,2026-01-05,extra\n", OTHER), ["1", "2"], [(3, "too_many_fields")]),
    ("short row", csv_of(GOOD, "9,a,5\n", OTHER), ["1", "2"], [(3, "too_few_fields")]),
    ("unclosed quote", csv_of(GOOD, '9,a,5,"T,x,2026-01-05\n', OTHER), ["1", "2"], [(3, "unclosed_quote")]),
    (
        "unclosed quote, then quoted rows",
        csv_of('9,a,5,"T,x,2026-01-05\n', '1,a,5,Good,"It, works.",2026-01-05\n', OTHER),
        ["1", "2"],
        [(2, "unclosed_quote")],
    ),
    ("stray quote", csv_of(GOOD, '9,a,5,"T" x,y,2026-01-05\n', OTHER), ["1", "2"], [(3, "stray_quote")]),
    (
        "blank lines",
        csv_of("\n", GOOD, "\r\n", OTHER, "\n"),
        ["1", "2"],
        [(2, "blank_line"), (4, "blank_line"), (6, "blank_line")],
    ),
    ("CR only", csv_of(GOOD, OTHER).replace(b"\n", b"\r"), None, "only \\r"),
    ("mixed line ends", csv_of(GOOD.replace("\n", "\r\n"), OTHER), ["1", "2"], []),
    ("lone CR in a field", csv_of("9,a,5,T,x\ry,2026-01-05\n", GOOD), ["1"], [(2, "stray_carriage_return")]),
    ("wrong delimiter", csv_of(GOOD).replace(b",", b";"), None, "set delimiter = ';'"),
    ("duplicate header", b"text,text\na,b\n", None, "'text' twice"),
    ("missing column", b"review_id,comment\n1,ok\n", None, "column 'text'"),
    ("header only", HEAD.encode(), [], []),
    ("empty file", b"", None, "an empty file"),
    (
        "trailing delimiters",
        csv_of("1,a,5,Good,It works.,2026-01-05,\n", "2,b,5,Good,Yes.,2026-01-05,\n"),
        None,
        "too_many_fields",
    ),
    ("no line end at the end", csv_of(GOOD, OTHER)[:-1], ["1", "2"], []),
    ("one long line", b"x" * 5_000_000, None, "column 'text'"),
]
ENCODING = [
    ("UTF-8 BOM", "\ufeff".encode() + csv_of(GOOD), ["1"], []),
    ("UTF-16 with BOM", csv_of(GOOD, OTHER).decode().encode("utf-16"), ["1", "2"], []),
    (
        "Latin-1",
        csv_of("1,a,5,Très bon,déjà reçu et très bien emballé,2026-01-05\n").decode().encode("latin-1"),
        ["1"],
        [],
    ),
    ("CP949", csv_of("1,a,5,좋아요,배송이 빨라요 정말 좋아요,2026-01-05\n").decode().encode("cp949"), ["1"], []),
    (
        "mixed per line",
        csv_of(GOOD, "2,b,1,Schön,größer als gedacht,2026-01-06\n", "4,b,1,Schön,größer als gedacht,2026-01-06\n")
        + "9,a,5,Très,déjà,2026-01-05\n".encode("latin-1"),
        ["1", "2", "4"],
        [(5, "not_decodable")],
    ),
    ("NUL", csv_of(GOOD, "9,a,5,T,x\0y,2026-01-05\n", OTHER), ["1", "2"], [(3, "nul_byte")]),
    (
        "lone surrogate",
        csv_of(GOOD) + b"9,a,5,T,\xed\xa0\x80,2026-01-05\n" + OTHER.encode(),
        ["1", "2"],
        [(3, "not_decodable")],
    ),
    (
        "truncated UTF-8 tail",
        csv_of(GOOD, "2,b,5,Schön,größer,2026-01-06\n") + "9,a,5,T,ö".encode()[:-1],
        ["1", "2"],
        [(4, "not_decodable")],
    ),
    ("RTL, zero-width, emoji", csv_of("1,a,5,\u202egood,wo\u200bw 👩‍🔧,2026-01-05\n"), ["1"], []),
    ("NFC and NFD", csv_of("1,a,5,caf\u00e9,ok,2026-01-05\n", "2,a,5,cafe\u0301,ok,2026-01-05\n"), ["1", "2"], []),
]
VALUES = [
    ("NA, null, None as text", csv_of("1,a,5,NA,null,2026-01-05\n", "2,a,5,None,nan,2026-01-05\n"), ["1", "2"], []),
    ("leading zero id", csv_of("00123,a,5,T,x,2026-01-05\n", "123,a,5,T,x,2026-01-05\n"), ["00123", "123"], []),
    (
        "id beyond 2^53 and a blank",
        csv_of("9007199254740993,a,5,T,x,2026-01-05\n", ",a,5,T,x,2026-01-05\n"),
        ["9007199254740993"],
        [(3, "missing_id")],
    ),
    ("rating 0", csv_of(GOOD, "9,a,0,T,x,2026-01-05\n"), ["1"], [(3, "rating_out_of_range")]),
    ("rating 6", csv_of(GOOD, "9,a,6,T,x,2026-01-05\n"), ["1"], [(3, "rating_out_of_range")]),
    ("rating in words", csv_of(GOOD, "9,a,five stars,T,x,2026-01-05\n"), ["1"], [(3, "bad_rating")]),
    ("rating empty", csv_of("1,a,,T,x,2026-01-05\n"), ["1"], []),
    ("empty label", b"label,text\n,ok\n1,good\n", 2, []),
    (
        "unknown label",
        b"label,text\n" + b"".join(b"1,ok %d\n" % i for i in range(200)) + b"7,hm\n",
        200,
        [(202, "unknown_label")],
    ),
    ("white-space text", csv_of(GOOD, "9,a,5,,  \t ,2026-01-05\n"), ["1"], [(3, "empty_text")]),
    (
        "10 MB review",
        csv_of(GOOD, f"9,a,5,T,{'x' * 10_000_000},2026-01-05\n", OTHER),
        ["1", "2"],
        [(3, "text_too_long")],
    ),
    ("one-character review", csv_of("1,a,5,,x,2026-01-05\n"), ["1"], []),
    ("exact duplicate", csv_of(GOOD, GOOD), ["1"], [(3, "repeated_review_id")]),
    ("same id, other text", csv_of(GOOD, "1,a,5,Good,Another text.,2026-01-05\n"), ["1"], [(3, "id_conflict")]),
    ("impossible date", csv_of(GOOD, "9,a,5,T,x,2026-02-30\n"), ["1"], [(3, "bad_date")]),
    ("date of another order", csv_of(GOOD, "9,a,5,T,x,05/01/2026\n"), ["1"], [(3, "bad_date")]),
    ("future date", csv_of(GOOD, "9,a,5,T,x,2999-01-05\n"), ["1"], [(3, "date_in_the_future")]),
    ("date before photography", csv_of(GOOD, "9,a,5,T,x,0026-01-05\n"), ["1"], [(3, "date_too_old")]),
    ("decimal comma", csv_of(GOOD, '9,a,"4,5",T,x,2026-01-05\n'), ["1"], [(3, "bad_rating")]),
    (
        "inf, NaN, 1e400",
        csv_of(GOOD, "7,a,inf,T,x,2026-01-05\n", "8,a,NaN,T,x,2026-01-05\n", "9,a,1e400,T,x,2026-01-05\n"),
        ["1"],
        [(3, "bad_rating"), (4, "bad_rating"), (5, "bad_rating")],
    ),
    ("formula", csv_of("1,a,5,T,=cmd|' /C calc'!A0,2026-01-05\n"), ["1"], []),
]


def outcome(folder: Path, data: bytes, name: str = "reviews.csv", source: str = "csv") -> tuple:
    (folder / name).write_bytes(data)
    shop = load(source, folder / name)
    check_row_counts(shop.counts)
    assert shop.rows["read"] == len(shop.reviews) + len(shop.rejects)
    return shop, sorted(zip(shop.rejects["line"], shop.rejects["rule"], strict=True))


@pytest.mark.parametrize(
    ("name", "data", "ids", "expected"),
    STRUCTURE + ENCODING + VALUES,
    ids=lambda x: x if isinstance(x, str) and len(x) < 60 else "",
)
def test_a_bad_csv_row_is_a_reject_with_its_line(tmp_path, name, data, ids, expected):
    if ids is None:
        with pytest.raises(InputError) as e:
            outcome(tmp_path, data)
        assert expected in str(e.value) and len(str(e.value).splitlines()) == 1 and len(str(e.value)) < 700
        return
    shop, rejects = outcome(tmp_path, data)
    assert rejects == sorted(expected)
    assert (len(shop.reviews) if isinstance(ids, int) else shop.reviews["review_id"].tolist()) == ids


def test_texts_come_through_unchanged(tmp_path):
    shop, _ = outcome(
        tmp_path,
        csv_of(
            "1,a,5,NA,null,2026-01-05\n",
            "2,a,5,,=cmd|' /C calc'!A0,2026-01-05\n",
            '3,a,5," two ","He said ""no"",\r\nthen yes.",2026-01-05\n',
            "4,a,5,caf\u00e9,cafe\u0301,2026-01-05\n",
            "5,a,5,\u202egood,wo\u200bw 👩‍🔧,2026-01-05\n",
        ),
    )
    quoted = 'He said "no",\r\nthen yes.'
    assert shop.reviews["text"].tolist() == ["null", "=cmd|' /C calc'!A0", quoted, "cafe\u0301", "wo\u200bw 👩‍🔧"]
    assert shop.reviews["title"].tolist() == ["NA", "", " two ", "caf\u00e9", "\u202egood"]


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("utf-8", "größer"),
        ("utf-8-sig", "größer"),
        ("utf-16", "größer"),
        ("cp1252", "déjà reçu, très bien emballé"),
        ("cp949", "배송이 빨라요 좋아요 정말"),
    ],
)
def test_the_encoding_is_found_and_stated(tmp_path, codec, text):
    shop, _ = outcome(tmp_path, (HEAD + f'1,a,5,T,"{text}",2026-01-05\n').encode(codec))
    assert (shop.reviews["text"].item(), shop.files["encoding"].item()) == (text, codec)


def test_a_time_without_a_zone_is_in_the_sources_zone(tmp_path):
    (tmp_path / "s.toml").write_text('timezone = "Asia/Seoul"\n[files.r]\nformat = "csv"\n[review]\nfile = "r"\n')
    (tmp_path / "r.csv").write_bytes(csv_of("1,a,5,T,x,2026-01-05T09:00:00\n", "2,a,5,T,x,2026-01-05T09:00:00+00:00\n"))
    times = load(tmp_path / "s.toml", tmp_path / "r.csv").reviews["reviewed_at"]
    assert times.dt.hour.tolist() == [0, 9]


GEO = [  # name, lon, lat, what is said, the pair that stays
    ("lat over 90", "10", "95", "out of range", None),
    ("lon over 180", "190", "5", "out of range", None),
    ("swapped, out of range", "47", "-122", "out of range", None),
    ("swapped, in its country", "48.85", "102", "turned round", (102.0, 48.85)),
    ("inf", "inf", "5", "not in decimal degrees", None),
    ("NaN", "NaN", "NaN", "not in decimal degrees", None),
    ("comma decimals", "2,3", "48,8", None, (2.3, 48.8)),
    ("degrees, minutes, seconds", "2°20'E", "48°51'N", "not in decimal degrees", None),
    ("one half missing", "2.3", "", "half a pair", None),
    ("web mercator metres", "260508", "6250000", "metres", None),
    ("other metres", "452000", "5411000", "metres", None),
    ("placeholder", "-9999", "-9999", "placeholder", None),
    ("edge of the map", "180", "90", None, (180.0, 90.0)),
    ("zero", "0", "0", None, (0.0, 0.0)),  # a matter for cleaning
]


@pytest.mark.parametrize(("name", "lon", "lat", "said", "pair"), GEO, ids=[g[0] for g in GEO])
def test_a_customer_with_a_bad_coordinate_keeps_place_and_country(tmp_path, name, lon, lat, said, pair):
    (tmp_path / "reviews.csv").write_bytes(csv_of(GOOD))
    (tmp_path / "customers.csv").write_text(f'customer_id,lon,lat,place,country\ny,"{lon}","{lat}",Murun,Mongolia\n')
    shop = load("csv", tmp_path)
    row = shop.customers.set_index("customer_id").loc["y"]
    assert shop.rejects.empty and (row["place"], row["country"]) == ("Murun", "Mongolia")
    assert pd.isna(row["lon"]) and pd.isna(row["lat"]) if pair is None else (row["lon"], row["lat"]) == pair
    texts = pd.DataFrame({"lon": [lon or None], "lat": [lat or None]}, dtype="str")
    log = RuleLog(texts.index)
    _coordinates(texts, pd.Series(["Mongolia"]), log)
    assert [said in why for why, rows in log.remarks.items() if rows.any()] == ([True] if said else [])


FASTTEXT = [
    ("no label", b"just text\n", "no_label"),
    ("two labels", b"__label__1 __label__2 both\n", "two_labels"),
    ("label only", b"__label__1\n", "empty_text"),
    ("label and blanks", b"__label__1    \n", "empty_text"),
    ("wrong prefix", b"__lable__1 text\n", "no_label"),
    ("tab separator", b"__label__1\tIt broke.\n", None),
    ("very long line", b"__label__1 " + b"x" * 2_000_000 + b"\n", "text_too_long"),
    ("blank line", b"\n", "blank_line"),
    ("unknown label", b"__label__3 text\n", "unknown_label"),
    ("CRLF", b"__label__1 It broke.\r\n", None),
    ("label inside the text", b"__label__1 It broke. __label__2 It works.\n", "label_in_text"),
    ("not UTF-8", b"__label__1 caf\xe9\n", "not_utf8"),
    ("NUL", b"__label__1 a\0b\n", "nul_byte"),
    ("line separator inside", "__label__1 one\u2028two\x85three\n".encode(), None),
    ("title with a colon", b"__label__1 Re: Re: no\n", None),
]


@pytest.mark.parametrize(("name", "line", "rule"), FASTTEXT, ids=[f[0] for f in FASTTEXT])
@pytest.mark.parametrize("block", [1, 13, 1 << 22])
def test_a_bad_fasttext_line_is_a_reject_with_its_line(name, line, rule, block):
    block = max(block, len(line) // 100)
    data = b"__label__2 Good: one\n" + line + b"__label__2 Good: two\n"
    batches = list(read_fasttext(data[i : i + block] for i in range(0, len(data), block)))
    assert [r[:2] for b in batches for r in b.rejects] == ([(2, rule)] if rule else [])
    assert sum(b.read for b in batches) == 3
    lines = [int(x) for b in batches for x in b.line]
    assert lines == ([1, 3] if rule else [1, 2, 3])


def test_labels_may_begin_alike_or_be_none():
    (rows,) = read_fasttext(
        iter([b"__label__10 a: b\n__label__1 c_d __ e\n__label__1000 f\n"]), ("__label__1", "__label__10")
    )
    assert rows.table["label"].to_pylist() == ["__label__10", "__label__1"]
    assert [r[:2] for r in rows.rejects] == [(3, "unknown_label")]
    (rows,) = read_fasttext(iter([b"__label__1 a\n"]), ())
    assert [r[:2] for r in rows.rejects] == [(1, "unknown_label")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_fasttext_is_read_packed_or_not(tmp_path, pack):
    (tmp_path / "train.ft.txt").write_bytes(pack(b"__label__2 Great CD: I love it.\n__label__1 Bad: no\n"))
    shop = load("fasttext", tmp_path / "train.ft.txt")
    assert shop.reviews["label"].tolist() == [1, 0] and shop.reviews["title"].tolist() == ["Great CD", "Bad"]


def test_a_damaged_archive_is_refused(tmp_path):
    whole = gzip.compress(b"__label__2 Great CD: I love it.\n" * 100_000)
    (tmp_path / "a.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="archive"):
        load("fasttext", tmp_path / "a.gz")


def test_one_unknown_label_is_a_reject_and_many_are_another_file(tmp_path):
    good = b"".join(b"__label__2 Good %d: fine\n" % i for i in range(300))
    (tmp_path / "a.txt").write_bytes(good + b"__label__3 So: so\n")
    assert load("fasttext", tmp_path / "a.txt").rules["rule"].tolist() == ["unknown_label"]
    (tmp_path / "b.txt").write_bytes(good + b"__label__3 So: so\n" * 20)
    with pytest.raises(InputError, match="unknown_label in line 301"):
        load("fasttext", tmp_path / "b.txt")
    (tmp_path / "c.txt").write_bytes(good + b"__label__3 So: so\n" * 19)
    assert load("fasttext", tmp_path / "c.txt").rows == {"read": 319, "loaded": 300, "rejected": 19, "duplicate": 0}
    few = b"__label__2 Good: fine\n__label__1 Bad: no\n__label__2 Fine: good\n"
    (tmp_path / "d.txt").write_bytes(few + b"__label__3 So: so\n" * 2)
    assert load("fasttext", tmp_path / "d.txt").rows["rejected"] == 2, "a short file with two slips is loaded"
    (tmp_path / "e.txt").write_bytes(few + b"__label__3 So: so\n" * 3)
    with pytest.raises(InputError, match="3 of 6 rows refused"):
        load("fasttext", tmp_path / "e.txt")


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, b"PK\x03\x04" + bytes(99), b"%PDF-1.7\n", bytes(range(256)) * 20],
)
def test_a_binary_file_is_refused_in_one_line(tmp_path, data):
    (tmp_path / "reviews.csv").write_bytes(data)
    for source in ("csv", "fasttext", "jsonl"):
        with pytest.raises(InputError, match="expected a text file; found .*; next: ") as e:
            load(source, tmp_path / "reviews.csv")
        assert len(str(e.value).splitlines()) == 1


JSON = [
    ("not JSON", '{"text": ', "bad_json"),
    ("a list", "[1]", "not_an_object"),
    ("nested", '{"text": {"a": 1}}', "nested_value"),
    ("NaN", '{"text": NaN}', "empty_text"),
    ("infinite", '{"text": "a", "rating": Infinity}', "bad_number"),
    ("key twice", '{"text": "a", "text": "b"}', "repeated_key"),
    ("lone surrogate", '{"text": "\\ud800"}', "lone_surrogate"),
    ("NUL", '{"text": "a\\u0000b"}', "nul_byte"),
    ("deep nesting", "[" * 100_000, "bad_json"),
    ("blank", "", "blank_line"),
    ("no text", '{"rating": 5}', "empty_text"),
]


@pytest.mark.parametrize(("name", "line", "rule"), JSON, ids=[j[0] for j in JSON])
def test_a_bad_json_line_is_a_reject_with_its_line(tmp_path, name, line, rule):
    good = '{"review_id": %d, "text": "fine", "rating": 4.0}\n'
    (tmp_path / "reviews.jsonl").write_text(
        good % 9007199254740993 + line.replace('{"', '{"review_id": "x", "', 1) + "\n" + good % 2
    )
    shop = load("jsonl", tmp_path / "reviews.jsonl")
    assert list(zip(shop.rejects["line"], shop.rejects["rule"], strict=True)) == [(2, rule)]
    assert shop.reviews["review_id"].tolist() == ["9007199254740993", "2"]


def shop_database(path: Path) -> str:
    url = f"sqlite:///{path / 'shop.db'}"
    with sa.create_engine(url).begin() as c:
        c.exec_driver_sql("create table reviews (review_id text, text text, rating, colour text)")
        c.exec_driver_sql(
            "insert into reviews values ('1', 'fine', 5, 'red'), ('2', null, null, null), ('3', 'bad', 'one', null), "
            "('4', 'ok', 3.0, null)"
        )
        c.exec_driver_sql("create view good as select * from reviews where rating = 5")
        c.exec_driver_sql("create table empty as select * from reviews where 1 = 0")
    return url


def sql_source(path: Path, query: str) -> Path:
    (path / "s.toml").write_text(f'[files.reviews]\nformat = "sql"\nquery = "{query}"\n[review]\nfile = "reviews"\n')
    return path / "s.toml"


def test_sql_rows_of_mixed_types_and_nulls(tmp_path):
    shop = load("sql", database=shop_database(tmp_path))
    assert shop.reviews["review_id"].tolist() == ["1", "4"]
    assert sorted(zip(shop.rejects["line"], shop.rejects["rule"], strict=True)) == [
        (2, "empty_text"),
        (3, "bad_rating"),
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select * from nowhere", "no such table"), ("select review_id from reviews", "column 'text'"),
        ("select review_id from empty", "column 'text'"), ("delete from reviews", "a SELECT"),
        ("with x as (select 1) delete from reviews", "readonly"),
        ("select text, text from reviews", "every column name once"),
    ],
)  # fmt: skip
def test_a_bad_query_is_refused(tmp_path, query, words):
    url = shop_database(tmp_path)
    with pytest.raises(InputError, match=words):
        load(sql_source(tmp_path, query), database=url)
    with sa.create_engine(url).connect() as c:
        assert c.exec_driver_sql("select count(*) from reviews").scalar() == 4


def test_a_view_is_as_good_as_a_table_and_extra_columns_do_no_harm(tmp_path):
    assert load(sql_source(tmp_path, "select * from good"), database=shop_database(tmp_path)).rows["loaded"] == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://nobody:secret@127.0.0.1:1/none",
        "sqlite:////nowhere/at/all.db",
        "nonsense",
        "mysql+nodriver://x/y",
    ],
)
def test_an_unreachable_database_is_refused_without_its_password(url):
    known = "expected (a query the shop's database answers|an SQLite file|a kind of database)"
    with pytest.raises(InputError, match=known) as e:
        load("sql", database=url)
    assert "secret" not in str(e.value) and len(str(e.value).splitlines()) == 1


@pytest.mark.db
def test_a_connection_cut_while_rows_come_is_one_line_and_nothing_is_stored(tmp_path, make_pg_database):
    from smart_customer_analysis.config import load_settings
    from smart_customer_analysis.steps.load import load_only
    from smart_customer_analysis.store.loads import list_loads
    from smart_customer_analysis.store.migrate import open_database

    cut = "case when i = 120000 then pg_terminate_backend(pg_backend_pid())::text end"
    query = f"select i::text as review_id, 'text ' || i as text, {cut} as product_id from generate_series(1, 200000) i"  # noqa: S608
    source, url = sql_source(tmp_path, query), make_pg_database()
    batches = read_batches(source, database=url)
    assert next(batches).rows["loaded"] > 0, "rows came before the cut"
    with pytest.raises(InputError, match=r"expected rows to the end of the query; found .*, after 1\d0,000 rows") as e:
        list(batches)
    assert len(str(e.value).splitlines()) == 1
    source.write_text(source.read_text().replace("query =", f'url = "{url}"\nquery ='))
    settings = load_settings(tmp_path)
    with pytest.raises(InputError, match="rows to the end"):
        load_only(settings, str(source))
    engine = open_database(settings)
    assert list_loads(engine).empty
    with engine.connect() as c:
        assert c.execute(sa.text("select count(*) from reviews")).scalar() == 0


def test_a_column_may_change_its_type_on_the_way(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with sa.create_engine(url).begin() as c:
        c.exec_driver_sql("create table reviews (review_id, text text, rating)")
        rows = [(i, f"text {i}", 5 if i < 25_000 else 4.0 if i < 45_000 else "4") for i in range(50_000)]
        c.exec_driver_sql("insert into reviews values (?, ?, ?)", rows)
        c.exec_driver_sql("update reviews set rating = 'four', review_id = 'x' where review_id = 45123")
    shop = load(sql_source(tmp_path, "select * from reviews"), database=url)
    assert list(zip(shop.rejects["line"], shop.rejects["rule"], strict=True)) == [(45_124, "bad_rating")]
    assert shop.rows == {"read": 50_000, "loaded": 49_999, "rejected": 1, "duplicate": 0}
    assert shop.reviews["rating"].value_counts().to_dict() == {5.0: 25_000, 4.0: 24_999}


@pytest.mark.db
def test_a_user_who_may_only_read_is_enough(tmp_path, make_pg_database):
    url, role = make_pg_database(), f"sca_test_{uuid.uuid4().hex[:8]}"
    owner = sa.create_engine(url)
    try:
        with owner.begin() as c:
            c.execute(
                sa.text(f"create table reviews as select '1' as review_id, 'fine' as text; create role {role} login")
            )
            c.execute(sa.text(f"grant select on reviews to {role}"))
        reader = sa.make_url(url).set(username=role).render_as_string(hide_password=False)
        assert load("sql", database=reader).rows["loaded"] == 1
    finally:
        with owner.begin() as c:
            c.execute(sa.text(f"drop owned by {role}; drop role {role}"))
        owner.dispose()


@pytest.mark.db
@pytest.mark.parametrize(("encoding", "read"), [("LATIN1", True), ("SQL_ASCII", False)])
def test_a_server_that_is_not_utf8_is_read_or_refused(tmp_path, make_pg_database, encoding, read):
    url, name = make_pg_database(), f"sca_test_{uuid.uuid4().hex[:8]}"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    other = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as c:
        c.execute(sa.text(f"create database {name} encoding '{encoding}' locale 'C' template template0"))
    try:
        engine = sa.create_engine(other)
        with engine.begin() as c:
            byte = "chr(246)" if encoding == "LATIN1" else "e'\\xf6'"
            c.exec_driver_sql(f"create table reviews as select '1' as review_id, 'gr' || {byte} || 'sser' as text")
        engine.dispose()
        if read:
            assert load("sql", database=other).reviews["text"].tolist() == ["grösser"]
        else:
            with pytest.raises(InputError, match="expected .*; found .*(ascii|invalid byte sequence).*; next: ") as e:
                load("sql", database=other)
            assert len(str(e.value).splitlines()) == 1
    finally:
        with server.connect() as c:
            c.execute(sa.text(f"drop database {name} with (force)"))
        server.dispose()


ORDER = [
    ("sound", "1,a,2026-01-05,9.5", None),
    ("negative amount", "1,a,2026-01-05,-9.5", "negative_amount"),
    ("amount in words", "1,a,2026-01-05,free", "bad_amount"),
    ("no amount", "1,a,2026-01-05,", "bad_amount"),
    ("endless amount", "1,a,2026-01-05,1e400", "bad_amount"),
    ("decimal comma", '1,a,2026-01-05,"9,5"', "bad_amount"),
    ("no date", "1,a,,9.5", "missing_date"),
    ("impossible date", "1,a,2026-02-30,9.5", "bad_date"),
    ("no order", ",a,2026-01-05,9.5", "missing_id"),
    ("no customer", "1,,2026-01-05,9.5", "missing_id"),
    ("the same order", "0,z,2026-01-05,1", "repeated_order_id"),
    ("another order of the same number", "0,z,2026-01-05,2", "id_conflict"),
]


@pytest.mark.parametrize(("name", "row", "rule"), ORDER, ids=[o[0] for o in ORDER])
def test_a_bad_order_is_a_reject_with_its_line(tmp_path, name, row, rule):
    (tmp_path / "reviews.csv").write_bytes(csv_of(GOOD))
    (tmp_path / "orders.csv").write_text(f"order_id,customer_id,ordered_at,amount\n0,z,2026-01-05,1\n{row}\n")
    shop = load("csv", tmp_path)
    expected = [("orders.csv", 3, rule)] if rule else []
    assert list(shop.rejects[["file", "line", "rule"]].itertuples(index=False, name=None)) == expected
    assert len(shop.orders) == (1 if rule else 2)


def test_no_url_is_said_so(monkeypatch):
    monkeypatch.delenv("SHOP_DATABASE_URL", raising=False)
    with pytest.raises(InputError, match="SHOP_DATABASE_URL"):
        load("sql")


def test_parquet_values_become_text_and_then_types(tmp_path):
    frame = pd.DataFrame(
        {
            "review_id": [1, 2],
            "rating": [5.0, None],
            "text": ["fine", "a\0b"],
            "reviewed_at": pd.to_datetime(["2026-01-05 10:00", "2026-01-06 00:00"]),
        }
    )
    frame.to_parquet(tmp_path / "reviews.parquet")
    shop = load("parquet", tmp_path / "reviews.parquet")
    assert shop.rules["rule"].tolist() == ["nul_byte"] and shop.reviews["reviewed_at"].dt.hour.item() == 10
    (tmp_path / "reviews.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="a Parquet file"):
        load("parquet", tmp_path / "reviews.parquet")


@pytest.mark.parametrize("name", list_sources())
def test_a_shipped_source_is_sound_and_a_missing_path_is_refused(name, tmp_path):
    source = load_source(name)
    assert source.about
    if name != "sql":
        with pytest.raises(InputError, match="nothing at"):
            load(name, tmp_path / "none.csv")


def test_a_new_shop_needs_no_code(tmp_path):
    (tmp_path / "shop.toml").write_text(
        'currency = "KRW"\ncountry = "KR"\ndates = ["%d.%m.%Y %H:%M"]\ntimezone = "Asia/Seoul"\ndecimal = ","\n'
        '[files.r]\npath = "r.csv"\ndelimiter = ";"\n[files.o]\npath = "o.jsonl"\n[files.p]\npath = "p.csv"\n'
        '[review]\nfile = "r"\n[review.columns]\nreview_id = ["nr", "shop"]\ntext = "memo"\nrating = '
        '"note"\nreviewed_at = "am"\ncustomer_id = "kunde"\n'
        '[order]\nfile = "o"\njoins = [{ file = "p", on = "id", to = "order", take = { paid = "sum" } }]\n'
        '[order.columns]\norder_id = "id"\ncustomer_id = "who"\nordered_at = "at"\namount = "paid"\n'
    )
    (tmp_path / "r.csv").write_text(
        "nr;shop;memo;note;am;kunde\n1;x;Gut;4,5;05.01.2026 09:00;007\n1;y;Schlecht;1,0;06.01.2026 09:00;8\n"
    )
    (tmp_path / "o.jsonl").write_text(json.dumps({"id": 7, "who": "007", "at": "01.01.2026 10:00"}) + "\n")
    (tmp_path / "p.csv").write_text("order,paid\n7,10\n7,2\n8,oops\n")
    shop = load(tmp_path / "shop.toml", tmp_path)
    assert shop.reviews["review_id"].tolist() == ["1:x", "1:y"] and shop.reviews["rating"].tolist() == [4.5, 1.0]
    assert shop.reviews["reviewed_at"].dt.hour.tolist() == [0, 0]
    assert shop.orders[["amount", "currency"]].values.tolist() == [[12.0, "KRW"]]
    assert shop.rejects[["file", "line", "rule"]].values.tolist() == [["p.csv", 4, "bad_number"]]
    assert shop.customers["first_seen"].notna().all() and set(shop.customers["customer_id"]) == {"007", "8"}


def test_amounts_with_signs_and_brackets_and_months_of_six_languages_are_read(tmp_path):
    (tmp_path / "shop.toml").write_text(
        'dates = ["%d. %B %Y", "%d %b %Y", "%d de %B de %Y"]\n[files.o]\npath = "o*.csv"\n'
        '[order]\nfile = "o"\nrefunds = "subtract"\n'
    )
    rows = {
        "13. März 2026,€ 12.50": ("2026-03-13", 12.5, "EUR"), "1 févr. 2026,(12.50)": ("2026-02-01", -12.5, "XXX"),
        "5 de dezembro de 2025,12.50 USD": ("2025-12-05", 12.5, "USD"),
        "7 ago 2026,(€ 3.00)": ("2026-08-07", -3, "EUR"),
        "8 giugno 2026,3": ("2026-06-08", 3, "XXX"), "2. Murz 2026,3": None,
        "3. März 2026,(-3)": None, "3. März 2026,3 €$": None,
        "9. lipca 2026,£1": ("2026-07-09", 1, "GBP"), "1 ene. 2026,7": ("2026-01-01", 7, "XXX"),
    }  # fmt: skip
    lines = [f"{i},c{i},{row}" for i, row in enumerate(rows)]
    (tmp_path / "o.csv").write_text("\n".join(["order_id,customer_id,ordered_at,amount", *lines]), encoding="utf-8")
    orders = load(tmp_path / "shop.toml", tmp_path / "o.csv").orders
    days = orders["ordered_at"].dt.strftime("%Y-%m-%d")
    read = zip(days, orders["amount"], orders["currency"], strict=True)
    assert list(read) == [row for row in rows.values() if row]


def test_one_file_of_several_that_is_another_is_rejected_and_named_and_alone_it_is_refused(tmp_path):
    (tmp_path / "shop.toml").write_text('[files.r]\npath = "*.csv"\n[review]\nfile = "r"\n')
    (tmp_path / "a.csv").write_text("text,rating\nIt works well,5\n")
    (tmp_path / "b.csv").write_text("text,rating\nrow one,high\nrow two,low\n")
    shop = load(tmp_path / "shop.toml", tmp_path)
    assert shop.rows == {"read": 3, "loaded": 1, "rejected": 2, "duplicate": 0}
    assert shop.remarks == {"no row of b.csv could be loaded (bad_rating); is it another file?": 2}
    with pytest.raises(InputError, match="2 of 2 rows refused"):
        load(tmp_path / "shop.toml", tmp_path / "b.csv")


def test_batches_say_the_same_as_one_load(tmp_path):
    rows = [f"{i},{i % 7},{1 + i % 5},T,text number {i % 90},2026-01-05\n" for i in range(12)]
    rows[8:8] = ["3,x,1,T,other,2026-01-05\n", "bad\n", rows[4]]
    (tmp_path / "reviews.csv").write_bytes(csv_of(*rows))
    whole = load("csv", tmp_path / "reviews.csv")
    for size in (4, 1000):
        batches = list(read_batches("csv", tmp_path / "reviews.csv", batch_rows=size))
        assert pd.concat([b.reviews for b in batches])["review_id"].tolist() == whole.reviews["review_id"].tolist()
        assert sorted(pd.concat([b.rejects for b in batches])["line"]) == sorted(whole.rejects["line"])
        assert sum(b.rows["read"] for b in batches) == whole.rows["read"] == 15


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8), st.integers(1, 50))
def test_whatever_csv_writes_is_read_back(rows, block):
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    data = out.getvalue().encode()
    batches = list(read_csv(data[i : i + block] for i in range(0, len(data), block)))
    assert [tuple(t.values()) for b in batches for t in b.table.to_pylist()] == rows
    assert not [r for b in batches for r in b.rejects]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 60))
def test_no_bytes_are_lost_and_none_break_the_reader(data, block):
    data = b"a,b\n" + data
    batches = list(read_csv(data[i : i + block] for i in range(0, len(data), block)))
    lines = sorted([int(x) for b in batches for x in b.line] + [r[0] for b in batches for r in b.rejects])
    assert len(lines) == len(set(lines)) == sum(b.read for b in batches)
    assert not lines or lines[0] == 2
    one = list(read_csv(iter([data])))
    assert sorted([int(x) for b in one for x in b.line] + [r[0] for b in one for r in b.rejects]) == lines


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=30), TEXT.map(lambda t: b"__label__1 " + t.encode())), max_size=12),
    st.integers(1, 60),
)
def test_every_fasttext_line_is_a_row_or_a_reject(lines, block):
    data = b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines)
    batches = list(read_fasttext(data[i : i + block] for i in range(0, len(data), block)))
    seen = sorted([int(x) for b in batches for x in b.line] + [r[0] for b in batches for r in b.rejects])
    assert seen == list(range(1, len(lines) + 1))


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.floats(allow_nan=True), st.integers(-10, 10), TEXT))
def test_a_label_follows_from_one_to_five_stars_only(value):
    from smart_customer_analysis.data.rules import parse_numbers
    from smart_customer_analysis.schema import label_of_rating

    number, bad = parse_numbers(pd.Series([str(value)], dtype="str"), ".")
    if not bad.item() and number.notna().item() and 1 <= number.item() <= 5:
        label = label_of_rating(number).item()
        assert pd.isna(label) if 2 < number.item() < 4 else label == int(number.item() >= 4)
    if isinstance(value, float) and np.isfinite(value):
        assert number.item() == pytest.approx(value)


@pytest.mark.real
def test_amazon_polarity(real_data):
    shop = load(
        "fasttext",
        train=real_data / "amazon_polarity" / "train.ft.txt",
        test=real_data / "amazon_polarity" / "test.ft.txt",
    )
    assert shop.rows == {"read": 4255, "loaded": 4255, "rejected": 0, "duplicate": 0} and len(shop.test_ids) == 855
    raw = (real_data / "amazon_polarity" / "test.ft.txt").read_text(encoding="utf-8").split("\n")[:-1]
    tested = shop.reviews[shop.reviews["review_id"].isin(shop.test_ids)]
    back = [
        "__label__" + str(label + 1) + " " + title + ": " + text
        for label, title, text in zip(tested["label"], tested["title"], tested["text"], strict=True)
    ]
    assert back == raw


@pytest.mark.real
def test_imdb_is_read_packed(real_data):
    shop = load("fasttext", real_data / "imdb" / "train.ft.txt.gz")
    assert shop.rows == {"read": 25_000, "loaded": 24_904, "rejected": 0, "duplicate": 96}
    assert shop.rules.set_index("rule")["rows"].to_dict() == {"repeated_review_id": 96}
    with gzip.open(real_data / "imdb" / "train.ft.txt.gz", "rt", encoding="utf-8", newline="\n") as lines:
        assert len(set(lines)) == 24_904, "the same line twice is the same review"


@pytest.mark.real
def test_amazon_multidomain(real_data):
    shop = load("amazon-multidomain", real_data / "amazon_multidomain" / "reviews.csv.gz")
    assert shop.rows == {"read": 6000, "loaded": 6000, "rejected": 0, "duplicate": 0}
    assert (
        len(shop.customers) == shop.reviews["customer_id"].nunique() and shop.reviews["customer_id"].isna().sum() == 82
    )
    assert shop.reviews["reviewed_at"].isna().sum() == 1 and shop.reviews["label"].value_counts().tolist() == [
        3000,
        3000,
    ]


@pytest.mark.real
def test_olist(real_data):
    shop = load("olist", real_data / "olist")
    assert shop.rows == {"read": 16328, "loaded": 16229, "rejected": 0, "duplicate": 99}
    assert (len(shop.reviews), len(shop.customers), len(shop.orders)) == (5462, 5344, 5423)
    assert shop.rules.set_index("rule")["rows"].to_dict() == {"repeated_customer_id": 79, "repeated_review_id": 20}
    assert set(shop.reviews["customer_id"]) <= set(shop.customers["customer_id"])
    assert shop.customers["lat"].median() == pytest.approx(-23, abs=2) and shop.customers["lon"].isna().sum() == 18
    assert shop.orders["amount"].sum() == pytest.approx(
        pd.read_csv(real_data / "olist" / "order_payments.csv")["payment_value"].sum()
    )


def shop_of(tmp_path, customers, orders):
    (tmp_path / "people.csv").write_text("customer_id,place\n" + "".join(f"{i},Bonn\n" for i in customers))
    rows = "".join(f"{n},{i},2026-01-05,9\n" for n, i in enumerate(orders))
    (tmp_path / "orders.csv").write_text("order_id,customer_id,ordered_at,amount\n" + rows)
    (tmp_path / "shop.toml").write_text(
        'currency = "EUR"\ndates = ["%Y-%m-%d"]\n[files.people]\npath = "people.csv"\n[files.orders]\n'
        'path = "orders.csv"\n[customer]\nfile = "people"\n[order]\nfile = "orders"\n'
    )
    return load(tmp_path / "shop.toml", tmp_path)


def test_ids_that_a_gap_made_floats_are_the_same_people(tmp_path):
    shop = shop_of(tmp_path, ["17850", "17851"], ["17850.0", "17851.0", "17850.0"])
    assert sorted(shop.customers["customer_id"]) == ["17850", "17851"]
    assert set(shop.orders["customer_id"]) == {"17850", "17851"}
