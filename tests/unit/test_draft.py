"""A draft is right or it asks: forty exports whose truth is known, and tables that can be read in two ways."""

import bz2
import csv
import gzip
import io
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smart_customer_analysis.commands.source import sources
from smart_customer_analysis.data.draft import Draft
from smart_customer_analysis.data.load import Loaded, load
from smart_customer_analysis.data.source import load_source
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.steps.source import draft_of, name_of, source_for

sys.path.insert(0, str(Path(__file__).parents[1]))
import exports

NUMBERS = range(5 * len(exports.COUNTRIES))


def loaded(drafted: Draft, path: Path) -> Loaded:
    return load(drafted.source(), [path])


@pytest.mark.parametrize("number", NUMBERS)
def test_each_of_forty_exports_is_drafted_right_or_asked_about(number, tmp_path):
    export = exports.write_export(tmp_path, number)
    drafted = draft_of([export.path])
    assert bool(drafted.open) == export.asks, (export.words, [q.ask for q in drafted.open])
    if not export.asks:
        shop = loaded(drafted, export.path)
        assert exports.faults(export, shop.reviews, shop.orders) == [], export.words
        assert shop.rows["rejected"] == 0


def test_at_least_38_of_the_forty_need_no_answer(tmp_path):
    assert sum(export.asks for export in exports.write_exports(tmp_path)) <= 2


def table(folder: Path, name: str, rows: int = 24, sep: str = ",", **columns: Callable[[int], object]) -> Path:
    """Write a table; each column is a function of the row."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sep)
    writer.writerow(columns)
    writer.writerows([[f(i) for f in columns.values()] for i in range(rows)])
    path = folder / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def words(i: int) -> str:
    return f"The kettle number {i} works as described and looks nice."


def day(i: int) -> str:
    return f"2026-03-{1 + i % 28:02}"


# name, columns, key of the question
OPEN = [
    ("day or month", {"text": words, "date": lambda i: f"{1 + i % 12:02}/{1 + i % 9:02}/2026"}, "dates"),
    ("day and month mixed", {"text": words, "date": lambda i: f"{20}/03/2026" if i % 2 else "03/20/2026"}, "dates"),
    ("a scale of ten without its ends", {"text": words, "score": lambda i: 4 + i % 5}, "rating_scale"),
    ("a scale of ten or of eleven", {"text": words, "score": lambda i: 6 + i % 5}, "rating_scale"),
    ("nought to five", {"text": words, "rating": lambda i: i % 6}, "rating_scale"),
    ("German school grades", {"Kommentar": words, "Note": lambda i: 1 + i % 5, "Kunde": str}, "rating_scale"),
    (
        "two ratings",
        {"text": words, "product_rating": lambda i: 1 + i % 5, "shop_rating": lambda i: 5 - i % 5},
        "rating",
    ),
    ("a rating of unknown name", {"text": words, "betyg": lambda i: 1 + i % 5}, "rating"),
    ("months in an unknown language", {"text": words, "date": lambda i: f"{1 + i} urtarrila 2026"}, "reviewed_at"),
    ("labels 1 and 2", {"text": words, "label": lambda i: 1 + i % 2}, "labels"),
    ("words of two ladders", {"text": words, "rating": lambda i: ["poor", "good", "excellent"][i % 3]}, "rating"),
    (
        "thousands or decimals",
        {"order id": str, "customer": str, "date": day, "total": lambda i: f"{1 + i}.{100 + i}"},
        "decimal",
    ),
    (
        "dollars of which country",
        {"order id": str, "customer": str, "date": day, "total": lambda i: f"${1 + i}.50"},
        "currency",
    ),
    (
        "one amount on every line of an order",
        {
            "order id": lambda i: i // 2,
            "customer": lambda i: i // 2,
            "date": lambda i: day(i // 2),
            "amount": lambda i: i // 2 + 0.5,
        },
        "order.lines",
    ),
]


@pytest.mark.parametrize(("columns", "key"), [case[1:] for case in OPEN], ids=[case[0] for case in OPEN])
def test_what_can_be_read_in_two_ways_is_asked(columns, key, tmp_path):
    drafted = draft_of([table(tmp_path, "shop.csv", **columns)])
    assert [q.key for q in drafted.open if key in q.key], [q.key for q in drafted.questions]
    with pytest.raises(InputError, match="answers to"):
        drafted.source()


ANSWERED = [
    ({"text": words, "date": lambda i: f"{1 + i % 12:02}/{1 + i % 9:02}/2026"}, {"dates": "month"}, "2026-02-02", 1),
    ({"text": words, "date": lambda i: f"{1 + i % 12:02}/{1 + i % 9:02}/2026"}, {"dates": "day"}, "2026-02-02", 1),
    ({"text": words, "date": lambda i: f"{1 + i % 12:02}/{1 + i % 9:02}/2026"}, {"dates": "month"}, "2026-11-02", 10),
    ({"text": words, "date": lambda i: f"{1 + i % 12:02}/{1 + i % 9:02}/2026"}, {"dates": "day"}, "2026-02-11", 10),
]


@pytest.mark.parametrize(("columns", "answers", "want", "row"), ANSWERED)
def test_an_answer_about_dates_decides(columns, answers, want, row, tmp_path):
    path = table(tmp_path, "shop.csv", **columns)
    reviews = loaded(draft_of([path], answers=answers), path).reviews.sort_values("line")
    assert str(reviews["reviewed_at"].iloc[row].date()) == want


@pytest.mark.parametrize(("answer", "stars"), [("1-5", [1, 2, 3, 4, 5]), ("5-1", [5, 4, 3, 2, 1])])
def test_school_grades_become_stars_the_way_that_is_said(answer, stars, tmp_path):
    path = table(tmp_path, "noten.csv", Kommentar=words, Note=lambda i: 1 + i % 5, Kunde=str)
    reviews = loaded(draft_of([path], answers={"rating_scale": answer}), path).reviews.sort_values("line")
    assert reviews["rating"].head(5).to_list() == stars


def test_ratings_that_are_left_out_are_not_read_by_their_name(tmp_path):
    path = table(tmp_path, "shop.csv", text=words, rating=lambda i: i % 6)
    shop = loaded(draft_of([path], answers={"rating_scale": "-"}), path)
    assert shop.reviews["rating"].isna().all()
    assert shop.rows["loaded"] == 24


def test_an_unknown_answer_is_refused(tmp_path):
    path = table(tmp_path, "shop.csv", text=words, rating=lambda i: 1 + i % 5)
    with pytest.raises(InputError, match="a question among"):
        draft_of([path], answers={"dtaes": "day"})
    with pytest.raises(InputError, match="a column for review.text"):
        draft_of([path], answers={"review.text": "Comments"})


def test_another_date_of_the_file_settles_day_and_month(tmp_path):
    columns = {
        "text": words,
        "review date": lambda i: f"0{1 + i % 9}/03/2026",
        "order date": lambda i: f"{1 + i}/01/2026",
    }
    drafted = draft_of([table(tmp_path, "shop.csv", **columns)])
    assert drafted.open == []
    assert drafted.source().dates == ["%d/%m/%Y"]


def test_lines_of_an_order_are_added_up_and_quantities_multiplied(tmp_path):
    columns = {
        "InvoiceNo": lambda i: 100 + i // 3,
        "Quantity": lambda i: 1 + i % 3,
        "InvoiceDate": lambda i: f"12/{13 + i // 3}/2010 8:26",
        "UnitPrice": lambda i: "2.50",
        "CustomerID": lambda i: f"1785{i // 3}",
        "Country": lambda i: "United Kingdom",
    }
    path = table(tmp_path, "retail.csv", **columns)
    shop = loaded(draft_of([path]), path)
    assert set(shop.orders["amount"]) == {15.0}
    assert len(shop.orders) == 8
    assert set(shop.customers["country"]) == {"United Kingdom"}


def test_signs_of_a_currency_are_taken_off_and_say_the_currency(tmp_path):
    columns = {"order id": str, "email": lambda i: f"a{i}@x.org", "date": day, "total": lambda i: f"€{1000 + i:,}.50"}
    path = table(tmp_path, "orders.csv", **columns)
    orders = loaded(draft_of([path]), path).orders
    assert set(orders["currency"]) == {"EUR"}
    assert orders["amount"].min() == 1000.5


def test_reviews_without_a_customer_take_the_one_of_their_order(tmp_path):
    table(tmp_path, "orders.csv", order_id=str, email=lambda i: f"a{i % 5}@x.org", date=day, total=lambda i: f"{i}.50")
    table(tmp_path, "reviews.csv", order_id=str, stars=lambda i: 1 + i % 5, comment=words)
    drafted = draft_of([tmp_path])
    shop = load(drafted.source(), [tmp_path])
    assert shop.reviews.sort_values("line")["customer_id"].head(3).to_list() == ["a0@x.org", "a1@x.org", "a2@x.org"]
    assert len(shop.orders) == 24


def test_customers_of_several_files_are_matched_by_the_column_that_they_share(tmp_path):
    table(
        tmp_path,
        "orders.csv",
        order_id=str,
        customer_id=str,
        email=lambda i: f"a{i}@x.org",
        date=day,
        total=lambda i: f"{i}.50",
    )
    table(tmp_path, "reviews.csv", email=lambda i: f"a{i}@x.org", stars=lambda i: 1 + i % 5, comment=words)
    drafted = draft_of([tmp_path])
    assert drafted.content["order"]["columns"]["customer_id"] == "email"
    assert drafted.content["review"]["columns"]["customer_id"] == "email"


def test_customers_that_share_no_value_are_asked_about(tmp_path):
    table(tmp_path, "orders.csv", order_id=str, customer_id=str, date=day, total=lambda i: f"{i}.50")
    table(tmp_path, "reviews.csv", author=lambda i: f"name {i}", stars=lambda i: 1 + i % 5, comment=words)
    assert [q.key for q in draft_of([tmp_path]).open] == ["customers"]


def test_a_table_without_a_header_is_refused(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("5,It works.,2026-01-05\n1,It broke.,2026-01-06\n")
    with pytest.raises(InputError, match="a header line"):
        draft_of([path])


def test_a_day_over_12_far_down_in_a_long_file_is_seen(tmp_path):
    columns = {
        "text": lambda i: words(i) * 5,
        "date": lambda i: f"0{1 + i % 9}/{20 if i > 19_000 else 1 + i % 9:02}/2026",
    }
    path = table(tmp_path, "shop.csv", rows=20_000, **columns)
    drafted = draft_of([path])
    assert drafted.open == []
    assert drafted.source().dates == ["%m/%d/%Y"]


def test_lines_before_the_header_are_passed_over(tmp_path):
    path = table(tmp_path, "shop.csv", sep=";", Rating=lambda i: 1 + i % 5, Comment=words)
    path.write_text("Export of reviews\nShop: Tea\n\n" + path.read_text())
    assert len(loaded(draft_of([path]), path).reviews) == 24


def test_the_written_file_says_what_the_draft_says(tmp_path):
    path = table(tmp_path, "shop.csv", text=words, rating=lambda i: i % 11, date=day)
    drafted = draft_of([path])
    (tmp_path / "kiosk.toml").write_text(drafted.toml(), encoding="utf-8")
    assert tomllib.loads(drafted.toml()) == drafted.content
    assert load_source(tmp_path / "kiosk.toml") == drafted.source().model_copy(update={"name": "kiosk"})


def test_every_file_of_a_folder_is_read_where_several_have_one_header(tmp_path):
    for month in ("may", "june"):
        table(tmp_path, f"reviews_{month}.csv", text=lambda i, m=month: f"{words(i)} {m}", stars=lambda i: 1 + i % 5)
    source = source_for(None, [tmp_path], say=lambda text: None)
    assert load(source, [tmp_path]).rows["loaded"] == 48


def test_files_of_one_name_in_several_folders_are_the_shipped_source_that_they_are(repo_root):
    folder = repo_root / "tests" / "shipped" / "amazon-multidomain"
    messages: list[str] = []
    source = source_for(None, [folder], messages.append)
    assert "shipped source 'amazon-multidomain'" in messages[0] and load(source, [folder]).rows["loaded"] == 4


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-16")])
def test_a_shipped_shape_saved_by_another_program_is_read_as_it_is_written(repo_root, tmp_path, delimiter, encoding):
    sample = repo_root / "tests" / "shipped" / "trustpilot" / "service_reviews.csv"
    rows = list(csv.reader(io.StringIO(sample.read_text(encoding="utf-8-sig"), newline="")))
    path = tmp_path / "teahouse.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    source = source_for(None, [path], say=lambda text: None)
    assert load(source, [path]).reviews["text"].tolist() == load("trustpilot", [sample]).reviews["text"].tolist()


def test_two_shops_get_two_names(tmp_path):
    paths = []
    for shop in ("Tea House", "kiosk"):
        (tmp_path / shop).mkdir()
        paths.append(table(tmp_path / shop, "reviews_2026-11.csv", text=words, rating=lambda i: 1 + i % 5))
    assert [name_of([path]) for path in paths] == ["tea-house", "kiosk"]
    assert [source_for(None, [path], say=str).name for path in paths] == ["tea-house", "kiosk"]


def test_a_source_that_was_named_is_taken_as_it_is(tmp_path):
    assert source_for("csv", [tmp_path / "nothing"]) == "csv"
    assert source_for(None) == "sample"


def test_files_that_leave_something_open_stop_the_run_with_the_next_step(tmp_path):
    path = table(tmp_path, "shop.csv", text=words, score=lambda i: 4 + i % 5)
    with pytest.raises(InputError, match="run: sca source new .*shop.csv"):
        source_for(None, [path])


def test_a_draft_is_never_written_over_a_file_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, "kiosk.csv", text=words, rating=lambda i: 1 + i % 5)
    (tmp_path / "kiosk.toml").write_text("mine")
    result = CliRunner().invoke(sources, ["new", "kiosk.csv"])
    assert "kiosk.toml exists" in str(result.exception)
    assert (tmp_path / "kiosk.toml").read_text() == "mine"
    assert CliRunner().invoke(sources, ["new", "kiosk.csv", "--yes"]).exit_code == 0
    assert "[review.columns]" in (tmp_path / "kiosk.toml").read_text()


def test_check_shows_counts_rejects_and_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, "reviews.csv", text=words, rating=lambda i: 9 if i == 3 else 5)
    result = CliRunner().invoke(sources, ["check", "csv", "reviews.csv"])
    assert result.exit_code == 0, result.output
    for shown in ("rating_out_of_range", "The kettle number", "24"):
        assert shown in result.output


SHORT = "id,comment\n1,Good one here\n2,Bad one here\n"


CUT, LONGER = gzip.compress(SHORT.encode())[:-6], bz2.compress(SHORT.encode()) + b"xx"


@pytest.mark.parametrize("packed", [CUT, LONGER], ids=["cut short", "with more behind"])  # gzip writes the time
def test_a_damaged_archive_is_refused_before_the_draft(packed, tmp_path):
    path = tmp_path / "shop.csv.gz"
    path.write_bytes(packed)
    with pytest.raises(InputError, match="whole"):
        draft_of([path])


def test_json_lines_of_utf_16_are_objects_and_not_a_table(tmp_path):
    path = tmp_path / "shop.jsonl"
    path.write_bytes('{"id": 1, "comment": "Très bien"}\n{"id": 2, "comment": "Bad one here"}\n'.encode("utf-16"))
    drafted = draft_of([path])
    assert load(drafted.source(), path).reviews["text"].to_list() == ["Très bien", "Bad one here"]


def test_a_page_of_xml_is_no_table(tmp_path):
    path = tmp_path / "shop.xml"
    path.write_text('<?xml version="1.0"?>\n<reviews>\n<text>Good</text>\n</reviews>\n')
    for paths in ([path], [tmp_path]):
        with pytest.raises(InputError, match="XML"):
            draft_of(paths)


def test_a_broken_file_alone_in_a_folder_says_what_is_broken(tmp_path):
    (tmp_path / "shop.json").write_text('[{"id": 1, "comment": "Good one he')
    with pytest.raises(InputError, match="bad_json"):
        draft_of([tmp_path])


def test_a_repeated_header_that_means_nothing_does_not_matter(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("x,id,x,comment\n0,1,0,Good one here\n0,2,0,Bad one here\n")
    drafted = draft_of([path])
    assert load(drafted.source(), path).reviews["review_id"].to_list() == ["1", "2"]
    path.write_text("id,comment,comment\n1,Good one here,x\n2,Bad one here,y\n")
    with pytest.raises(InputError, match="'comment' twice"):
        draft_of([path])


def test_a_table_without_rows_beside_others_is_passed_over_with_a_word(tmp_path):
    (tmp_path / "reviews.csv").write_text(SHORT)
    (tmp_path / "orders.csv").write_text("order_id,customer_id,date,amount\n")
    drafted = draft_of([tmp_path])
    assert "passed over, no row: orders.csv" in drafted.notes
    assert load(drafted.source(), tmp_path).rows["loaded"] == 2


def test_what_is_used_is_not_said_to_be_unused(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("id,comment,shelf\n1,Good one here,a\n2,Bad one here,b\n")
    notes = " ".join(draft_of([path]).notes)
    assert "shelf" in notes and "id" not in notes.split("shop.csv")[-1].replace("shelf", "")


WORDED = {
    "13 januari 2026|1 maj 2026|15 augusti 2026": "01-13|05-01|08-15",
    "13. ledna 2026|1. června 2026|1. července 2026": "01-13|06-01|07-01",
    "13 января 2026|1 мая 2026|15 июля 2026": "01-13|05-01|07-15",
    "13 Ocak 2026|1 Mayıs 2026|15 Ağustos 2026": "01-13|05-01|08-15",
    "13. tammikuuta 2026|1. toukokuuta 2026|15. elokuuta 2026": "01-13|05-01|08-15",
    "2026. január 13.|2026. május 1.|2026. szeptember 15.": "01-13|05-01|09-15",
    "13 Ιανουαρίου 2026|1 Μαΐου 2026|15 Ιουλίου 2026": "01-13|05-01|07-15",
    "13 ianuarie 2026|1 iunie 2026|15 iulie 2026": "01-13|06-01|07-15",
    "1er février 2026|13 janvier 2026|2 août 2026": "02-01|01-13|08-02",
    "January 13th, 2026|March 1st, 2026|May 2nd, 2026": "01-13|03-01|05-02",
    "2026年1月13日|2026年5月1日|2026年11月15日": "01-13|05-01|11-15",
    "2026. 1. 13.|2026. 5. 1.|2026. 11. 15.": "01-13|05-01|11-15",
    "Tue, 13 Jan 2026 10:00:00 +0100|Sat, 17 Jan 2026 23:00:00 -0500": "01-13|01-18",
}


@pytest.mark.parametrize("texts", WORDED)
def test_dates_are_read_as_twenty_languages_write_them(texts, tmp_path):
    rows = "".join(f'{i},"{day}",Comment number {i} here\n' for i, day in enumerate(texts.split("|")))
    (tmp_path / "shop.csv").write_text(f"review_id,date,comment\n{rows}", encoding="utf-8")
    drafted = draft_of([tmp_path / "shop.csv"])
    assert drafted.open == []
    days = load(drafted.source(), tmp_path / "shop.csv").reviews.sort_values("review_id")["reviewed_at"]
    assert "|".join(days.dt.strftime("%m-%d")) == WORDED[texts]


def test_a_column_called_text_that_holds_short_words_can_be_chosen(tmp_path):
    rows = "".join(
        f"r{i},{['ok', 'good', 'bad'][i % 3]},{[5, 4, 1][i % 3]},2026-05-{i % 28 + 1:02}\n" for i in range(60)
    )
    (tmp_path / "reviews.csv").write_text("review_id,text,rating,reviewed_at\n" + rows, encoding="utf-8")
    file = tmp_path / "reviews.csv"
    drafted = draft_of([file])
    question = next(q for q in drafted.open if q.key == "review.text")
    assert list(question.choices) == ["text", "-"] and "hardly a text" in question.ask
    assert not draft_of([file], answers={"review.text": "text"}).open
