"""What a value means: numbers, stars, dates, ids, currencies, joined columns.

One text has one meaning in all files, or the row is refused; nothing is guessed."""

import json
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.data.clean import Cleaner, clean
from smart_customer_analysis.data.codes import currency_code, plain_ids
from smart_customer_analysis.data.dates import parse_times
from smart_customer_analysis.data.load import load, read_batches
from smart_customer_analysis.data.numbers import parse_numbers, parse_ratings
from smart_customer_analysis.data.source import load_source
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.segment.rfm import rfm_table

quick = settings(deadline=None, max_examples=40)


def texts_of(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


def shop_of(folder: Path, toml: str, **files: str):
    "Load a shop of small files; `a_csv` is written as `a.csv`."
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(content, encoding="utf-8")
    (folder / "shop.toml").write_text(toml, encoding="utf-8")
    return load(folder / "shop.toml", folder)


ORDERS = '[files.orders]\npath = "orders*.csv"\ndelimiter = ";"\n[order]\nfile = "orders"\n'
REVIEWS = '[files.reviews]\npath = "reviews*.csv"\ndelimiter = ";"\n[review]\nfile = "reviews"\n'
MARKS = [(d, t) for d in ".," for t in ("", ".", ",", " ", "'") if d != t]


@quick
@given(st.integers(-(10**12), 10**12), st.integers(0, 3), st.sampled_from(MARKS))
def test_a_number_in_the_marks_of_the_source_is_read_back(whole, digits, marks):
    decimal, thousands = marks
    value = whole / 10**digits
    text = f"{value:,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)
    number, bad = parse_numbers(texts_of(text), decimal, thousands)
    assert not bad.item() and number.item() == pytest.approx(value)


@quick
@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(MARKS))
def test_a_mark_that_the_source_does_not_name_is_refused(left, right, marks):
    decimal, thousands = marks
    for other in set(".,'") - {decimal, thousands}:
        assert parse_numbers(texts_of(f"{left}{other}{right:03}"), decimal, thousands)[1].item()


@quick
@given(st.text(alphabet="0123456789.,' +-eE\u00a0\u2009५５", max_size=12), st.sampled_from(MARKS))
def test_a_thousandth_is_never_read_for_a_thousand(text, marks):
    decimal, thousands = marks
    number, bad = parse_numbers(texts_of(text), decimal, thousands)
    assert bad.item() == number.isna().item()
    if not bad.item() and thousands and thousands in text.strip():
        assert abs(number.item()) >= 1000


def test_german_thousands_are_read_where_they_are_named_and_refused_where_not(tmp_path):
    rows = (
        "order_id;customer_id;ordered_at;amount\n1;a;01.03.2026;1.234,56\n2;a;02.03.2026;2.500\n3;a;03.03.2026;12,5\n"
    )
    toml = 'currency = "EUR"\ndecimal = ","\ndates = ["%d.%m.%Y"]\n'
    plain = shop_of(tmp_path / "a", toml + ORDERS, orders_csv=rows)
    assert plain.orders["amount"].tolist() == [12.5] and plain.rejects["rule"].tolist() == ["bad_amount"] * 2
    assert "no thousands mark" in plain.rejects["detail"][0]
    named = shop_of(tmp_path / "b", toml + 'thousands = "."\n' + ORDERS, orders_csv=rows)
    assert named.orders["amount"].tolist() == [1234.56, 2500.0, 12.5]


def test_a_point_is_a_decimal_point_in_degrees_also_beside_decimal_commas(tmp_path):
    toml = 'decimal = ","\nthousands = "."\n[files.p]\npath = "p.csv"\ndelimiter = ";"\n[customer]\nfile = "p"\n'
    shop = shop_of(tmp_path, toml, p_csv="customer_id;lon;lat\na;13.404;52.520\nb;13,404;52,52\n")
    assert shop.customers[["lon", "lat"]].values.tolist() == [[13.404, 52.52]] * 2


@pytest.mark.parametrize(
    ("text", "stars"),
    [("4/5", 4), ("3.5 out of 5 stars", 3.5), ("★★★★☆", 4), ("⭐️⭐️", 2), ("5 Sterne", 5), ("five", 5), ("4 / 5", 4),
     ("５", 5), ("8/10", None), ("★★☆", None), ("80%", None), ("4/5/2026", None), ("stars", None), ("☆", None)],
)  # fmt: skip
def test_stars_are_read_in_the_forms_that_have_one_meaning(text, stars):
    rating, bad = parse_ratings(texts_of(text), ".", {"FIVE": 5})
    assert bad.item() == (stars is None) and (stars is None or rating.item() == stars)


@quick
@given(st.floats(-100, 100), st.floats(0.5, 100), st.floats(0, 1))
def test_a_scale_is_brought_to_one_to_five_on_a_straight_line(low, width, share):
    value = low + share * width
    rating, bad = parse_ratings(texts_of(f"{value:f}"), ".", scale=(low, low + width))
    assert not bad.item() and rating.item() == pytest.approx(1 + 4 * share, abs=1e-4)


def test_a_source_may_say_what_its_ratings_are(tmp_path):
    toml = 'rating_scale = [10, 50]\nratings = { good = 5, "so so" = 3 }\n' + REVIEWS
    rows = "review_id;text;rating\n1;a;50\n2;b;10\n3;c;Good\n4;d;SO SO\n5;e;60\n6;f;bad\n"
    shop = shop_of(tmp_path, toml, reviews_csv=rows)
    assert shop.reviews["rating"].tolist() == [5, 1, 5, 3] and shop.reviews["label"].fillna(-1).tolist() == [
        1,
        0,
        1,
        -1,
    ]
    assert shop.rejects["rule"].tolist() == ["rating_out_of_range", "bad_rating"]


DAYS = st.datetimes(pd.Timestamp("1975-01-01"), pd.Timestamp("2037-12-31"))


@quick
@given(DAYS, st.sampled_from(["+01", "-03", "+05:30", "+0100", "Z", " UTC", "-12:00", " +0900"]))
def test_an_offset_of_any_length_is_a_zone(moment, zone):
    moment = pd.Timestamp(moment).floor("s")
    text = f"{moment}{zone}"
    digits = zone.strip().replace(":", "").ljust(5, "0") if zone.strip()[0] in "+-" else "+0000"
    hours = int(digits[1:3]) + int(digits[3:5]) / 60
    expected = moment.tz_localize("UTC") - pd.Timedelta(hours=hours if digits[0] == "+" else -hours)
    mixed = parse_times(texts_of(text, "2026-01-05 10:00", "2026-01-05T10:00:00+02"), ["ISO8601"], "Asia/Seoul").times
    assert mixed[0] == expected and mixed.dt.hour.tolist()[1:] == [1, 8]


@quick
@given(DAYS, st.sampled_from(["%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%B %d, %Y", "%Y-%m-%d"]))
def test_a_day_is_the_same_moment_in_all_forms(day, form):
    zone = "America/Sao_Paulo"
    times = parse_times(texts_of(f"{day:{form}}", f"{day:%Y-%m-%d}T00:00"), [form, "ISO8601"], zone).times
    assert times[0] == times[1]


@quick
@given(DAYS)
def test_seconds_thousandths_and_days_of_excel_are_told_apart(moment):
    moment = pd.Timestamp(moment).floor("s")
    seconds = int(moment.timestamp())
    days = (moment - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    read = parse_times(texts_of(str(seconds), f"{seconds}000", repr(days)), ["excel", "epoch_ms", "epoch"], "UTC")
    assert (read.times == moment.tz_localize("UTC")).all() and not read.ambiguous.any()


@quick
@given(
    st.one_of(
        st.text(max_size=30),
        st.from_regex(r"-?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}[T ]?[0-9:.+Z-]{0,14}( BC)?", fullmatch=True),
        st.from_regex(r"[0-9]{1,20}([.,][0-9]{1,8})?", fullmatch=True),
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"]),
)
def test_no_text_breaks_the_reader_of_dates(text, zone):
    forms = ["ISO8601", "%d/%m/%Y %H:%M", "%m/%d/%y", "%Y-%m-%d %H:%M:%S %z", "epoch", "epoch_ms", "excel"]
    read = parse_times(texts_of(text, None, "2026-03-01"), forms, zone)
    assert read.bad.tolist()[1:] == [False, False] and read.bad[0] == read.times.isna()[0]


def test_dates_that_fit_two_formats_and_odd_times_are_counted(tmp_path):
    rows = "review_id;text;rating;reviewed_at\n1;a;5;03/04/2026\n2;b;5;25/04/2026\n3;c;9;04/03/2026\n"
    rows += "4;d;5;2026-03-29 02:30\n"
    toml = 'timezone = "Europe/Berlin"\ndates = ["%m/%d/%Y", "%d/%m/%Y", "ISO8601"]\nlatest = 2027-01-01\n' + REVIEWS
    shop = shop_of(tmp_path, toml, reviews_csv=rows)
    _, steps = clean(shop)
    remarks = steps[steps["step"] == "reading"].set_index("rule")["rows"].to_dict()
    assert remarks == {
        "dates that fit two formats; the first was taken": 1,  # the third row is rejected
        "times that Europe/Berlin has twice or not at all": 1,
    }
    cleaner = Cleaner()
    for batch in read_batches(tmp_path / "shop.toml", tmp_path, batch_rows=1):
        cleaner.clean(batch)
    table = cleaner.table()
    assert table[table["step"] == "reading"].set_index("rule")["rows"].to_dict() == remarks


@pytest.mark.parametrize(
    ("setting", "words"),
    [('timezone = "Berlin"', "time zone like .* found 'Berlin'"), ('dates = ["DD/MM/YYYY"]', "found 'DD/MM/YYYY'"),
     ('dates = ["mixed"]', "found 'mixed'"), ('dates = ["%d/%m"]', "found '%d/%m'"), ("dates = []", "dates"),
     ('currency = "dollars"', "currency like .* found 'dollars'"), ('country = "Narnia"', "found 'Narnia'"),
     ('decimal = ","\nthousands = ","', "decimal and thousands"), ("rating_scale = [5, 1]", "lowest value first"),
     ("ratings = { good = 6 }", "ratings.good")],
)  # fmt: skip
def test_a_setting_that_nothing_can_be_read_with_is_refused_in_one_line(tmp_path, setting, words):
    (tmp_path / "shop.toml").write_text(setting + "\n" + REVIEWS)
    with pytest.raises(InputError, match=words) as e:
        load_source(tmp_path / "shop.toml")
    assert len(str(e.value).splitlines()) == 1


@quick
@given(st.integers(0, 10**15), st.sampled_from(["{}", "{}.0", "{}.00", " {} ", "\t{}.0"]))
def test_an_id_is_one_whatever_a_program_made_of_it(number, form):
    assert plain_ids(texts_of(form.format(number))).item() == str(number)


def test_one_customer_in_two_spellings_is_one_customer(tmp_path):
    toml = ORDERS + '[files.people]\npath = "people.csv"\n[customer]\nfile = "people"\n'
    orders = (
        "order_id;customer_id;ordered_at;amount\n1;17850.0;2026-01-05;9\n2; 17850;2026-01-06;9\n3;A1.0;2026-01-06;9\n"
    )
    shop = shop_of(tmp_path, toml, orders_csv=orders, people_csv="customer_id,place\n17850,Bonn\n")
    assert shop.customers["customer_id"].tolist() == ["17850", "A1.0"]
    assert shop.orders["customer_id"].tolist() == ["17850", "17850", "A1.0"]


def test_an_id_that_a_spreadsheet_rounded_is_told_as_such(tmp_path):
    rows = "review_id;product_id;text;rating\n1.23457E+11;p;a;5\n2;4.00638E+12;b;5\n3;p;c;5\n"
    shop = shop_of(tmp_path, REVIEWS, reviews_csv=rows)
    assert shop.rejects["rule"].tolist() == ["rounded_id"] and "spreadsheet" in shop.rejects["detail"][0]
    assert shop.reviews["product_id"].fillna("none").tolist() == ["none", "p"]
    assert dict(shop.remarks) == {"product_id rounded by a spreadsheet, taken as missing": 1}


def test_an_empty_column_that_comes_later_changes_no_content_id(tmp_path):
    plain = shop_of(tmp_path / "a", REVIEWS, reviews_csv="text;rating\nKettle is quick;5\nLeaks;1\n")
    wider = shop_of(tmp_path / "b", REVIEWS, reviews_csv="text;rating;place;title\nKettle is quick;5;;\nLeaks;1;;\n")
    filled = shop_of(tmp_path / "c", REVIEWS, reviews_csv="text;rating;place\nKettle is quick;5;Bonn\n")
    assert plain.reviews["review_id"].tolist() == wider.reviews["review_id"].tolist()
    assert plain.reviews["review_id"][0] == "4882610cd249e4d75921e253", "ids of earlier versions stay"
    assert filled.reviews["review_id"][0] != plain.reviews["review_id"][0]


@pytest.mark.parametrize("change", ["bob;p1;2026-03-01", "ann;p2;2026-03-01", "ann;p1;2026-04-01"])
def test_one_id_for_two_customers_products_or_days_is_a_conflict(tmp_path, change):
    head = "review_id;text;rating;customer_id;product_id;reviewed_at\n"
    rows = f"1;Kettle is quick;5;ann;p1;2026-03-01\n1;Kettle is quick;5;{change}\n"
    same = "1;Kettle is quick;5;ann;p1;2026-03-01\n"
    shop = shop_of(tmp_path, REVIEWS, reviews_csv=head + rows + same)
    assert shop.rejects["rule"].tolist() == ["id_conflict", "repeated_review_id"]


def test_people_in_the_file_of_reviews_are_counted_once_and_their_second_review_is_not_left_out(tmp_path):
    toml = REVIEWS + '[customer]\nfile = "reviews"\n'
    rows = "review_id;customer_id;place;text;rating\n1;a;Bonn;x;5\n2;a;Rome;y;5\n3;;;z;5\n4;b;Oslo;w;1\nbad\n"
    shop = shop_of(tmp_path, toml, reviews_csv=rows)
    counts = shop.counts.set_index("entity")[["read", "loaded", "rejected", "duplicate"]].T.to_dict("list")
    assert counts == {"review": [5, 4, 1, 0], "customer": [2, 2, 0, 0]} and len(shop.rejects) == 1
    assert shop.customers[["customer_id", "place"]].values.tolist() == [["a", "Bonn"], ["b", "Oslo"]]


JOINS = (
    'currency = "EUR"\n[files.orders]\npath = "orders.csv"\n[files.payments]\npath = "payments*.csv"\n[files.people]\n'
    'path = "people.csv"\n[order]\nfile = "orders"\njoins = [{ file = "payments", on = "order_id", '
    'take = { value = "sum" } }, { file = "people", on = "ref", take = { person = "first" } }]\n'
    '[order.columns]\ncustomer_id = "person"\n'
    'ordered_at = "day"\namount = "value"\n'
)


def test_an_empty_key_joins_nothing_and_a_sum_with_an_unreadable_part_is_no_sum(tmp_path):
    shop = shop_of(
        tmp_path, JOINS,
        orders_csv="order_id,ref,day\n1,r1,2026-03-01\n2, r2 ,2026-03-02\n3,,2026-03-03\n4.0,7,2026-03-04\n"
        "5,r2,2026-03-05\n", payments_1_csv="order_id,value\n1,10\n1,abc\n2,5\n3,1\n",
        payments_2_csv='order_id,value\n2,7\n4,3\n5,\n,9\n4,"1,5"\n',
        people_csv="ref,person\nr1,ann\nr2,bob\n,nobody\n7.0,cy\n",
    )  # fmt: skip
    assert shop.orders[["order_id", "customer_id", "amount"]].values.tolist() == [["2", "bob", 12.0]]
    rejects = shop.rejects[["file", "line", "rule"]].values.tolist()
    assert sorted(rejects) == [
        ["orders.csv", 2, "bad_amount"], ["orders.csv", 4, "missing_id"], ["orders.csv", 5, "bad_amount"],
        ["orders.csv", 6, "bad_amount"], ["payments_1.csv", 3, "bad_number"], ["payments_2.csv", 6, "bad_number"],
    ]  # fmt: skip
    lookups = shop.counts[shop.counts["entity"] == "lookup"].set_index("file")[["read", "rejected"]]
    assert lookups.to_dict("index")["payments_2.csv"] == {"read": 5, "rejected": 1} and len(lookups) == 3


def test_joined_files_are_read_in_the_marks_of_the_source(tmp_path):
    toml = JOINS.replace('currency = "EUR"', 'currency = "EUR"\ndecimal = ","\nthousands = "."')
    shop = shop_of(
        tmp_path, toml.replace('.csv"', '.csv"\ndelimiter = ";"'), orders_csv="order_id;ref;day\n1;r;2026-03-01\n",
        payments_csv="order_id;value\n1;10,50\n1;1.234\n", people_csv="ref;person\nr;ann\n",
    )  # fmt: skip
    assert shop.orders["amount"].tolist() == [1244.5]


LINES = (
    "InvoiceNo;StockCode;Quantity;InvoiceDate;UnitPrice;CustomerID\n"
    "1;a;6;12/1/2025 8:26;2.55;17850.0\n1;b;2;12/1/2025 8:26;3;17850.0\n2;a;x;12/1/2025 8:28;1.85;17850.0\n"
    "C3;a;-1;12/1/2025 9:41;27.50;14527.0\n4;a;1;12/1/2025 9:50;5;\n5;a;-2;12/1/2025 9:55;4;14527.0\n"
    "c6;a;1;12/2/2025 9:55;4;9.0\n"
)
RETAIL = (
    'currency = "GBP"\ndates = ["%m/%d/%Y %H:%M"]\n' + ORDERS + 'columns = { order_id = ["InvoiceNo", "StockCode"], '
    'customer_id = "CustomerID", ordered_at = "InvoiceDate", product_id = "StockCode" }\n'
    'product = { amount = ["Quantity", "UnitPrice"] }\ncancelled = { column = "InvoiceNo", starts = "C" }\n'
)


def test_an_amount_may_be_quantity_times_price_and_cancelled_orders_are_refused(tmp_path):
    shop = shop_of(tmp_path, RETAIL, orders_csv=LINES)
    assert dict(zip(shop.orders["order_id"], shop.orders["amount"], strict=True)) == {"1:a": 15.3, "1:b": 6.0}
    assert shop.rejects[["line", "rule"]].values.tolist() == [
        [4, "bad_amount"], [5, "cancelled"], [6, "missing_id"], [7, "negative_amount"], [8, "cancelled"],
    ]  # fmt: skip
    assert "'x x 1.85'" in shop.rejects["detail"][0] and "guest" in shop.rejects["detail"][2]


def test_refunds_and_cancelled_orders_are_taken_off_where_the_source_says_so(tmp_path):
    shop = shop_of(tmp_path, RETAIL + 'refunds = "subtract"\n', orders_csv=LINES)
    assert shop.orders["amount"].tolist() == [15.3, 6.0, -27.5, -8.0, -4.0]
    refunded = shop.orders.assign(customer_id="a")
    assert rfm_table(refunded)[["frequency", "monetary"]].values.tolist() == [[2, pytest.approx(-18.2)]]


def test_an_invoice_of_several_lines_is_one_order_by_a_join_with_itself(tmp_path):
    toml = RETAIL.split("columns =")[0] + (
        'repeated = "first"\ncolumns = { order_id = "InvoiceNo", customer_id = "CustomerID", '
        'ordered_at = "InvoiceDate", amount = "total" }\njoins = [{ file = "orders", on = "InvoiceNo", '
        'take = { total = "sum" }, '
        'product = { total = ["Quantity", "UnitPrice"] } }]\n'
    )
    shop = shop_of(tmp_path, toml, orders_csv=LINES)
    assert shop.orders.set_index("order_id")["amount"].to_dict() == {"1": 21.3, "c6": 4.0}
    assert shop.rejects["rule"].tolist().count("repeated_order_id") == 1


@pytest.mark.parametrize(
    ("text", "home", "code"),
    [("usd", "", "USD"), ("US$", "", "USD"), (" Euro ", "", "EUR"), ("€", "", "EUR"), ("$", "", None),
     ("$", "CAD", "CAD"), ("$", "EUR", None), ("kr", "SEK", "SEK"), ("¥", "JPY", "JPY"), ("zł", "", "PLN"),
     ("Taler", "EUR", None),
     ("HRK", "", "HRK"), ("GBp", "GBP", None), ("R$", "", "BRL")],
)  # fmt: skip
def test_a_currency_is_a_code_or_unknown(text, home, code):
    assert currency_code(text, home) == code


def test_currencies_become_codes_and_an_unknown_one_is_not_the_euro(tmp_path):
    rows = "order_id;customer_id;ordered_at;amount;currency\n1;a;2026-03-01;1;usd\n2;a;2026-03-01;1;Taler\n"
    rows += "3;a;2026-03-01;1;\n"
    shop = shop_of(tmp_path / "a", ORDERS, orders_csv=rows)
    assert shop.orders["currency"].tolist() == ["USD", "XXX"] and shop.rejects["rule"].tolist() == ["unknown_currency"]
    assert dict(shop.remarks) == {"orders of an unknown currency; set currency in the source": 1}
    home = shop_of(tmp_path / "b", 'currency = "€"\n' + ORDERS, orders_csv=rows)
    assert home.orders["currency"].tolist() == ["USD", "EUR"]
    assert dict(home.remarks) == {"orders in USD, never added up with those in EUR": 1}


def test_reviews_without_a_name_are_not_one_customer(tmp_path):
    same = "This kettle broke after two weeks do not buy"
    rows = f"review_id;customer_id;text;rating\n1;;{same};1\n2;;{same};1\n3;a;{same};1\n4;a;{same};1\n5;b;{same};5\n"
    shop, _ = clean(shop_of(tmp_path, REVIEWS, reviews_csv=rows))
    assert shop.reviews["review_id"].tolist() == ["1", "2", "3", "5"]


def test_texts_of_two_columns_are_joined_by_a_space_and_ids_of_nothing_are_none(tmp_path):
    toml = REVIEWS + 'columns = { text = ["head", "body"], customer_id = ["shop", "nr"], place = ["town", "land"] }\n'
    rows = "review_id;head;body;shop;nr;town;land\n1;Good;Works well;x;7;Bonn;\n2;;Leaks;;;;\n"
    shop = shop_of(tmp_path, toml, reviews_csv=rows)
    assert shop.reviews["text"].tolist() == ["Good Works well", "Leaks"]
    assert shop.reviews[["customer_id", "place"]].fillna("none").values.tolist() == [["x:7", "Bonn"], ["none", "none"]]


def test_own_columns_are_kept_in_their_types_and_a_bad_value_costs_no_row(tmp_path):
    toml = (
        'decimal = ","\ndates = ["%d.%m.%Y"]\n'
        + REVIEWS
        + 'keep = { state = "text", n = "number", delivered = "date" }\n'
    )
    rows = "review_id;text;state;n;delivered\n1;a;paid;1,5;01.03.2026\n2;b;;many;\n3;c;;;\n"
    shop = shop_of(tmp_path, toml, reviews_csv=rows)
    kept = [json.loads(x) if isinstance(x, str) else None for x in shop.reviews["extra"]]
    assert kept == [{"state": "paid", "n": 1.5, "delivered": "2026-03-01T00:00:00Z"}, None, None]
    assert dict(shop.remarks) == {"n: not a number, left out": 1}
    with pytest.raises(InputError, match="column 'colour' for the review's extra; found review_id"):
        shop_of(tmp_path, toml.replace("state =", "colour ="), reviews_csv=rows)


def test_more_rows_of_an_order_are_repeats_where_the_first_counts(tmp_path):
    rows = "order_id;customer_id;ordered_at;amount\n1;a;2026-03-01;35\n1;a;;\n2;;2026-03-01;9\n"
    shop = shop_of(tmp_path, ORDERS + 'repeated = "first"\n', orders_csv=rows)
    assert shop.rejects[["line", "rule"]].values.tolist() == [[3, "repeated_order_id"], [4, "missing_id"]]
    assert shop.rows == {"read": 3, "loaded": 1, "rejected": 1, "duplicate": 1}


def test_a_date_that_python_cannot_hold_costs_its_row_and_no_more(tmp_path, make_pg_database):
    url = make_pg_database()
    engine = sa.create_engine(url)
    with engine.begin() as c:
        c.exec_driver_sql("create table r (review_id int, text text, reviewed_at timestamptz, rating int, day date)")
        c.exec_driver_sql(
            "insert into r values (1, 'a', '2026-03-01 10:00+01', 5, null), (2, 'b', '0044-03-15 BC', 5, null), "
            "(3, 'c', '294276-01-01', 5, null), (4, 'd', 'infinity', 5, null), (5, 'e', null, 5, '4000-01-01 BC')"
        )
    engine.dispose()
    toml = '[files.r]\nformat = "sql"\nquery = "SELECT * FROM r ORDER BY review_id"\n[review]\nfile = "r"\n'
    (tmp_path / "shop.toml").write_text(toml)
    shop = load(tmp_path / "shop.toml", database=url)
    assert shop.reviews["review_id"].tolist() == ["1", "5"] and shop.reviews["reviewed_at"].dt.hour[0] == 9
    assert shop.rejects["line"].tolist() == [2, 3, 4] and set(shop.rejects["rule"]) <= {
        "bad_date",
        "date_in_the_future",
    }


def test_an_address_in_capitals_is_the_same_customer():
    assert plain_ids(texts_of("Ana@Shop.pt", " ana@shop.pt", "AB-7", "ab-7")).tolist() == [
        "ana@shop.pt", "ana@shop.pt", "AB-7", "ab-7",
    ]  # fmt: skip
