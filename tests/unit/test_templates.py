"Templates of one's own, what may be asked of them, and what is left when a run is stopped."

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

from smart_customer_analysis.commands.report import reports, requested
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.privacy import erase_reports
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.child import hold
from smart_customer_analysis.report.parameters import checked, given_cell, parameters
from smart_customer_analysis.report.run import check_shop, finish, run_report
from smart_customer_analysis.schema import InputError, ReportError
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate

FINISH = "from smart_customer_analysis.report.run import finish\nfinish('Mine', 'always', 1)"


def template(folder: Path, cell: str, *body: str, name: str = "10_mine.ipynb") -> Path:
    "Write a template with a parameter cell and further cells."
    nb = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    )
    code = nbformat.v4.new_code_cell
    nb.cells = [code(cell, metadata={"tags": ["parameters"]}), *map(code, body)]
    folder.mkdir(exist_ok=True)
    nbformat.write(nb, folder / name)
    return folder / name


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "settings.ini").write_text("[sca]\n")
    made = load_settings(tmp_path, data_dir=tmp_path / "data", reports_dir=tmp_path / "reports")
    migrate(make_engine(made.database))
    return made


CASES = [  # line of the cell, asked for, value
    ("weeks = 4", "8", 8),
    ("weeks: int = 4", 8.0, 8),
    ("names = ['a', 'b']", "['c']", ["c"]),
    ("names: list[str] = []", ["c"], ["c"]),
    ("when: date = date(2024, 1, 1)", "2026-02-28", date(2026, 2, 28)),
    ("eq: str = 'a=b'", "c=d", "c=d"),
    ("text = ''", "None", "None"),
    ("opt: str | None = None", "x", "x"),
    ("opt: 'int | None' = 3", "None", None),
    ("opt: Optional[int] = None", "7", 7),
    ("mood: Literal['good', 'bad'] = 'good'", "bad", "bad"),
    ("top: Literal[5, 10] = 5", "10", 10),
    ("share: float = 0.5", "0.25", 0.25),
    ("day: str = ''  # YYYY-MM-DD", "2026-02-28", "2026-02-28"),
    ("flag: bool = True", "False", False),
    ("flag: bool = True", "no", False),
    ("flag = False", "0", False),
    ("flag = True", "off", False),
    ("flag: bool = False", "yes", True),
]


@pytest.mark.parametrize(("line", "asked", "value"), CASES, ids=[f"{c[0]} <- {c[1]}" for c in CASES])
def test_a_parameter_takes_the_type_that_the_template_gives_it(tmp_path, line, asked, value):
    path = template(tmp_path, f"from datetime import date\n{line}")
    name = line.split(":")[0].split(" =")[0]
    typed = checked(path, {name: asked})[name]
    assert (typed, type(typed)) == (value, type(value))
    scope: dict = {}
    exec(given_cell({name: typed}), scope)  # noqa: S102  (what the template will run)
    assert scope[name] == value


WRONG = [
    ("flag: bool = True", "perhaps"),
    ("weeks = 4", "four"),
    ("weeks = 4", 4.5),
    ("weeks = 4", True),
    ("share: float = 0.5", "nan"),
    ("names = ['a']", "c"),
    ("when: date = date(2024, 1, 1)", "01.02.2026"),
    ("day: str = ''  # first day, YYYY-MM-DD", "2026-02-30"),
    ("day: str = ''  # first day, YYYY-MM-DD", "yesterday"),
    ("day: str = ''  # first day, YYYY-MM-DD", "20260228"),
    ("mood: Literal['good', 'bad'] = 'good'", "so"),
    ("opt: int | None = None", "x"),
]


@pytest.mark.parametrize(("line", "asked"), WRONG, ids=[f"{c[0]} <- {c[1]}" for c in WRONG])
def test_a_value_of_another_type_is_refused_with_the_parameter(tmp_path, line, asked):
    name = line.split(":")[0].split(" =")[0]
    with pytest.raises(InputError, match=f"expected {name}: "):
        checked(template(tmp_path, f"from datetime import date\n{line}"), {name: asked})


def test_what_is_not_asked_for_stays_as_the_template_has_it(settings, tmp_path):
    cell = (
        "from datetime import date\nweeks = 4\nnames = ['a']\nwhen: date = date(2024, 1, 1)\nrate = 10 / 4\nn: int = 1"
    )
    test = "assert (weeks, names, when, rate, n) == (4, ['a'], date(2024, 1, 1), 2.5, 3)"
    template(tmp_path / "own", cell, test, FINISH)
    run = run_report(settings, "mine", folder=tmp_path / "own", n="3")
    parameters = json.loads((run.html.parent / "parameters.json").read_text())
    assert parameters == {"weeks": 4, "names": ["a"], "when": "2024-01-01", "rate": "10 / 4", "n": 3}
    assert not (run.html.parent / "jupyter").exists()


def test_a_template_that_never_calls_finish_is_told_so(settings, tmp_path):
    template(tmp_path / "own", "n = 1", "print('all done')")
    with pytest.raises(ReportError, match=r"expected a last cell that calls finish\(.*none in 10_mine.ipynb"):
        run_report(settings, "mine", folder=tmp_path / "own")
    assert not list((tmp_path / "reports").iterdir())


def test_the_result_of_a_template_may_hold_numbers_of_numpy(tmp_path, monkeypatch):
    monkeypatch.setenv(report.RESULT_FILE, str(tmp_path / "r.json"))
    finish("t", "p", np.int64(3), share=np.float32(0.5), rows=np.array([1, 2]))
    assert json.loads((tmp_path / "r.json").read_text()) == {
        "title": "t",
        "period": "p",
        "n_changes": 3,
        "share": 0.5,
        "rows": [1, 2],
    }


def test_a_broken_template_is_named_and_hides_no_other(tmp_path):
    template(tmp_path, "n: int = 1  # how many", name="20_whole.ipynb")
    (tmp_path / "30_torn.ipynb").write_text('{"cells": [')
    (tmp_path / "40_empty.ipynb").write_text("")
    template(tmp_path, "n: int =", name="unnumbered.ipynb")
    rows = json.loads(CliRunner().invoke(reports, ["list", "--json", "--folder", str(tmp_path)]).stdout)
    by_report = {r["report"]: r["parameters"] for r in rows}
    assert {"weekly", "segments", "model", "whole", "torn", "empty", "unnumbered"} <= set(by_report)
    assert by_report["whole"] == "n"
    assert all("cannot be read" in by_report[name] for name in ("torn", "empty", "unnumbered"))
    with pytest.raises(InputError, match="expected a notebook; found 30_torn.ipynb"):
        parameters(tmp_path / "30_torn.ipynb")


def test_a_report_runs_with_this_python_whatever_kernel_comes_first(settings, tmp_path, monkeypatch):
    other = tmp_path / "other" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "other", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "other"))
    same = f"import sys; assert sys.executable == {sys.executable!r}, sys.executable"
    template(tmp_path / "own", "n = 1", same, FINISH)
    assert run_report(settings, "mine", folder=tmp_path / "own").status == "made"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_nothing_running_and_nothing_behind(settings, tmp_path, how):
    mark = tmp_path / "kernel.pid"
    wait = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(600)"
    template(tmp_path / "own", "n = 1", wait, FINISH)
    command = "from smart_customer_analysis.cli import main; main()"
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCA_")}
    run = subprocess.Popen(
        [sys.executable, "-c", command, "report", "run", "mine", "--folder", "own"], cwd=tmp_path, env=env
    )

    def until(there) -> bool:
        return any(there() or time.sleep(0.5) for _ in range(240))

    assert until(lambda: mark.is_file() and mark.read_text())
    kernel = int(mark.read_text())
    run.send_signal(how)
    run.wait()
    assert until(lambda: not list((tmp_path / "reports").iterdir())), "the scratch folder stays"
    assert until(
        lambda: not Path(f"/proc/{kernel}").exists() or "Z" in Path(f"/proc/{kernel}/stat").read_text().split()[2]
    )


def test_scratch_folders_of_dead_runs_are_cleared_by_the_next_and_by_an_erasure(tmp_path):
    for name in (".weekly-deadbeef", ".weekly-ab_12cde"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weekly.ipynb").write_text("Anna wrote: it leaks")
    (tmp_path / ".backup-20260101").mkdir()
    (tmp_path / ".backup-20260101" / "notes.txt").write_text("of somebody else")
    lock = hold(tmp_path / ".weekly-ab_12cde")
    erase_reports(tmp_path, None)  # no report is looked at here
    os.close(lock)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".backup-20260101", ".weekly-ab_12cde"]


@pytest.mark.parametrize("where", ["notes.txt", "notes.txt/reports"])
def test_a_folder_of_reports_that_cannot_be_made_is_one_line(settings, tmp_path, where):
    (tmp_path / "notes.txt").write_text("a file")
    template(tmp_path / "own", "n = 1", FINISH)
    broken = settings.model_copy(update={"reports_dir": tmp_path / where})
    with pytest.raises(
        ReportError, match="expected a folder of reports that can be written; .*; next: correct reports_dir"
    ):
        run_report(broken, "mine", folder=tmp_path / "own")


def test_a_full_disk_is_one_line(settings, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "_execute", full)
    with pytest.raises(ReportError, match="No space left on device"):
        run_report(settings, "weekly")
    assert not list((tmp_path / "reports").iterdir())


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = make_engine(f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.db'}")
    migrate(made)
    shop = make_shop(n_customers=60, n_reviews=120, dirty=False)
    save_load(made, "sample", shop.reviews, shop.customers, shop.orders)
    yield made
    made.dispose()


REFUSED = [
    ({"region": "Atlantis"}, "region: one of .*Lisboa"),
    ({"region": "x" * 400}, "region: one of"),
    ({"source": "nope"}, "source: one of sample"),
    ({"start": "2026-06-01", "end": "2026-05-01"}, "start: a day before end"),
    ({"end": "2120-01-01"}, "end: a day"),
    ({"start": "2120-01-01"}, "start: a day"),
    ({"end": "1999-01-01"}, "end: a day"),
]


@pytest.mark.parametrize(("values", "error"), REFUSED, ids=[str(r[0])[:40] for r in REFUSED])
def test_what_the_shop_does_not_have_is_refused_before_a_kernel_starts(engine, values, error):
    with pytest.raises(InputError, match=error):
        check_shop(engine, values)


def test_what_the_shop_has_is_not_refused(engine):
    check_shop(engine, {"region": "Norte", "source": "sample", "start": "", "end": "2026-06-01", "weeks": 8})
    check_shop(engine, {})


def test_parameters_of_a_command_line_are_names_with_values_once():
    assert requested(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for pairs in (["weeks"], ["a=1", "a=2"]):
        with pytest.raises(InputError, match="each parameter once, as name=value"):
            requested(pairs)
