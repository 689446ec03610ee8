"One parameter cell: what it means, what it refuses, and one name for the same request."

import json
import subprocess
from datetime import date
from pathlib import Path

import jsonschema
import nbformat
import pytest
from bad_requests import BAD, CELL

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.parameters import checked, content_hash, described, json_schema, parameters
from smart_customer_analysis.report.run import check_shop, named_regions, run_report, templates
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.serving import ServiceParts, shown_regions
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.query import reports


def template(folder: Path, cell: str, name: str = "10_mine.ipynb", first: str = "# Mine: what is new?") -> Path:
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        nbformat.v4.new_markdown_cell(first),
        nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("raise SystemExit('a kernel was started')"),
    ]
    folder.mkdir(exist_ok=True)
    nbformat.write(nb, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return template(tmp_path_factory.mktemp("toy"), CELL)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "settings.ini").write_text("[sca]\n")
    made = load_settings(home, data_dir=home / "data", reports_dir=home / "reports")
    migrate(make_engine(made.database))
    return made


@pytest.fixture
def nothing_starts(monkeypatch):
    def started(*arguments, **more):
        raise AssertionError(f"a process was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", started)
    monkeypatch.setattr(report, "start", started)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_refused_before_a_kernel_starts(toy, settings, nothing_starts, case):
    with pytest.raises(InputError) as refused:
        run_report(settings, "mine", folder=toy.parent, request=BAD[case])
    name = next(iter(BAD[case]))
    known = [p.name for p in parameters(toy)]
    assert refused.value.expected.startswith(f"{name}: " if name in known else "parameters [")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600
    assert not (settings.reports_dir.exists() and list(settings.reports_dir.iterdir()))


def test_there_are_fifty_bad_requests():
    assert len(BAD) >= 50 and len({json.dumps(b, default=str) for b in BAD.values()}) == len(BAD)


READ = [  # line of the cell, kind, choices, low, high
    ("weeks: int = 4  # weeks compared (1 to 104)", "int", (), 1, 104),
    ("share = 0.5  # least share (0 to 0.75)", "float", (), 0, 0.75),
    ("n: int = 4  # people (at least 1); 0 is nobody", "int", (), 1, None),
    ("n: int = -4  # points (at most -1)", "int", (), None, -1),
    ("n: int = 4  # weeks (see the notes), (4 to be sure)", "int", (), None, None),
    ("text = ''  # pages (1 to 9)", "str", (), None, None),
    ("unit = 'week'  # length, one of: week, month; weeks begin on Monday", "str", ("week", "month"), None, None),
    ("step = 2  # one of: 1, 2, 4", "int", (1, 2, 4), None, None),
    ("mood: Literal['a, b', 'c'] = 'c'  # how", "str", ("a, b", "c"), None, None),
    ("mood: 'Literal[\"good\"] | None' = None", "str", ("good",), None, None),
    ("size: Literal[1] | int = 7", "int", (), None, None),
    ("end: str = ''  # last day, YYYY-MM-DD", "date", (), None, None),
    ("end: date | None = None", "date", (), None, None),
    ("flag = False", "bool", (), None, None),
    ("ids: tuple[int, ...] = (1,)", "list", (), None, None),
    ("either: int | str = 1", "str", (), None, None),
    ("money: Money = '1 EUR'", "str", (), None, None),
    ("anything = None", "str", (), None, None),
]


@pytest.mark.parametrize(("line", *("kind choices low high".split())), READ, ids=[r[0] for r in READ])
def test_a_line_says_kind_choices_and_range(tmp_path, line, kind, choices, low, high):
    (p,) = parameters(template(tmp_path, line))
    assert (p.kind, p.choices, p.low, p.high) == (kind, choices, low, high)


@pytest.mark.parametrize(
    "line",
    [
        "weeks: int = 0  # (1 to 104)",
        "weeks: int = 4  # (104 to 1)",
        "unit = 'day'  # one of: week, month",
        "step = 1  # one of: one, two",
        "n: 'int |' = 1",
    ],
)
def test_a_line_that_contradicts_itself_is_refused_with_its_name(tmp_path, line):
    with pytest.raises(InputError, match=f"expected {line.split(':')[0].split(' =')[0]}: .*found 10_mine.ipynb"):
        parameters(template(tmp_path, line))


def test_what_the_range_and_the_choices_hold_is_taken(toy):
    values = checked(toy, {"weeks": "104", "share": 1, "unit": "month", "top": "10", "step": "4", "limit": "7"})
    assert (values["weeks"], values["share"], values["unit"], values["top"], values["step"], values["limit"]) == (
        104,
        1.0,
        "month",
        10,
        4,
        7,
    )
    assert checked(toy, {"names": ["a, b", "c"], "numbers": "[3]"})["numbers"] == [3]


def test_the_schema_takes_what_the_template_takes(toy):
    schema = json_schema(toy)
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema)
    defaults = {name: p["default"] for name, p in schema["properties"].items()}
    assert not list(valid.iter_errors(defaults))
    assert checked(toy, defaults) == checked(toy, {})
    assert list(valid.iter_errors({"weeks": 105})) and list(valid.iter_errors({"unit": "year"}))
    assert schema["properties"]["unit"] == {
        "type": "string",
        "title": "Unit",
        "description": "length of a step, one of: week, month",
        "default": "week",
        "enum": ["week", "month"],
    }
    assert schema["properties"]["since"]["format"] == "date" and schema["properties"]["limit"]["type"] == [
        "integer",
        "null",
    ]


@pytest.mark.parametrize("name", ["weekly", "segments", "model"])
def test_every_shipped_template_has_a_schema_and_a_title(name):
    path = templates()[name]
    assert set(json_schema(path)["properties"]) == {p.name for p in parameters(path)}
    title, about = described(path)
    assert title.lower().startswith(name) and title.endswith("?") and len(about) < 300


def test_a_template_without_heading_has_its_file_name(tmp_path):
    assert described(template(tmp_path, "n = 1", first="no heading")) == ("10_mine", "")
    assert described(template(tmp_path, "n = 1", first="# Mine\n\n> In\n> short.\n\nMore.")) == ("Mine", "In short.")


def test_the_same_request_has_one_name_and_another_notebook_another(toy, tmp_path):
    requests = [
        {},
        {"weeks": "4"},
        {"weeks": 4.0, "share": "0.5"},
        {"since": date(2026, 1, 1)},
        {"since": "2026-01-01"},
    ]
    assert len({content_hash(toy, checked(toy, a)) for a in requests}) == 1
    others = [{"weeks": 5}, {"since": "2026-01-02"}, {"flag": "no"}, {"names": []}]
    assert len({content_hash(toy, checked(toy, a)) for a in others} - {content_hash(toy, checked(toy, {}))}) == 4
    changed = template(tmp_path, CELL + "\n")
    assert content_hash(changed, checked(changed, {})) != content_hash(toy, checked(toy, {}))


def test_the_name_of_a_run_is_kept_with_it_also_where_it_failed(settings, toy):
    with pytest.raises(Exception, match="found"):
        run_report(settings, "mine", folder=toy.parent, weeks="8")
    run, *_ = reports(make_engine(settings.database))
    assert run["status"] == "failed" and run["summary"]["hash"] == content_hash(toy, checked(toy, {"weeks": 8}))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    "A shop with a region of three people."
    home = tmp_path_factory.mktemp("small")
    (home / "settings.ini").write_text("[sca]\n")
    made = load_settings(home)
    engine = make_engine(made.database)
    migrate(engine)
    sample = make_shop(n_customers=200, n_reviews=600, dirty=False)
    customers = sample.customers.copy()
    writers = customers.index[customers["customer_id"].isin(sample.reviews["customer_id"])][:3]
    customers.loc[writers, "region"] = "Lonelyshire"
    save_load(engine, "sample", sample.reviews, customers, sample.orders)
    yield made, engine
    engine.dispose()


def test_a_region_of_few_people_is_refused_like_one_that_is_none(shop):
    settings, engine = shop
    refusals = []
    for region in ("Lonelyshire", "Atlantis"):
        with pytest.raises(InputError, match="region: one of .*Norte") as refused:
            check_shop(engine, {"region": region})
        refusals.append((refused.value.expected, refused.value.next_step))
    assert refusals[0] == refusals[1] and "Lonelyshire" not in refusals[0][0]


def test_the_regions_a_refusal_names_are_those_the_page_shows(shop):
    settings, engine = shop
    shown = shown_regions(ServiceParts(settings).data.shop(None))
    assert set(named_regions(engine, "sample", settings.min_customers)) == shown and len(shown) > 2
    assert named_regions(engine, "sample", 10_000) == []


@pytest.mark.parametrize("weeks", [-1, 521, 100_000])
def test_the_weekly_report_takes_ten_years_at_most(weeks):
    with pytest.raises(InputError, match="weeks: a whole number from 0 to 520"):
        checked(templates()["weekly"], {"weeks": weeks})
