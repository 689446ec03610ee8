"Notebooks of one's own: what the check says, what is copied, what the starter makes, and one file per region."

import json
import re
from pathlib import Path

import IPython.display
import nbformat
import pandas as pd
import pytest
from typer.testing import CliRunner

from smart_customer_analysis.commands.report import reports
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.check import add_notebook, check_notebook
from smart_customer_analysis.report.each import run_each, values_of
from smart_customer_analysis.report.run import run_report, templates
from smart_customer_analysis.report.starter import starter
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate

FINISH = "from smart_customer_analysis.report.run import finish\nfinish('Mine', 'always', 1)"
WHOLE = ("n: int = 1  # how many", FINISH)


def notebook(path: Path, *cells: str, tagged: tuple[int, ...] = (0,), **metadata) -> Path:
    "Write a notebook of code cells below one text cell, so that the first code cell is cell 2."
    code = [
        nbformat.v4.new_code_cell(c, metadata={"tags": ["parameters"]} if i in tagged else {})
        for i, c in enumerate(cells)
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Mine"), *code], metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


FINDINGS = [  # cells, where, what, must it be changed
    (("n = 1", FINISH), 2, "n has no comment", False),
    (("n: int =", FINISH), 2, "invalid syntax", True),
    (("n = 1  # a\nm = n + 1  # b", FINISH), 2, "a default made from n", True),
    (("n = 1  # a\nprint(n)\nfor x in []: pass", FINISH), 2, "line 3: more than a parameter", True),
    ((*WHOLE, "print('after')"), 3, "not in the last cell", True),
    (("n = 1  # a", "print(n)"), 3, "not in the last cell", True),
    ((WHOLE[0], "x = (", FINISH), 3, "no Python", True),
    ((WHOLE[0], "open('/home/anna/shop.csv')", FINISH), 3, "'/home/anna/shop.csv'", True),
    ((WHOLE[0], "x = f'~/data/{n}.csv'", FINISH), 3, "'~/data/'", True),
    ((WHOLE[0], r"x = 'C:\\shop\\a.csv'", FINISH), 3, "the absolute path", True),
    ((WHOLE[0], "name = input('who?')", FINISH), 3, "nobody answers", True),
    ((WHOLE[0], "%pip install seaborn", FINISH), 3, "a shell", False),
    ((WHOLE[0], "files = !ls", FINISH), 3, "a shell", False),
    ((WHOLE[0], "%%bash\nls", FINISH), 3, "a shell", False),
    ((WHOLE[0], "import requests as r", FINISH), 3, "import of requests", False),
    ((WHOLE[0], "from urllib.request import urlopen", FINISH), 3, "import of urllib.request", False),
    ((WHOLE[0], "import pandas as pd\npd.read_csv('https://shop.example/a.csv')", FINISH), 3, "read_csv", False),
]


@pytest.mark.parametrize(("cells", "cell", "found", "must"), FINDINGS, ids=[f[2][:30] for f in FINDINGS])
def test_what_keeps_a_notebook_out_is_said_with_its_cell(tmp_path, cells, cell, found, must):
    faults = [f for f in check_notebook(notebook(tmp_path / "mine.ipynb", *cells)) if found in f.found]
    assert faults, check_notebook(tmp_path / "mine.ipynb")
    assert (faults[0].cell, faults[0].must) == (cell, must) and faults[0].change


def test_a_notebook_without_a_fault_has_no_finding(tmp_path):
    body = "%matplotlib inline\nlink = '<a href=\"https://shop.example\">shop</a>'"
    body += "\npath = 'data/orders.csv'\nx = '/v1/predict'"
    assert check_notebook(notebook(tmp_path / "10_mine.ipynb", WHOLE[0], body, FINISH)) == []


def test_tags_kernel_name_and_size_are_checked(tmp_path):
    def told(path, **more):
        return " | ".join(f.found for f in check_notebook(path, **more) if f.must)

    assert "no cell tagged" in told(notebook(tmp_path / "a.ipynb", *WHOLE, tagged=()))
    assert "a second cell tagged" in told(notebook(tmp_path / "b.ipynb", *WHOLE, tagged=(0, 1)))
    kernel = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    assert "a kernel for R" in told(notebook(tmp_path / "c.ipynb", *WHOLE, **kernel))
    weekly = notebook(tmp_path / "weekly.ipynb", *WHOLE)
    assert "which another report has" in told(weekly, shipped=frozenset({"weekly"}))
    assert "the name 'my report'" in told(notebook(tmp_path / "my report.ipynb", *WHOLE))
    big = notebook(tmp_path / "d.ipynb", WHOLE[0], f"x = {'a' * 1_100_000!r}", FINISH)
    assert "bytes without outputs" in told(big)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', '{"cells": [], "nbformat": 3}'])
def test_a_file_that_is_no_notebook_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(InputError, match="expected a notebook; found x.ipynb"):
        check_notebook(tmp_path / "x.ipynb")


def test_a_copy_has_no_outputs_and_never_takes_the_place_of_another_unasked(tmp_path):
    mine = notebook(tmp_path / "10_mine.ipynb", *WHOLE)
    nb = nbformat.read(mine, as_version=4)
    nb.cells[2].outputs = [nbformat.v4.new_output("stream", text="Anna wrote: it leaks")]
    nbformat.write(nb, mine)
    copy = add_notebook(mine, tmp_path / "own")
    assert copy.name == "mine.ipynb" and "Anna" not in copy.read_text()
    with pytest.raises(InputError, match="--replace"):
        add_notebook(mine, tmp_path / "own")
    assert add_notebook(mine, tmp_path / "own", replace=True) == copy


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "settings.ini").write_text("[sca]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_new_and_add_write_where_run_and_list_look(home):
    result = CliRunner().invoke(reports, ["new", "late_parcels"])
    assert result.exit_code == 0 and (home / "notebooks" / "late_parcels.ipynb").is_file()
    assert templates(settings=load_settings(home))["late_parcels"].is_file()
    assert "late_parcels" in CliRunner().invoke(reports, ["list"]).stdout
    for name in ("late_parcels", "weekly", "../x", "a b", ""):
        assert isinstance(CliRunner().invoke(reports, ["new", name]).exception, InputError), name
    bad = CliRunner().invoke(reports, ["add", str(notebook(home / "bad.ipynb", "n = 1  # a", "print(n)"))])
    assert bad.exit_code == 1 and "not in the last cell" in bad.stdout and not (home / "notebooks/bad.ipynb").exists()
    mine = str(notebook(home / "good.ipynb", *WHOLE))
    good = CliRunner().invoke(reports, ["add", mine, "--name", "better", "--json"])
    assert json.loads(good.stdout)["copy"] == str(home / "notebooks" / "better.ipynb")
    shown = CliRunner().invoke(reports, ["show", "late_parcels"]).stdout
    result = ("segment", "region", "product", "days in the period", "never made")
    assert all(word in shown for word in result)


QUOTES = """
from IPython.display import HTML, display
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.report.page import escape, quotes
from smart_customer_analysis.report.run import finish
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.filters import Filters
if region == "R07":
    raise ValueError("planted")
items = Service(load_settings()).reviews(Filters(region=region or None), limit=50)["items"]
display(HTML(f"<h1>{escape(region)}</h1>{quotes(items)}"))
finish("Quotes", "all days", 1, key="always")
"""


@pytest.fixture
def run_cells_here(monkeypatch):
    "Run the cells of a report in this process: fifty kernels take minutes. All around them is as it is."

    def execute(template, out, values, settings, timeout):
        report._write_request(template, out, values)
        nb, result = nbformat.read(out, as_version=4), out.with_suffix(".result.json")
        out.with_suffix(".parameters.json").write_text(json.dumps(report.plain(values)))
        shown: list = []
        monkeypatch.setattr(IPython.display, "display", lambda html: shown.append(html.data))
        monkeypatch.setenv(report.RESULT_FILE, str(result))
        for name, value in report.settings_environ(settings).items():
            monkeypatch.setenv(name, value)
        scope: dict = {}
        for cell in nb.cells:
            exec(cell.source, scope)  # noqa: S102  (the cells of the test)
        nb.cells[-1].outputs = [nbformat.v4.new_output("display_data", {"text/html": h}) for h in shown]
        nbformat.write(nb, out)
        return json.loads(result.read_text())

    monkeypatch.setattr(report, "_execute", execute)


@pytest.fixture
def regions(home):
    "A shop of 51 regions with a word of its own in each review, and of one with three customers."
    shop = make_shop(n_customers=1300, n_reviews=2600, dirty=False)
    customers = shop.customers.reset_index(drop=True)
    names = [f"R{i % 51:02d}" for i in range(len(customers) - 3)] + ["Tinyland"] * 3
    customers = customers.assign(region=pd.Series(names, dtype=customers["region"].dtype))
    at = dict(zip(customers["customer_id"], customers["region"], strict=True))
    texts = [f"Canary{at.get(c, 'None')}x sang here." for c in shop.reviews["customer_id"]]
    reviews = shop.reviews.assign(text=pd.Series(texts, shop.reviews.index, dtype=shop.reviews["text"].dtype))
    settings = load_settings(home)
    engine = make_engine(settings.database)
    migrate(engine)
    save_load(engine, "sample", reviews, customers, shop.orders)
    engine.dispose()
    notebook(settings.templates_dir / "quotes.ipynb", "region: str = ''  # only this region", QUOTES)
    return settings


def test_each_of_fifty_regions_has_a_file_with_its_own_words_only(regions, run_cells_here):
    shown, hidden = values_of(regions, "quotes", "region")
    assert len(shown) == 50 and hidden == 2 and "Tinyland" not in shown  # one more protects the small one
    numbers: list = []
    runs = run_each(regions, "quotes", "region", shown, progress=lambda n, d: numbers.append(n))
    failed = [d.value for d in runs if d.run is None]
    assert failed == [r for r in ["R07"] if r in shown] and numbers == list(range(1, 51))
    pages = {d.value: d.run.html.read_text(encoding="utf-8") for d in runs if d.run}
    assert len({d.run.html.parent for d in runs if d.run}) == 50 - len(failed)
    for region, text in pages.items():
        assert set(re.findall(r"Canary(\w+?)x", text)) == {region}
    for path in regions.reports_dir.rglob("*"):
        if path.is_file() and path.parent != regions.reports_dir:
            assert len(set(re.findall(r"Canary(\w+?)x", path.read_text(encoding="utf-8")))) <= 1, path


def test_the_command_says_how_many_regions_are_too_small_and_none_of_their_names(regions, run_cells_here, monkeypatch):
    monkeypatch.setattr("smart_customer_analysis.report.each.run_report", lambda *a, **k: run_report(*a, **k))
    result = CliRunner().invoke(reports, ["run", "quotes", "--for-each", "region"])
    assert result.exit_code == 1, "R07 fails"
    assert "49 of 50 reports made, by region; 2 with too few customers to be shown have none" in result.stdout
    assert (
        "Tinyland" not in result.stdout + result.stderr and "50/50" in result.stderr and "R07: failed" in result.stderr
    )
    names = [p.read_text(encoding="utf-8") for p in regions.reports_dir.iterdir() if p.is_file()]
    assert len(names) == 3 and not any("Tinyland" in n for n in names)
    for wrong in (["-p", "region=R01", "--for-each", "region"], ["--for-each", "colour"]):
        assert isinstance(CliRunner().invoke(reports, ["run", "quotes", *wrong]).exception, InputError)


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "</p></blockquote><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<body onload=alert(1)>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><input name=q></form>",
    "<object data=https://evil.example></object>",
    "<ScRiPt >alert(1)</sCrIpT>",
    "<img src=https://evil.example/pixel.png>",
    "<!--><script>alert(1)</script-->",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]


def test_twenty_reviews_with_code_in_them_stay_text(home, run_cells_here):
    from html.parser import HTMLParser

    shop = make_shop(n_customers=60, n_reviews=120, dirty=False)
    reviews = shop.reviews.head(20).assign(text=pd.Series(PAYLOADS, shop.reviews.index[:20], dtype="str"), title="")
    settings = load_settings(home)
    engine = make_engine(settings.database)
    migrate(engine)
    save_load(engine, "sample", reviews, shop.customers, shop.orders)
    engine.dispose()
    notebook(settings.templates_dir / "quotes.ipynb", "region: str = ''  # only this region", QUOTES)
    page = run_report(settings, "quotes").html.read_text(encoding="utf-8")
    tags, text = [], []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))
    parser.handle_data = text.append
    parser.feed(page.partition("<body>")[2])
    assert {t for t, _ in tags} <= {"main", "div", "h1", "p", "blockquote"}, "a review made a tag"
    assert not [a for _, attrs in tags for a in attrs if a.startswith("on") or a in ("href", "src")]
    assert all(p in "".join(text) for p in PAYLOADS), "the text is shown as it was written"


def test_the_starter_is_a_notebook_that_the_check_lets_through(tmp_path):
    path = tmp_path / "late_parcels.ipynb"
    path.write_text(json.dumps(starter("late_parcels")))
    assert check_notebook(path) == [] and nbformat.validate(nbformat.read(path, as_version=4)) is None
