"What the tutorials show is what today's code shows; `make test` compares all of them in the run it makes anyway."

import json
import subprocess
import sys

import outputs
import pytest
import tree

BOOK = tree.NBS / "tutorials" / "own_shop.ipynb"  # the quickest one


def edited(folder, before, after):
    "A copy of the tutorial in which one thing that is shown was changed."
    text = BOOK.read_text(encoding="utf-8")
    assert before in text
    path = folder / BOOK.name
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


def test_a_tutorial_shows_what_is_committed():
    run = [sys.executable, ".ci/notebooks", tree.shown(BOOK)]
    process = subprocess.run(run, cwd=tree.ROOT, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "show what is committed" in process.stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [("<td>2026-11-02 23:00:00+00:00</td>", "<td>2026-11-03 23:00:00+00:00</td>"), ("bad_amount</td>", "bad</td>")],
    ids=["a date", "a word"],
)
def test_an_output_edited_by_hand_is_seen(tmp_path, before, after):
    lines = outputs.changes(edited(tmp_path, before, after), BOOK)
    assert len(lines) == 1 and "committed:" in lines[0]
    assert not outputs.changes(BOOK, BOOK)


def cell(text, **data):
    return {"outputs": [{"output_type": "execute_result", "data": {"text/plain": text, **data}}]}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("33% of 2,003 reviews", "34% of 2,003 reviews", False),
        ("33% of 2,003 reviews", "33% of 2,033 reviews", False),
        ("0.33512", "0.33513", True),  # the last digits of a sum on other cores
        ("+1 points", "-1 points", False),
        ("Lisboa, Porto", "Lisboa", False),
        ("ready in 3.2 s", "ready in 12.4 s", True),
        ("model 20261130T155155.384Z-8152a00d", "model 20261201T000000.000Z-8152a00d", True),
        ("model 20261130T155155.384Z-8152a00d", "model 20261130T155155.384Z-1111111d", False),
    ],
)
def test_numbers_and_words_are_compared_and_times_are_not(before, after, same):
    texts = [outputs.shown(cell(text)) for text in (before, after)]
    assert (outputs.difference(*texts, 1e-3) == "") is same


def test_a_table_is_read_whole_and_a_picture_only_by_its_kind():
    table = cell("a  ...  b", **{"text/html": "<style>x {1}</style><td>a</td><td>7</td><td>b</td>"})
    assert outputs.shown(table).split() == ["a", "7", "b"]
    assert outputs.shown(cell("<Figure>", **{"image/png": "abc"})) == "[image/png]"


def test_another_number_of_cells_is_seen(tmp_path):
    book = json.loads(BOOK.read_text(encoding="utf-8"))
    (tmp_path / "book.ipynb").write_text(json.dumps(book | {"cells": book["cells"][:-1]}), encoding="utf-8")
    with pytest.raises(ValueError, match="zip"):
        outputs.changes(BOOK, tmp_path / "book.ipynb")
