"""The list of tutorials on the start page, written from the first cells of the notebooks.

`python docs/start_page.py` writes it into `nbs/index.ipynb`; `make export` does so. A house test compares.
"""

import json
import re
from pathlib import Path

from pages import TUTORIALS

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "nbs" / "index.ipynb"
CELL = "b8d5e2f3"  # of the list
AFTER = (
    "Minutes are estimates for two cores with nothing else to do. Each runs as it is: *Run*, then *Run All Cells*. The "
    "notebooks in `reports` need the database of a run: `sca run`. A notebook of your own goes into the folder "
    "`notebooks` beside `nbs`."
)


def head(book: Path) -> dict[str, str]:
    "Title, one line, minutes and needs of a tutorial; raises `ValueError` where one is missing."
    text = "".join(json.loads(book.read_text(encoding="utf-8"))["cells"][0]["source"])
    facts = dict(re.findall(r"^- (minutes|needs): *(.+)$", text, re.M))
    facts |= {"title": text.splitlines()[0].removeprefix("# "), "line": re.search(r"^> (.+)$", text, re.M)[1]}
    if {"minutes", "needs"} - set(facts):
        raise ValueError(f"{book.name}: begin with a title, a line after >, `- minutes: …` and `- needs: …`")
    return facts


def tutorials() -> list[Path]:
    "The tutorials, in reading order."
    books = (ROOT / "nbs" / "tutorials").glob("*.ipynb")
    return sorted(books, key=lambda b: ((*TUTORIALS, b.stem).index(b.stem), b.stem))


def table() -> str:
    "One row for each tutorial."
    rows = ["| Tutorial | What it answers | Minutes | Needs |", "|---|---|---|---|"]
    for book in tutorials():
        h = head(book)
        rows.append(f"| [{h['title']}](tutorials/{book.name}) | {h['line']} | {h['minutes']} | {h['needs']} |")
    return "\n".join([*rows, "", AFTER])


def write() -> None:
    "Put the table into the start page."
    home = json.loads(HOME.read_text(encoding="utf-8"))
    next(c for c in home["cells"] if c["id"] == CELL)["source"] = table().splitlines(keepends=True)
    text = json.dumps(home, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if text != HOME.read_text(encoding="utf-8"):
        HOME.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
