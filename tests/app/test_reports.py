"Reports through the API: what may be asked, one job for one request, a bounded queue, nothing told that is hidden."

import json
import subprocess
import threading
from pathlib import Path

import jsonschema
import nbformat
import pytest
from bad_requests import BAD, CELL
from made_up import Served, fill
from starlette.testclient import TestClient

from smart_customer_analysis.app.jobs import QUEUE, Jobs
from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.commands.report import requested
from smart_customer_analysis.config import Settings
from smart_customer_analysis.report.run import run_report
from smart_customer_analysis.schema import ReportError

LAST = """from IPython.display import HTML, display
from smart_customer_analysis.report.run import finish
display(HTML(f"<h1>{weeks} weeks</h1>"))
finish("Mine", "always", 1)"""


def template(folder: Path, cell: str, *body: str, name: str = "10_mine.ipynb") -> Path:
    nb = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    )
    tagged = nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]})
    nb.cells = [
        nbformat.v4.new_markdown_cell("# Mine: what is new?"),
        tagged,
        *map(nbformat.v4.new_code_cell, body or (LAST,)),
    ]
    folder.mkdir(exist_ok=True)
    nbformat.write(nb, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    "The app over a filled shop, with a template of one's own."
    home = tmp_path_factory.mktemp("asked")
    folders = {"data_dir": home, "models_dir": home / "models", "reports_dir": home / "reports"}
    settings = Settings(**folders, templates_dir=home / "own", database_url=f"sqlite:///{home / 'shop.db'}")
    fill(settings.database, settings.reports_dir)
    template(settings.templates_dir, CELL)
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)


class Slow:
    "A runner that waits to be let go, and counts."

    def __init__(self, client, monkeypatch, error: Exception | None = None):
        self.go, self.made, self.error = threading.Event(), [], error
        self.jobs = client.app.state.jobs = Jobs(self.make, lambda address: address in self.there)
        self.there = {"/reports/files/a.html"}

    def make(self, request):
        self.go.wait(30)
        self.made.append(request)
        if self.error:
            raise self.error
        return {"status": "made", "title": "Mine", "html": "/reports/files/a.html"}


def ended(client, job: dict) -> dict:
    "Ask until a job has ended."
    wait = threading.Event()
    for _ in range(1200):
        job = client.get(job["location"]).json()
        if job["status"] not in ("waiting", "running"):
            return job
        wait.wait(0.1)
    raise AssertionError(job)


def test_templates_come_with_title_and_schema(asked):
    items = {t["name"]: t for t in asked.get("/v1/reports/templates")["items"]}
    assert {"weekly", "segments", "model", "mine"} <= set(items)
    assert items["weekly"]["title"].startswith("Weekly: ") and items["weekly"]["error"] is None
    jsonschema.Draft202012Validator.check_schema(items["mine"]["parameters"])
    weeks = items["mine"]["parameters"]["properties"]["weeks"]
    assert (weeks["minimum"], weeks["maximum"], weeks["default"]) == (1, 104, 4)


def test_a_new_parameter_and_a_new_template_are_there_at_once(asked):
    path = template(asked.settings.templates_dir, 'mood = "good"  # one of: good, bad', name="20_new.ipynb")
    items = {t["name"]: t for t in asked.get("/v1/reports/templates")["items"]}
    assert items["new"]["parameters"]["properties"]["mood"]["enum"] == ["good", "bad"]
    path.write_text("{")
    items = {t["name"]: t for t in asked.get("/v1/reports/templates")["items"]}
    assert "expected a notebook" in items["new"]["error"] and str(asked.settings.data_dir) not in json.dumps(items)
    path.unlink()


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_refused_before_anything_starts(asked, monkeypatch, case):
    def started(*arguments, **more):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    before = len(asked.client.app.state.jobs.jobs)
    body = json.dumps({"name": "mine", "parameters": BAD[case]})  # NaN and half a character as JSON can write them
    answer = asked.client.post("/v1/reports", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert len(answer.content) <= 4096 and answer.text.isascii()
    assert len(asked.client.app.state.jobs.jobs) == before
    problem, name = answer.json(), next(iter(BAD[case]))
    if name in {"weeks", "share", "unit", "names", "region"} and "errors" in problem and "expected" in problem:
        assert problem["errors"][0]["field"] == name and problem["next"] and problem["found"]
    value, choices = BAD[case][name], "week, month"
    refusal = answer.text.replace(choices, "")
    assert not (isinstance(value, str) and len(value) > 6 and value in refusal), "the answer repeats what was sent"


def test_the_refusal_names_the_parameter_and_what_it_takes(asked):
    answer = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 105}})
    assert answer.status_code == 422
    refusal = {name: answer.json()[name] for name in ("expected", "found", "next", "errors")}
    expected = "a whole number from 1 to 104, for example 4"
    assert refusal == {
        "expected": expected,
        "found": "a number",
        "next": "correct it",
        "errors": [{"field": "weeks", "message": f"Expected {expected}."}],
    }
    answer = asked.client.post("/v1/reports", json={"name": "../weekly", "parameters": {}})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "name"


def test_a_region_of_few_people_is_refused_as_one_that_is_none(asked):
    refusals = []
    for region in ("Lonelyshire", "Atlantis"):
        answer = asked.client.post("/v1/reports", json={"name": "weekly", "parameters": {"region": region}})
        assert answer.status_code == 422 and region not in answer.text
        refusals.append({k: v for k, v in answer.json().items() if k not in ("request_id", "found")})
    assert refusals[0] == refusals[1]
    shown = asked.get("/v1/filters")["regions"]
    assert refusals[0]["expected"] == f"one of {', '.join(shown)}"


def test_the_same_request_is_one_job_while_it_waits_and_after_it_was_made(asked, monkeypatch):
    slow = Slow(asked.client, monkeypatch)
    first = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 8}})
    assert first.status_code == 202 and first.headers["location"] == first.json()["location"]
    again = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": "8", "unit": "week"}})
    other = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 9}})
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    slow.go.set()
    ended_job = ended(asked.client, first.json())
    assert (ended_job["status"], ended_job["html"], ended_job["error"]) == ("made", "/reports/files/a.html", None)
    ended(asked.client, other.json())
    assert asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 8}}).json() == ended_job
    assert len(slow.made) == 2
    slow.there.clear()  # the page was removed since
    anew = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 8}}).json()
    assert anew["id"] != ended_job["id"] and ended(asked.client, anew)["status"] == "made"


def test_a_full_queue_refuses_at_once_and_takes_again_later(asked, monkeypatch):
    slow = Slow(asked.client, monkeypatch)
    jobs = [asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 1 + n}}) for n in range(10)]
    assert [j.status_code for j in jobs] == [202] * QUEUE + [429] * (10 - QUEUE)
    assert int(jobs[-1].headers["retry-after"]) >= 1 and jobs[-1].json()["type"] == "urn:sca:busy"
    same = asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 1}})
    assert same.status_code == 202 and same.json()["id"] == jobs[0].json()["id"], "a repeat takes no room"
    slow.go.set()
    assert {ended(asked.client, j.json())["status"] for j in jobs[:QUEUE]} == {"made"}
    assert [r["parameters"]["weeks"] for r in slow.made] == list(range(1, QUEUE + 1)), "one at a time, in order"
    assert asked.client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 20}}).status_code == 202


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ReportError("a run that reaches its last cell", "Dead kernel\nmore", "look"), "found Dead kernel more; next"),
        (RuntimeError("secret /path"), "fault of the program"),
    ],
)
def test_a_failed_report_says_why_in_one_line_and_is_tried_again(asked, monkeypatch, error, said):
    slow = Slow(asked.client, monkeypatch, error)
    slow.go.set()
    failed = ended(asked.client, asked.client.post("/v1/reports", json={"name": "mine"}).json())
    assert failed["status"] == "failed" and said in failed["error"] and "\n" not in failed["error"]
    assert failed["html"] is None and "secret" not in failed["error"]
    assert asked.client.post("/v1/reports", json={"name": "mine"}).json()["id"] != failed["id"]


def test_a_job_that_nobody_asked_for_is_not_found(asked):
    answer = asked.client.get("/v1/reports/0123456789abcdef")
    assert answer.status_code == 404 and answer.json()["type"] == "urn:sca:not-found"


def test_without_a_database_nothing_is_made(bare):
    assert bare.client.post("/v1/reports", json={"name": "weekly"}).status_code == 503
    assert len(bare.get("/v1/reports/templates")["items"]) >= 3


def test_python_command_line_and_api_make_the_same_report(asked):
    "The real runner: a notebook is executed three times, its name is the same."
    settings, client = asked.settings, asked.client
    client.app.state.jobs = Jobs(client.app.state.service.make_report, client.app.state.service.has_report)
    ended_job = ended(client, client.post("/v1/reports", json={"name": "mine", "parameters": {"weeks": 8}}).json())
    assert ended_job["status"] == "made", ended_job
    assert "<h1>8 weeks</h1>" in client.get(ended_job["html"]).text
    by_command = run_report(settings, "mine", request=requested(["weeks=8"]))
    by_python = run_report(settings, "mine", weeks=8.0)
    assert ended_job["hash"] == by_command.summary["hash"] == by_python.summary["hash"]
    runs = asked.get("/v1/reports")["items"]
    assert [r["status"] for r in runs[:3]] == ["made"] * 3 and runs[0]["params"]["weeks"] == 8
