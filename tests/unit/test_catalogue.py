"""The 74 bad inputs of the catalogue, and where each is a row of a table or a test of its own.

A file that loses a case loses its words here; the tests themselves are in the files that are named."""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
LOAD, CLEAN, QUERY = "unit/test_load.py", "unit/test_clean.py", "db/test_query.py"
STRUCTURE = {
    "first row long": '"first row long"', "later row long": '"later row long"', "short row": '"short row"', "unclosed quote": '"unclosed quote"', "stray quote": '"stray quote"',
    "blank lines": '"blank lines"', "CR only": '"CR only"', "mixed line ends": '"mixed line ends"', "wrong delimiter": '"wrong delimiter"', "duplicate header": '"duplicate header"',
    "missing column": '"missing column"', "header only": '"header only"', "empty file": '"empty file"', "trailing delimiters": '"trailing delimiters"',
}  # fmt: skip
ENCODING = {
    "UTF-8 BOM": '"UTF-8 BOM"', "UTF-16 with BOM": '"UTF-16 with BOM"', "Latin-1": '"Latin-1"', "CP949": '"CP949"', "mixed per line": '"mixed per line"', "NUL": '"NUL"',
    "lone surrogates": '"lone surrogate"', "truncated UTF-8 tail": '"truncated UTF-8 tail"', "RTL, zero-width, emoji": '"RTL, zero-width, emoji"', "NFC and NFD": '"NFC and NFD"',
}  # fmt: skip
VALUES = {
    "NA, null, None as text": '"NA, null, None as text"', "leading-zero id": '"leading zero id"', "id beyond 2^53 with blanks": '"id beyond 2^53 and a blank"', "rating out of range": '"rating 6"',
    "empty label": '"empty label"', "unknown label": '"unknown label"', "white-space text": '"white-space text"', "10 MB review": '"10 MB review"', "one-character review": '"one-character review"',
    "exact duplicate": '"exact duplicate"', "same id, other text": '"same id, other text"', "impossible date": '"impossible date"', "time without a zone": "def test_a_time_without_a_zone_is_in_the_sources_zone",
    "future date": '"future date"', "decimal comma": '"decimal comma"', "negative amount": '"negative amount"', "inf, NaN, 1e400": '"inf, NaN, 1e400"', "formula": '"formula"',
}  # fmt: skip
GEOGRAPHY = {
    "latitude over 90": '"lat over 90"', "longitude over 180": '"lon over 180"', "swapped pair": (CLEAN, '"swapped"'), "(0, 0)": (CLEAN, '"zero"'), "NaN, inf": '"inf"', "comma decimals": '"comma decimals"',
    "degrees, minutes, seconds": '"degrees, minutes, seconds"', "one half missing": '"one half missing"', "180 degrees": '"edge of the map"', "poles": '"the other edge"',
    "EPSG:3857 metres": '"web mercator metres"', "wrong SRID": (QUERY, '"another SRID"'), "bow-tie polygon": (QUERY, '"bow tie"'), "polygon over the antimeridian": (QUERY, '"beyond the antimeridian"'),
}  # fmt: skip
FASTTEXT = {
    "no label": '"no label"', "two labels": '"two labels"', "label only": '"label only"', "wrong prefix": '"wrong prefix"', "tab separator": '"tab separator"', "very long line": '"very long line"',
    "blank line": '"blank line"', "unknown label": 'b"__label__3 text', "CRLF": '"CRLF"', "label inside text": '"label inside the text"',
}  # fmt: skip
SQL = {
    "missing table": '"select * from nowhere"', "extra column": "def test_a_view_is_as_good_as_a_table_and_extra_columns_do_no_harm", "type change between batches": "def test_a_column_may_change_its_type_on_the_way",
    "view": '"select * from good"', "mostly NULL": "def test_sql_rows_of_mixed_types_and_nulls", "connection cut mid-fetch": "def test_a_connection_cut_while_rows_come",
    "server not UTF-8": "def test_a_server_that_is_not_utf8_is_read_or_refused", "read-only user": "def test_a_user_who_may_only_read_is_enough",
}  # fmt: skip
GROUPS = {"A": STRUCTURE, "B": ENCODING, "C": VALUES, "D": GEOGRAPHY, "E": FASTTEXT, "F": SQL}
CASES = [
    (g, case, *(at if isinstance(at, tuple) else (LOAD, at)))
    for g, cases in GROUPS.items()
    for case, at in cases.items()
]


@pytest.mark.parametrize(("group", "case", "file", "words"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_the_case_has_a_test(group, case, file, words):
    assert words in (TESTS / file).read_text(encoding="utf-8")


def test_there_are_74():
    assert {g: len(c) for g, c in GROUPS.items()} == {"A": 14, "B": 10, "C": 18, "D": 14, "E": 10, "F": 8} and len(
        CASES
    ) == 74
