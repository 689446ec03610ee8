"""What people really have: files of other encodings, formats, habits and folders.

Each is read right, or refused in one line that says what to write; nothing is turned into nonsense in silence."""

import bz2
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_customer_analysis.data import delimited, files, paths
from smart_customer_analysis.data.delimited import read_csv
from smart_customer_analysis.data.draft import draft
from smart_customer_analysis.data.encoding import detect_encoding
from smart_customer_analysis.data.load import load
from smart_customer_analysis.data.look import look
from smart_customer_analysis.data.source import Source, load_source, wanted_columns
from smart_customer_analysis.schema import InputError

HEAD = "review_id,text,rating\n"


def described(folder: Path, lines: str = "", name: str = "shop.toml", entity: str = "") -> Path:
    "A description of one file of reviews."
    text = f'[files.reviews]\npath = "*review*"\n{lines}\n[review]\nfile = "reviews"\n{entity}\n'
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert len(text.splitlines()) == 1 and "; next: " in text
    return text


# --- encodings --------------------------------------------------------------------------------------------------------

WRITTEN = {
    "ru": "Хороший чайник, и не шумит. Это очень удобно, но крышка тугая.",
    "uk": "Дуже добре, що не шумить. Але кришка туга, і це мені не подобається.",
    "pl": "Bardzo ładny, ale po tygodniu się zepsuł. Nie polecam, szkoda pieniędzy na to.",
    "cs": "Velmi dobrý hrnek, ale víčko je příliš těžké. Jsem spokojená, doporučuji.",
    "hu": "Nagyon jó, de a fedele nem elég erős. Őszintén szólva csalódtam, és már nem működik.",
    "tr": "Çok güzel bir ürün ama kargo geç geldi. Işığı yanıyor, şarjı iyi.",
    "el": "Πολύ καλό προϊόν, αλλά το καπάκι δεν είναι για την κουζίνα μου.",
    "he": "מוצר טוב מאוד, אבל המכסה לא נסגר. זה היה יקר.",
    "ar": "منتج جيد جدا لكن الغطاء لا يعمل. وصل في الوقت من المتجر",
    "th": "สินค้าดีมาก ส่งเร็ว แต่ฝาไม่แน่น",
    "de": "Der Kessel ist sehr schön, aber die Tülle ist zu groß für mich. Gefällt nicht.",
    "fr": "Très bon produit, mais le couvercle est cassé. Déçu, ça ne ferme pas bien.",
    "es": "Muy buena calidad, pero la tapa no cierra. El niño está contento, llegó rápido.",
    "ja": "とても使いやすいです。お湯がすぐに沸くので買って良かったです。",
    "zh": "水壶很好用，但是盖子不太紧。物流快，包装也不错，下次还会买。",
    "zht": "水壺很好用，但是蓋子不太緊。物流快，包裝也不錯，下次還會買。",
    "ko": "정말 좋은 제품이에요. 배송도 빠르고 뚜껑만 조금 아쉬워요.",
    "lv": "Ļoti labs un skaists, bet vāks nav ciets. Tas man kā dāvana.",
}
OLD = [
    ("ru", "cp1251"), ("ru", "koi8_r"), ("ru", "cp866"), ("ru", "iso8859_5"), ("ru", "mac_cyrillic"),
    ("uk", "cp1251"), ("uk", "koi8_u"), ("pl", "cp1250"), ("pl", "iso8859_2"), ("pl", "cp852"), ("cs", "cp1250"),
    ("cs", "iso8859_2"), ("hu", "cp1250"), ("hu", "iso8859_2"), ("tr", "cp1254"), ("tr", "cp857"), ("el", "cp1253"),
    ("el", "cp737"), ("he", "cp1255"), ("he", "cp862"), ("ar", "cp1256"), ("ar", "iso8859_6"), ("ar", "cp720"),
    ("th", "cp874"), ("de", "cp1252"), ("de", "cp850"), ("de", "mac_roman"), ("fr", "cp1252"), ("fr", "mac_roman"),
    ("fr", "cp437"), ("es", "cp1252"), ("es", "cp850"), ("es", "mac_roman"), ("ja", "cp932"), ("ja", "euc_jp"),
    ("ja", "iso2022_jp"), ("zh", "gb18030"), ("zht", "big5"), ("ko", "cp949"), ("ko", "johab"), ("lv", "cp1257"),
    ("lv", "cp775"), ("ru", "utf-16"), ("ru", "utf-32"), ("ru", "utf-8-sig"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "codec"), OLD)
@pytest.mark.parametrize("parts", [1, 2, 6])
def test_an_old_encoding_is_read_right_or_the_file_is_refused(tmp_path, language, codec, parts):
    sentences = [s.strip() for s in WRITTEN[language].replace("。", ".").split(".") if s.strip()]
    texts = [sentences[i % len(sentences)] for i in range(parts)]
    (tmp_path / "reviews.csv").write_bytes(
        (HEAD + "".join(f'{i},"{t}",4\n' for i, t in enumerate(texts))).encode(codec)
    )
    try:
        shop = load("csv", tmp_path / "reviews.csv")
    except InputError as e:
        assert "an encoding that is plain; found bytes that fit" in str(e) and "write encoding = " in str(e)
        assert parts < 6 or codec in ("cp720", "johab", "cp775"), f"{codec} is not told: {e}"
        return
    assert shop.reviews["text"].tolist() == texts and shop.files["encoding"].item() != ""


def test_a_refused_encoding_may_be_written_in_the_source(tmp_path):
    (tmp_path / "reviews.csv").write_bytes((HEAD + "1,dobrý hrnček,4\n").encode("cp1250"))
    with pytest.raises(InputError, match="bytes that fit cp1250 and") as e:
        load("csv", tmp_path / "reviews.csv")
    assert "reviews.csv" in one_line(e)
    shop = load(described(tmp_path, 'encoding = "cp1250"'), tmp_path)
    assert shop.reviews["text"].item() == "dobrý hrnček" and shop.files["encoding"].item() == "cp1250"


@pytest.mark.parametrize(
    ("language", "codec"), [("ko", "cp949"), ("ru", "cp1251"), ("de", "cp1252"), ("ja", "euc_jp"), ("zh", "gb18030")]
)
def test_letters_after_the_first_mebibyte_tell_the_encoding(tmp_path, language, codec):
    plain = "".join(f"{i},{'plain words here ' * 8},5\n" for i in range(9000))
    late = "".join(f"k{i},{WRITTEN[language]} {i},4\n".replace(", ", " ") for i in range(20))
    assert len(plain) > 1 << 20
    (tmp_path / "reviews.csv").write_bytes((HEAD + plain + late).encode(codec))
    shop = load("csv", tmp_path / "reviews.csv")
    assert shop.rows["rejected"] == 0 and shop.files["encoding"].item() == codec
    assert shop.reviews["text"].iloc[-1] == WRITTEN[language].replace(", ", " ") + " 19"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named_and_read_where_the_source_says_so(tmp_path, codec):
    (tmp_path / "reviews.csv").write_bytes((HEAD + "1,Größe passt,5\n2,日本語,4\n").encode(codec))
    with pytest.raises(InputError, match=f'write encoding = "{codec}"') as e:
        load("csv", tmp_path / "reviews.csv")
    one_line(e)
    shop = load(described(tmp_path, f'format = "csv"\nencoding = "{codec}"'), tmp_path)
    assert shop.reviews["text"].tolist() == ["Größe passt", "日本語"]


def test_a_mark_is_no_part_of_the_first_name_whatever_the_source_says(tmp_path):
    (tmp_path / "reviews.csv").write_bytes(("\ufeff" + HEAD + "1,ok,5\n").encode())
    for codec in ("utf-8", "auto", "UTF8"):
        assert load(described(tmp_path, f'encoding = "{codec}"'), tmp_path).reviews["review_id"].tolist() == ["1"]
    with pytest.raises(InputError, match="the name of an encoding"):
        load_source(described(tmp_path, 'encoding = "utf8x"'))


def test_utf_8_and_an_old_encoding_in_one_file_are_not_guessed_over():
    lines = ["größer als gedacht".encode()] * 4 + ["größer als gedacht".encode("cp1252")] * 9
    with pytest.raises(InputError, match="an encoding that is plain"):
        detect_encoding(b"\n".join(lines) + b"\n")
    assert detect_encoding(b"\n".join(lines[:7]) + b"\n") == "utf-8", "broken lines of a UTF-8 file are rejects"


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_have_an_encoding_or_a_refusal(data):
    try:
        "".encode(detect_encoding(data))
    except InputError as e:
        assert "bytes that fit" in str(e)


# --- packed files -----------------------------------------------------------------------------------------------------

TWO = (HEAD + "1,fine thing,5\n").encode(), b"2,bad thing,1\n"


def test_two_bzip2_streams_are_one_file(tmp_path):
    (tmp_path / "reviews.csv.bz2").write_bytes(bz2.compress(TWO[0]) + bz2.compress(TWO[1]))
    assert load("csv", tmp_path).reviews["review_id"].tolist() == ["1", "2"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("tail", ["rubbish", "a damaged second", "half a second"])
def test_what_follows_a_packed_stream_is_not_left_out_in_silence(tmp_path, pack, tail):
    second = pack(TWO[1] * 1000)
    more = {
        "rubbish": b"and so on",
        "a damaged second": b"XX" + second[2:],
        "half a second": second[: len(second) // 2],
    }
    (tmp_path / "reviews.csv").write_bytes(pack(TWO[0]) + more[tail])
    with pytest.raises(InputError, match="archive|gzip or bzip2") as e:
        load("csv", tmp_path / "reviews.csv")
    one_line(e)


def zipped(path: Path, members: dict[str, bytes], **how) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as z:
        for name, data in members.items():
            z.writestr(name, data)
    return path


def test_a_zip_is_read_like_a_folder(tmp_path):
    orders = b"order_id,customer_id,ordered_at,amount\nB1,c1,2026-03-01,5\n"
    members = {"export/Reviews.csv": TWO[0], "export/orders.csv": orders, "__MACOSX/export/._Reviews.csv": b"\0\5"}
    shop = load("csv", zipped(tmp_path / "shop.zip", members | {"readme.md": b"# hello"}))
    assert shop.files["file"].tolist() == ["Reviews.csv", "orders.csv"] and len(shop.orders) == 1
    assert load("csv", zipped(tmp_path / "one.zip", {"export.csv": TWO[0]})).rows["loaded"] == 1
    inner = {"reviews.csv.gz": gzip.compress(TWO[0]), "more_reviews.csv": HEAD.encode() + TWO[1]}
    assert load("csv", zipped(tmp_path / "two.zip", inner)).rows["loaded"] == 2
    folder = tmp_path / "folder"
    folder.mkdir()
    zipped(folder / "reviews.zip", {"export.csv": TWO[0]})
    assert load("csv", folder).rows["loaded"] == 1, "a zip in a folder is known by its own name as well"


def test_a_dangerous_locked_damaged_or_empty_zip_is_refused(tmp_path):
    bomb = zipped(tmp_path / "bomb.zip", {"reviews.csv": TWO[0] + b"1,aaaaaa,5\n" * 7_000_000})
    with pytest.raises(InputError, match="unpacks from"):
        load("csv", bomb)
    data = zipped(tmp_path / "locked.zip", {"reviews.csv": TWO[0]}).read_bytes()
    (tmp_path / "locked.zip").write_bytes(data.replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"))
    with pytest.raises(InputError, match="without a password"):
        load("csv", tmp_path / "locked.zip")
    whole = zipped(
        tmp_path / "broken.zip", {"reviews.csv": HEAD.encode() + np.random.default_rng(1).bytes(9000).hex().encode()}
    )
    raw = bytearray(whole.read_bytes())
    raw[3000:3010] = b"0123456789"
    whole.write_bytes(raw)
    with pytest.raises(InputError, match="archive|gzip or bzip2"):
        load("csv", whole)
    with pytest.raises(InputError, match="none in empty.zip"):
        load("csv", zipped(tmp_path / "empty.zip", {"._x": b""}))


# --- workbooks --------------------------------------------------------------------------------------------------------


def workbook(path: Path, sheets: dict[str, list[list]], merged: str = "") -> Path:
    "Write a workbook as Excel would: texts shared, numbers as they are, days as numbers of a date style."
    cells = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    shared: list[str] = []

    def cell(column: int, row: int, value: object) -> str:
        at = f"{chr(65 + column)}{row}"
        if isinstance(value, pd.Timestamp):
            return f'<c r="{at}" s="1"><v>{(value - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)}</v></c>'
        if isinstance(value, bool):
            return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str):
            shared.append(value.replace("&", "&amp;").replace("<", "&lt;"))
            return f'<c r="{at}" t="s"><v>{len(shared) - 1}</v></c>'
        return "" if value is None else f'<c r="{at}"><v>{value}</v></c>'

    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    kind, rels = (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://schemas.openxmlformats.org/package/2006/relationships",
    )
    names = list(sheets)
    parts = {}
    for k, rows in enumerate(sheets.values(), 1):
        body = "".join(
            f'<row r="{i}">{"".join(cell(j, i, v) for j, v in enumerate(row))}</row>'
            for i, row in enumerate(rows, 1)
            if row
        )
        parts[f"xl/worksheets/sheet{k}.xml"] = f"<worksheet {main}><sheetData>{body}</sheetData>{cells}</worksheet>"
    listed = "".join(f'<sheet name="{n}" sheetId="{k}" r:id="r{k}"/>' for k, n in enumerate(names, 1))
    parts["xl/workbook.xml"] = f"<workbook {main} {r}><sheets>{listed}</sheets></workbook>"
    targets = [(f"r{k}", "worksheet", f"worksheets/sheet{k}.xml") for k in range(1, len(names) + 1)]
    targets += [("s", "styles", "styles.xml"), ("t", "sharedStrings", "sharedStrings.xml")]
    links = "".join(f'<Relationship Id="{i}" Type="{kind}/{t}" Target="{x}"/>' for i, t, x in targets)
    parts["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{rels}">{links}</Relationships>'
    parts["xl/styles.xml"] = f'<styleSheet {main}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    parts["xl/sharedStrings.xml"] = f"<sst {main}>{''.join(f'<si><t>{t}</t></si>' for t in shared)}</sst>"
    parts["_rels/.rels"] = (
        f'<Relationships xmlns="{rels}"><Relationship Id="b" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    )
    parts["[Content_Types].xml"] = "<Types/>"
    return zipped(path, {name: text.encode() for name, text in parts.items()})


REVIEWS = [
    ["review_id", "customer_id", "text", "rating", "reviewed_at"],
    [1, 17850.0, "Größe & Farbe <passen>", 5, pd.Timestamp("2026-03-01 10:30")],
    [],
    [123456789012, "007", "fällt auseinander", 1, pd.Timestamp("2026-03-02")],
    [None, None, None, None, None],
]


def test_a_workbook_is_read_whatever_the_source_calls_it(tmp_path):
    workbook(tmp_path / "reviews.xlsx", {"May": REVIEWS, "June": [["x"]]})
    for source in ("csv", described(tmp_path), described(tmp_path, 'format = "xlsx"\nsheet = "May"', "other.toml")):
        shop = load(source, tmp_path)
        assert shop.reviews["review_id"].tolist() == ["1", "123456789012"]
        assert shop.reviews["customer_id"].tolist() == ["17850", "007"]
        assert shop.reviews["text"].tolist() == ["Größe & Farbe <passen>", "fällt auseinander"]
        assert shop.reviews["reviewed_at"].tolist()[0] == pd.Timestamp("2026-03-01 10:30", tz="UTC")
        assert shop.rejects[["line", "rule"]].values.tolist() == [[3, "blank_line"]] and shop.reviews[
            "line"
        ].tolist() == [2, 4]
        assert shop.files["encoding"].item() == "xlsx, sheet May"


def test_a_sheet_is_chosen_by_name_and_lines_above_the_header_are_skipped(tmp_path):
    above = [["Export of May"], ["made by", "shop"], [], *REVIEWS[:2]]
    workbook(tmp_path / "reviews.xlsx", {"Cover": [["nothing here"]], "May": above})
    shop = load(described(tmp_path, 'sheet = "May"\nskip = 2'), tmp_path)
    assert shop.reviews["line"].tolist() == [5] and shop.rows["read"] == 1
    with pytest.raises(InputError, match="a sheet 'June'; found Cover, May in reviews.xlsx"):
        load(described(tmp_path, 'sheet = "June"'), tmp_path)
    with pytest.raises(InputError, match="column 'text' .* found nothing here"):
        load("csv", tmp_path / "reviews.xlsx")


def test_a_cell_merged_downwards_stands_in_each_of_its_rows(tmp_path):
    rows = [["review_id", "customer_id", "text"], ["1", "ana", "fine"], ["2", None, "broken"], ["3", None, "late"]]
    workbook(tmp_path / "reviews.xlsx", {"May": rows}, merged="B2:B3")
    assert load("csv", tmp_path).reviews["customer_id"].fillna("").tolist() == ["ana", "ana", ""]


def test_a_draft_finds_the_sheet_and_the_header_and_names_the_other_sheets(tmp_path):
    head = [["Reviews of May"], [], ["Comment", "Stars", "Date"]]
    rows = [[f"It broke on day {i}", 1 + i % 5, pd.Timestamp("2026-05-01") + pd.Timedelta(days=i)] for i in range(20)]
    orders = [["Order ID", "Total"], ["o1", 3.5], ["o2", 4]]
    file = workbook(tmp_path / "may.xlsx", {"Cover": [["Our shop"]], "May": head + rows, "Orders": orders})
    drafted = draft([look(file)], "may")
    assert not drafted.open and drafted.content["files"]["reviews"]["sheet"] == "May"
    shop = load(drafted.source(), file)
    assert len(shop.reviews) == 20 and shop.reviews["line"].tolist()[0] == 4
    assert any("sheets not read: Orders" in note for note in drafted.notes)


def test_a_damaged_workbook_and_one_in_a_zip(tmp_path):
    book = workbook(tmp_path / "reviews.xlsx", {"May": REVIEWS})
    zipped(tmp_path / "shop.zip", {"export/reviews.xlsx": book.read_bytes()})
    assert load("csv", tmp_path / "shop.zip").rows["loaded"] == 2
    (tmp_path / "reviews.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(InputError, match="a whole workbook without a password") as e:
        load("csv", tmp_path / "reviews.xls")
    one_line(e)


# --- CSV --------------------------------------------------------------------------------------------------------------


def read(data: str | bytes, block: int = 1 << 20, **form) -> tuple[list[dict], list[tuple[int, str]], list[int]]:
    data = data.encode() if isinstance(data, str) else data
    batches = list(read_csv((data[i : i + block] for i in range(0, len(data), block)), **form))
    rows = [row for r in batches for row in r.table.to_pylist()]
    return rows, [x[:2] for r in batches for x in r.rejects], [int(x) for r in batches for x in r.line]


HABITS = [
    ("Excel names the delimiter", "sep=;\nid;text\n1;a\n", {}, ["a"], [3]),
    ("Excel, with a source that says it too", '"sep=;"\r\nid;text\r\n1;a\r\n', {"delimiter": ";"}, ["a"], [3]),
    ("inches", 'id,text\n1,a 27" one\n2,"so it is\n', {"quote": "none"}, ['a 27" one', '"so it is'], [2, 3]),
    ("escaped quotes", 'id,text\n1,"a \\"b\\", c"\n2,"d\\\\"\n', {"escape": "\\"}, ['a "b", c', "d\\"], [2, 3]),
    ("escaped delimiters and line ends", "id,text\n1,a\\, b\\\nc\n2,d\n", {"escape": "\\"}, ["a, b\nc", "d"], [2, 4]),
    ("lines before the header", "Export\nmade by me, today\n\nid,text\n1,a\n", {"skip": 2}, ["a"], [5]),
    ("empty lines before the header", "\n\nid,text\n1,a\n", {}, ["a"], [4]),
    ("a delimiter beyond ASCII", 'id¦text\n1¦"a¦b"\n2¦c\n', {"delimiter": "¦"}, ["a¦b", "c"], [2, 3]),
    ("a repeated name that nobody wants", "id,text,m,m\n1,a,b,c\n", {"wanted": {"id", "text"}}, ["a"], [2]),
    ("a NUL where nobody looks", "id,text,m\n1,a,\0\n2,b,c\n", {"wanted": {"id", "text"}}, ["a", "b"], [2, 3]),
    ("other bytes where nobody looks", b"id,text,m\n1,a,\xff\n2,b,c\n", {"wanted": {"id", "text"}}, ["a", "b"], [2, 3]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "form", "texts", "lines"), HABITS, ids=[h[0] for h in HABITS])
@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_a_habit_of_csv_is_read(name, data, form, texts, lines, block):
    rows, rejects, at = read(data, block, **form)
    assert ([r["text"] for r in rows], rejects, at) == (texts, [], lines)


@pytest.mark.parametrize("again", ["id,text", '"id","text"', "\ufeffid,text", '\ufeff"id","text"', "id,text\r"])
def test_a_header_met_again_is_counted_and_no_row(again):
    for block in (3, 1 << 20):
        rows, rejects, _ = read(f"id,text\n1,a\n{again}\n2,b\n", block)
        assert ([r["text"] for r in rows], rejects) == (["a", "b"], [(3, "repeated_header")])
    assert read('id,text\n1,"see id,text"\n2,"x\nid,text"\n')[1] == [], "the same words inside a field are a field"


def test_a_tsv_has_tabs_and_two_delimiter_characters_are_refused(tmp_path):
    for name in ("reviews.tsv", "reviews.TSV", "reviews.tab"):
        (tmp_path / name).write_text("review_id\ttext\n1\ta, b\n")
        assert load("csv", tmp_path / name).reviews["text"].tolist() == ["a, b"]
    with pytest.raises(InputError, match="delimiter.*at most 1 character"):
        load_source(described(tmp_path, 'delimiter = "¦¦"'))


FAULTS = {
    "none": "{i},text {i},5\n",
    "unclosed_quote": '{i},"text {i},5\n',
    "stray_quote": '{i},"text" {i},5\n',
    "too_many_fields": "{i},text {i},5,6\n",
    "too_few_fields": "{i}\n",
    "nul_byte": "{i},te\0xt,5\n",
    "blank_line": "\n",
    "not_decodable": "{i},t\udcff,5\n",
    "quoted": '{i},"text, {i}",5\n',
    "two lines": '{i},"text\n{i}",5\n',
}


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(list(FAULTS)), max_size=25), st.integers(1, 60))
def test_every_fault_is_told_and_its_neighbours_are_read(kinds, block):
    text, line, good, bad = HEAD, 2, [], []
    for i, kind in enumerate(kinds):
        text += FAULTS[kind].format(i=i)
        is_good = kind in ("none", "quoted", "two lines")
        good, bad = (good + [(str(i), line)], bad) if is_good else (good, bad + [(line, kind)])
        line += FAULTS[kind].count("\n")
    data = text.encode("utf-8", "surrogateescape")
    rows, rejects, at = read(data, block)
    whole = read(data)
    assert (rows, sorted(rejects), at) == (whole[0], sorted(whole[1]), whole[2]), "blocks make no difference"
    if "unclosed_quote" not in kinds:  # a quote may be closed by a later one
        assert [(r["review_id"], n) for r, n in zip(rows, at, strict=True)] == good and sorted(rejects) == bad


def test_after_a_fault_the_lines_are_read_fast_again(monkeypatch):
    slow = []
    parse = delimited._parse_record
    monkeypatch.setattr(delimited, "_parse_record", lambda *a: slow.append(1) or parse(*a))
    rows = [f"{i},text {i} {'x' * 80},5\n" for i in range(120_000)]
    for at in range(0, 120_000, 1000):
        rows[at] = f'{at},"never closed {at},5\n'
    batches, rejects, _ = read(HEAD + "".join(rows), 2 << 20)
    assert len(rejects) == 120 and len(batches) == 119_880 and {r for _, r in rejects} == {"unclosed_quote"}
    assert len(slow) < 1000, "Python looks at broken lines and few others"
    alone = [HEAD, '0,"never closed,5\n', *rows[1:1000], *(f"{i},plain {i} {'x' * 80},5\n" for i in range(120_000))]
    slow.clear()
    batches, rejects, _ = read("".join(r for r in alone if "never closed" not in r or r.startswith("0,")), 2 << 20)
    assert rejects == [(2, "unclosed_quote")] and len(batches) == 120_999 and len(slow) < 1000


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_only_wanted_keys_of_json_are_looked_at(tmp_path):
    rows = [
        '{"review_id": "1", "text": "ok item", "images": [], "n": NaN, "odd": "a\\u0000b", "twice": 1, "twice": 2}',
        '{"review_id": "2", "text": "ok too", "rating": NaN, "deep": {"a": [1]}, "half": "\\ud800"}',
        '{"review_id": "3", "text": ["no"], "rating": 1}',
        '{"review_id": "4", "text": "so so", "rating": Infinity}',
    ]
    (tmp_path / "reviews.jsonl").write_text("\n".join(rows))
    shop = load("jsonl", tmp_path)
    assert shop.reviews["review_id"].tolist() == ["1", "2"] and shop.reviews["rating"].isna().all()
    assert shop.rejects[["line", "rule"]].values.tolist() == [[3, "nested_value"], [4, "bad_number"]]


@pytest.mark.parametrize("where", ["first", "last", "never"])
@pytest.mark.parametrize("array", [False, True])
def test_an_optional_key_may_be_absent_whatever_the_order(tmp_path, where, array, monkeypatch):
    monkeypatch.setattr(files, "utf8_blocks", lambda stream, *a, **k: iter(lambda: stream.read(2000), b""))
    rows = [{"id": str(i), "body": f"plain note number {i}", "stars": 5} for i in range(300)]
    if where != "never":
        rows[0 if where == "first" else -1]["headline"] = "Hi"
    text = json.dumps(rows, indent=1) if array else "\n".join(map(json.dumps, rows))
    (tmp_path / ("reviews.json" if array else "reviews.jsonl")).write_text(text)
    mapped = '[review.columns]\nreview_id = "id"\ntext = "body"\ntitle = "headline"\nrating = "stars"'
    shop = load(described(tmp_path, entity=mapped), tmp_path)
    assert shop.rows == {"read": 300, "loaded": 300, "rejected": 0, "duplicate": 0}
    assert (shop.reviews["title"] == "Hi").sum() == (where != "never")


BROKEN = [
    ("every line is cut off", '{"review_id": "1", "text": "a"\n{"review_id": "2"', "bad_json in line 1"),
    ("spread over lines", '{\n "review_id": "1",\n "text": "a"\n}\n', "bad_json in line 1"),
    ("every text is a list", '{"text": ["a"]}\n{"text": {"b": 1}}\n', "nested_value in line 1"),
    ("lists, not objects", '["1", "a"]\n["2", "b"]\n', "not_an_object in line 1"),
    ("another key", '{"review_id": "1", "comment": "a"}\n', "column 'text' for the review's text; found review_id"),
    ("an array that breaks off", '[{"text": "a"},\n{"text": ', "bad_json in line 2"),
    ("an array and more", '[{"text": "a"}]\n[{"text": "b"}]', "bad_json in line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "words"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_json_file_without_a_usable_row_says_line_and_rule(tmp_path, name, data, words):
    (tmp_path / "reviews.jsonl").write_text(data)
    with pytest.raises(InputError) as e:
        load("jsonl", tmp_path)
    assert words in one_line(e)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.text('ab€\n"\\', max_size=5))), st.integers(1, 40)
)
def test_an_array_is_read_as_json_reads_it(rows, block):
    from smart_customer_analysis.data.read import read_json

    data = json.dumps(rows, indent=1, ensure_ascii=False).encode()
    batches = list(read_json(iter([data[i : i + block] for i in range(0, len(data), block)]), expected="abc"))
    assert [r for g in batches for r in g.table.select(list("abc")).to_pylist()] == [
        {k: r.get(k) for k in "abc"} for r in rows
    ]


# --- Parquet ----------------------------------------------------------------------------------------------------------


def test_parquet_columns_that_nobody_uses_are_not_read(tmp_path):
    table = pa.table({"review_id": ["1"], "text": ["fine"], "images": [["a"]], "junk": ["a\0b"], "m": [{"a": 1}]})
    pq.write_table(table, tmp_path / "reviews.parquet")
    assert load("parquet", tmp_path).rows == {"read": 1, "loaded": 1, "rejected": 0, "duplicate": 0}
    pq.write_table(table.rename_columns(["review_id", "title", "text", "junk", "m"]), tmp_path / "reviews.parquet")
    with pytest.raises(InputError, match="'text' holds a list"):
        load("parquet", tmp_path)


@pytest.mark.parametrize("given", ["", "reviews"])
def test_a_table_of_spark_is_a_folder_with_parts(tmp_path, given):
    folder = tmp_path / "reviews"
    for k, country in enumerate(("DE", "FR")):
        (folder / f"place={country}").mkdir(parents=True)
        table = pa.table({"review_id": [str(k)], "text": [f"number {k}"]})
        pq.write_table(table, folder / f"place={country}" / f"part-0000{k}.snappy.parquet")
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / "place=DE" / ".part-00000.snappy.parquet.crc").write_bytes(b"crc\0")
    shop = load("parquet", tmp_path / given)
    assert shop.reviews["review_id"].tolist() == ["0", "1"] and shop.reviews["place"].tolist() == ["DE", "FR"]


# --- folders ----------------------------------------------------------------------------------------------------------


def put(folder: Path, *names: str) -> Path:
    for k, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(HEAD + f"{k},text of {name},5\n")
    return folder


LAYOUTS = [
    ("capital letters", "*review*", ["REVIEWS.CSV"], ["REVIEWS.CSV"]),
    ("left by a Mac", "*review*", ["._reviews.csv", "reviews.csv", "__MACOSX/reviews.csv"], ["reviews.csv"]),
    ("left by Excel", "*review*", ["~$reviews.xlsx", "reviews.csv"], ["reviews.csv"]),
    ("no data", "*review*", ["reviews.csv", "reviews.md", "review_chart.png", "reviews.toml"], ["reviews.csv"]),
    ("a folder of the kind", "*review*", ["reviews/may.csv", "reviews/june.csv", "notes.csv"], ["june.csv", "may.csv"]),
    ("below, where nothing lies above", "*review*", ["2026/05/reviews.csv"], ["reviews.csv"]),
    ("not below, where something lies above", "*review*", ["reviews.csv", "old/reviews.csv"], ["reviews.csv"]),
    ("a pattern with a folder", "in/*.csv", ["in/a.csv", "in/old/b.csv", "c.csv"], ["a.csv"]),
    ("a pattern with any folders", "in/**/*.csv", ["in/a.csv", "in/old/b.csv", "c.csv"], ["a.csv", "b.csv"]),
    ("another format beside it", "*review*", ["reviews.csv", "reviews.jsonl"], ["reviews.csv"]),
    ("an exact name, packed", "reviews.csv", ["reviews.csv.gz"], ["reviews.csv.gz"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pattern", "names", "found"), LAYOUTS, ids=[x[0] for x in LAYOUTS])
def test_a_folder_is_searched_as_people_mean_it(tmp_path, name, pattern, names, found):
    put(tmp_path, *names)
    source = Source.model_validate(
        {"name": "s", "files": {"r": {"path": pattern, "format": "csv"}}, "review": {"file": "r"}}
    )
    shop = load(source, tmp_path)
    assert sorted(Path(f).name for f in shop.files["file"]) == found and shop.rows["loaded"] == len(found)


def test_a_named_file_of_orders_is_no_file_of_reviews(tmp_path):
    (tmp_path / "Orders.csv").write_text("order_id,customer_id,ordered_at,amount\nB1,c1,2026-03-01,5\n")
    with pytest.raises(InputError, match="the file '.review.' of source 'csv'; found Orders.csv"):
        load("csv", tmp_path / "Orders.csv")


def test_standard_input_and_an_address(tmp_path, monkeypatch):
    paths._standard_input.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TWO[0] + TWO[1])))
    shop = load("csv", "-")
    assert shop.rows["loaded"] == 2 and shop.files["file"].tolist() == ["stdin"]
    paths._standard_input.cache_clear()
    with pytest.raises(InputError, match="an address, .*; next: download it"):
        load("csv", "https://example.com/reviews.csv")


# --- quiet nights and wrong files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("orders.csv", "order_id,customer_id,ordered_at,amount\n"),
        ("orders.csv", "order_id,customer_id,ordered_at,amount"),
    ],
)
def test_a_header_alone_is_a_night_without_rows(tmp_path, name, data):
    put(tmp_path, "reviews.csv")
    (tmp_path / name).write_text(data)
    shop = load("csv", tmp_path)
    assert (shop.rows["loaded"], len(shop.orders)) == (1, 0) and shop.files["file"].tolist() == [
        "reviews.csv",
        "orders.csv",
    ]
    (tmp_path / name).write_text("order_id,amount\n")
    with pytest.raises(InputError, match="column 'customer_id'"):
        load("csv", tmp_path)
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="an empty file, orders.csv"):
        load("csv", tmp_path)


def test_no_rows_in_any_format_are_no_fault(tmp_path):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "reviews.parquet")
    assert load("parquet", tmp_path).rows["read"] == 0
    (tmp_path / "reviews.json").write_text("[]")
    assert load("jsonl", tmp_path / "reviews.json").rows["read"] == 0
    workbook(tmp_path / "reviews.xlsx", {"May": [["text"]]})
    assert load("csv", tmp_path / "reviews.xlsx").rows["read"] == 0


def test_the_commonest_rule_is_named_where_every_row_is_refused(tmp_path):
    rows = ["1,,5,2026-01-05", "2,fine thing,5,46082", "3,fine too,5,46083"]
    (tmp_path / "reviews.csv").write_text("review_id,text,rating,reviewed_at\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match="bad_date in line 3 of reviews.csv .*, 3 of 3 rows refused"):
        load("csv", tmp_path)


def test_columns_that_are_named_anywhere_are_wanted():
    olist = load_source("olist")
    assert wanted_columns(olist, "places") == {"geolocation_zip_code_prefix", "geolocation_lng", "geolocation_lat"}
    assert {"review_score", "order_id", "place"} <= (wanted_columns(olist, "reviews") or set())


def test_one_letter_is_not_a_word_of_another_script():
    rows = "id,comment\n1,Good one\n2,Nice thing ł me\n".encode("cp1250")
    assert detect_encoding(rows) in ("cp1250", "iso8859_2"), "read as cp1251 it would be an Ukrainian 'and'"
    assert detect_encoding("id,comment\n1,Good\n2,Хорошо\n".encode("cp1251")) == "cp1251"
