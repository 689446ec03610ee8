"From nbdev's processed notebooks to pages: what Quarto understands and Sphinx does not is translated or dropped."

import json
import re
import sys

import pytest
import tree

sys.path.insert(0, str(tree.ROOT / "docs"))
import build  # noqa: E402
import http_page  # noqa: E402
import pages  # noqa: E402
import start_page  # noqa: E402


def code(source, outputs=(), **metadata):
    return {
        "cell_type": "code",
        "id": "x",
        "metadata": metadata,
        "source": source,
        "outputs": list(outputs),
        "execution_count": 3,
        "has_sd": True,
    }


def test_front_matter_becomes_title_even_when_folded():
    raw = {"cell_type": "raw", "source": "---\ndescription: one line that is\n  folded\ntitle: 'What''s new?'\n\n---\n"}
    head, rest = pages.front_matter([raw, code("1")])
    assert head == {"description": "one line that is folded", "title": "What's new?"} and len(rest) == 1


def test_a_tutorial_says_what_it_takes():
    raw = {"cell_type": "raw", "source": "---\nminutes: 2\nneeds: 'nothing; really'\ntitle: A\n\n---\n"}
    line = pages.who_reads("tutorials/a", None, pages.what_it_takes([raw]))
    assert "Minutes: 2. Needs: nothing; really." in line
    assert "Minutes" not in pages.who_reads("010_schema", None, {"title": "A"})


@pytest.mark.parametrize(
    "quarto, myst",
    [
        ("::: {.callout-note}\ntext\n:::", ":::{note}\ntext\n:::"),
        ("[a](https://b.c){target=_blank}", "[a](https://b.c)"),
        ("---\n\ntext", "text"),
        ("#| export: true\ntext", "text"),
    ],
)
def test_markdown_dialect(quarto, myst):
    assert pages.translate_markdown(quarto) == myst


def test_directives_become_tags_and_odd_keys_go():
    cell = pages.translate_cell(code("#| echo: false\n1 + 1", execution={"total": 0.1}))
    assert cell["metadata"] == {"tags": ["remove-input"]} and cell["source"] == "1 + 1"
    assert set(cell) == {"cell_type", "id", "metadata", "source", "outputs", "execution_count"}


def test_signature_becomes_text():
    shown = {
        "output_type": "execute_result",
        "data": {
            "text/markdown": "---\n\n### f\n\n```python\ndef f(\n    a:<class "
            "'BinaryIO'>,\n)->__main__.T:\n```\n\n*Doc.*"
        },
    }
    cell = pages.translate_cell(code("#| echo: false\n#| output: asis\nshow_doc(f)", [shown]))
    assert cell["cell_type"] == "markdown" and cell["source"].startswith("### f")
    assert "a:BinaryIO" in cell["source"] and "->T" in cell["source"]


def test_headings_stay_consecutive():
    cells = [
        {"cell_type": "markdown", "source": "#### deep"},
        {"cell_type": "markdown", "source": "```\n# not a heading\n```"},
    ]
    assert [c["source"] for c in pages.smooth_headings(cells)] == ["## deep", "```\n# not a heading\n```"]


def test_links_to_files_without_a_page_lose_the_link():
    links = {"README.md": "/project/README.md"}
    assert (
        pages.relink("[read](../README.md), [api](docs/openapi.json), [web](https://x.y)", links)
        == "[read](/project/README.md), api, [web](https://x.y)"
    )


def test_tables_and_pages_of_one_name_are_told_apart():
    links = {"labels.md": "/how_to/labels.md", "measured/labels.md": "/measured/labels.md"}
    text = "[how](labels.md#limits), [measured](../docs/measured/labels.md)"
    assert pages.relink(text, links) == "[how](/how_to/labels.md#limits), [measured](/measured/labels.md)"


TEXTS = [tree.ROOT / "README.md", tree.ROOT / "CONTRIBUTING.md", *sorted((tree.ROOT / "docs").rglob("*.md"))]
TEXTS = [p for p in TEXTS if not any(part.startswith("_") for part in p.relative_to(tree.ROOT).parts)]


def test_links_between_the_texts_lead_to_files():
    home = json.loads((tree.NBS / "index.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = {p: p.read_text(encoding="utf-8") for p in TEXTS}
    texts[tree.NBS / "index.ipynb"] = "\n".join("".join(c["source"]) for c in home)
    missing = [
        f"{path.relative_to(tree.ROOT)}: {target}"
        for path, text in texts.items()
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"(https?|mailto):|#|/", target) and not (path.parent / target.split("#")[0]).exists()
    ]
    assert not missing, missing


def test_the_start_page_lists_every_tutorial_as_it_says_of_itself():
    home = json.loads((tree.NBS / "index.ipynb").read_text(encoding="utf-8"))["cells"]
    listed = next("".join(c["source"]) for c in home if c["id"] == start_page.CELL)
    assert listed == start_page.table(), "run `make export`"
    rows = (tree.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    row = next(r for r in rows if r.startswith("| `tutorials/"))
    assert not [b.stem for b in start_page.tutorials() if f"`{b.stem}`" not in row.replace("tutorials/", "")]


def test_a_tutorial_that_does_not_say_what_it_needs_is_refused(tmp_path):
    book = tmp_path / "a.ipynb"
    cell = {"cell_type": "markdown", "source": ["# A\n", "\n", "> What?\n", "\n", "- minutes: 1\n"]}
    book.write_text(json.dumps({"cells": [cell]}))
    with pytest.raises(ValueError, match="needs"):
        start_page.head(book)


def test_the_list_of_questions_names_every_how_to():
    folder = tree.ROOT / "docs" / "how_to"
    listed = (folder / "questions.md").read_text(encoding="utf-8")
    for page in set(folder.glob("*.md")) - {folder / "questions.md"}:
        assert f"({page.name})" in listed, f"name {page.name} in docs/how_to/questions.md"
        assert page.read_text(encoding="utf-8").splitlines()[0].endswith("?"), f"{page.name}: its title is a question"


def test_the_page_of_the_api_has_every_address_and_object(tmp_path):
    description = tree.ROOT / "docs" / "openapi.json"
    http_page.write_http(description, tmp_path / "http.md")
    page, api = (tmp_path / "http.md").read_text(encoding="utf-8"), json.loads(description.read_text(encoding="utf-8"))
    wanted = [f"### `{m.upper()} {path}`" for path, methods in api["paths"].items() for m in methods]
    wanted += [f"### {name}\n" for name in api["components"]["schemas"]]
    assert not [w for w in wanted if w not in page]


def test_only_pages_that_changed_are_written_again(tmp_path):
    new, source = tmp_path / "new", tmp_path / "source"
    for folder, texts in ((source, {"a.md": "1", "gone.md": "1"}), (new, {"a.md": "1", "sub/b.md": "2"})):
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    before = (source / "a.md").stat().st_ino
    build.take_over(new, source)
    assert sorted(p.relative_to(source).as_posix() for p in source.rglob("*.md")) == ["a.md", "sub/b.md"]
    assert (source / "a.md").stat().st_ino == before


def test_a_picture_beside_a_table_is_shown():
    assert pages.relink("![curve](curve.png)", {"curve.png": "/measured/curve.png"}) == "![curve](/measured/curve.png)"
    for page in (tree.ROOT / "docs" / "measured").glob("*.md"):
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert page.with_name(name).is_file(), f"{page.name} shows {name}, which is not there"


def test_reference_shows_signature_with_comments(tmp_path):
    (tmp_path / tree.NAME).mkdir()
    module = (
        '"Doc."\n__all__ = ["f", "C", "K"]\nK = 1\ndef f(\n    a: int,  # metres\n) -> int:  # more metres\n    '
        '"Add one | two."\n    return a + 1\nclass C:\n    "A thing."\n    x: int  # a number\n    def '
        'go(self) -> None:\n        "Go."\n'
    )
    (tmp_path / tree.NAME / "m.py").write_text(module)
    pages.write_reference(tmp_path, {"m": "01_m.ipynb"}, tmp_path / "out")
    page, table = (tmp_path / "out" / "m.md").read_text(), (tmp_path / "out" / "index.md").read_text()
    assert "a: int,  # metres" in page and ") -> int:  # more metres" in page and "return a" not in page
    assert "### C.go" in page and "x: int  # a number" in page and "Constants: `K`" in page
    assert "| [`f`](/reference/m.md#f) |" in table and "Add one \\| two." in table


def test_remote_assets_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="https://ok.org">link</a><script src="https://cdn.org/x.js"></script><link rel="stylesheet" '
        'href="//cdn.org/y.css">'
    )
    assert len(pages.remote_assets(tmp_path)) == 2


@pytest.mark.parametrize("path", tree.all_notebooks(), ids=tree.shown)
def test_notebook_is_valid_json_with_unique_cell_ids(path):
    ids = [c["id"] for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert len(set(ids)) == len(ids)


def test_the_readme_quotes_what_was_measured():
    measured = "\n".join(p.read_text(encoding="utf-8") for p in sorted((tree.ROOT / "docs" / "measured").glob("*.md")))
    readme = (tree.ROOT / "README.md").read_text(encoding="utf-8")
    quoted = set(re.findall(r"\b0\.\d{3}(?: \(0\.\d{3}–0\.\d{3}\))?", readme))
    assert quoted and not {q for q in quoted if q not in measured}
