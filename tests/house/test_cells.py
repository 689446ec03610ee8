"Notebooks are texts: small cells, a value after at most two of them, and no module over 500 lines."

import ast

import pytest
import tree

LONGEST = 40  # lines of one exported cell
USUAL = 25  # lines that nine of ten exported cells keep
RUN = 2  # exported cells in a row before a value is shown
MODULE = 500  # lines of a module


def code_cells(path):
    return [tree.source(c) for c in tree.cells(path) if c["cell_type"] == "code"]


def only_imports(text):
    return all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(text).body)


def exported(path):
    "Exported cells that hold more than imports."
    return [s for s in code_cells(path) if s.startswith("#| export") and not only_imports(s)]


def length(text):
    return len(text.strip().splitlines()) - 1  # without the directive


@pytest.mark.parametrize("path", tree.numbered_notebooks(), ids=tree.shown)
def test_no_exported_cell_is_long(path):
    long = {s.splitlines()[1][:60]: length(s) for s in exported(path) if length(s) > LONGEST}
    assert not long, f"{tree.shown(path)}: over {LONGEST} lines: {long}; split the cell, show a value between"


def test_most_exported_cells_are_short():
    lengths = sorted(length(s) for path in tree.numbered_notebooks() for s in exported(path))
    at = lengths[int(0.9 * len(lengths))]
    assert at <= USUAL, f"one cell in ten has more than {at} lines; {USUAL} is the limit"


@pytest.mark.parametrize("path", tree.numbered_notebooks(), ids=tree.shown)
def test_a_value_follows_exported_cells(path):
    run = 0
    for text in code_cells(path):
        if text.startswith("#| export"):
            run += 0 if only_imports(text) else 1
            assert run <= RUN, (
                f"{tree.shown(path)}: {run} exported cells without a value, the last begins {text[10:80]!r}"
            )
        elif not text.startswith(("#| hide", "#| default_exp")):
            run = 0


@pytest.mark.parametrize("path", tree.generated(), ids=tree.shown)
def test_no_module_is_long(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE, f"{tree.shown(path)} has {lines} lines; a module over {MODULE} holds two concerns"
