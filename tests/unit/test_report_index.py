"The index names what is there, the feed keeps its ids, old runs go, and runs never overwrite one another."

import json
import os
import xml.etree.ElementTree as ET
from datetime import datetime

import nbformat
import pytest

from smart_customer_analysis.config import Settings
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.index import INDEX, entries, write_index
from smart_customer_analysis.report.publish import OURS, publish_reports
from smart_customer_analysis.report.run import run_report
from smart_customer_analysis.schema import ReportError
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.query import reports

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def settings(tmp_path):
    made = Settings(data_dir=tmp_path / "data", reports_dir=tmp_path / "reports", report_runs=3)
    migrate(make_engine(made.database))
    return made


@pytest.fixture
def make(settings, monkeypatch):
    "Make a weekly report without a kernel; the key of the template is its period alone."
    period = {"key": "2026-11-01", "title": "Week"}

    def execute(template, out, values, settings, timeout):
        nbformat.write(nbformat.v4.new_notebook(), out)
        out.with_suffix(".result.json").write_text("{}")
        out.with_suffix(".parameters.json").write_text("{}")
        return {"title": period["title"], "period": f"to {period['key']}", "n_changes": 1, "key": period["key"]}

    def once(key="2026-11-01", title="Week", **parameters):
        period.update(key=key, title=title)
        return run_report(settings, "weekly", **parameters)

    monkeypatch.setattr(report, "_execute", execute)
    return once


def rows(settings):
    return reports(make_engine(settings.database), 1000)


def test_two_sets_of_parameters_in_one_period_do_not_overwrite_one_another(make, settings):
    runs = [make(), make(region="Norte"), make(region="Sul"), make(weeks=8), make(weeks=8, region="Norte"), make()]
    assert len({r.html for r in runs}) == 5 and runs[0].html == runs[-1].html
    assert runs[0].html.parent.name == "2026-11-01" and all(r.html.is_file() for r in runs)
    assert make(end="2026-11-01").html == runs[0].html, "the same period asked for by its day"


def test_old_runs_go_with_their_files_and_their_rows_stay_without_paths(make, settings):
    days = [f"2026-11-{d:02d}" for d in range(1, 8)]
    other = make(region="Norte")
    runs = [make(day) for day in days]
    assert [r.html.is_file() for r in runs] == [False] * 4 + [True] * 3
    assert other.html.is_file(), "another set of parameters has runs of its own"
    left = [r for r in rows(settings) if r["path_html"]]
    assert len(rows(settings)) == 8 and len(left) == 4
    assert [p.name for p in settings.reports_dir.glob("weekly/*")] != []
    keep_all = settings.model_copy(update={"report_runs": 0})
    for day in ("2026-12-01", "2026-12-02"):
        run_report(keep_all, "weekly", request={})
        make(day)
    assert sum(1 for _ in settings.reports_dir.glob("weekly/*")) == 4


def test_a_failed_run_removes_nothing(make, settings, monkeypatch):
    kept = [make(f"2026-11-0{d}").html for d in (1, 2, 3)]
    before = (settings.reports_dir / "index.json").read_bytes()

    def fails(*args):
        raise ReportError("a run", "a planted error", "nothing")

    monkeypatch.setattr(report, "_execute", fails)
    for _ in range(5):
        with pytest.raises(ReportError, match="planted"):
            run_report(settings, "weekly")
    assert all(p.is_file() for p in kept) and (settings.reports_dir / "index.json").read_bytes() == before
    assert [r["status"] for r in rows(settings)][:5] == ["failed"] * 5 and "planted" in rows(settings)[0]["error"]


def test_a_run_whose_process_was_killed_is_closed_by_the_next(make, settings):
    engine = make_engine(settings.database)
    record = report._Record(engine, "weekly", {}, settings)
    with engine.begin() as c:
        c.exec_driver_sql("UPDATE report_runs SET summary = replace(summary, ?, '4194305')", (str(os.getpid()),))
    alive = report._Record(engine, "weekly", {}, settings)
    states = {r["report_id"]: (r["status"], r["error"]) for r in rows(settings)}
    assert states[record.id] == ("failed", "the process that made it was killed") and states[alive.id][0] == "running"
    make()
    assert {r["report_id"]: r["status"] for r in rows(settings)}[alive.id] == "running"


def test_a_report_that_a_killed_run_left_aside_gets_its_name_back(make, settings):
    html = make().html
    html.parent.rename(html.parent.with_name(f".{html.parent.name}.old"))
    make("2026-11-08")
    assert html.is_file() and not list(settings.reports_dir.glob("*/.*"))


def test_page_json_and_feed_list_the_same_reports_newest_first(make, settings):
    for day in ("2026-11-01", "2026-11-08"):
        make(day, title=f"<b>Week & {day}</b>\x08")
    listed = entries(settings.reports_dir)
    assert [e["html"] for e in listed] == ["weekly/2026-11-08/weekly.html", "weekly/2026-11-01/weekly.html"]
    page = (settings.reports_dir / "index.html").read_text(encoding="utf-8")
    assert page.index("2026-11-08") < page.index("2026-11-01") and "<b>" not in page and "<script" not in page
    assert json.loads((settings.reports_dir / "index.json").read_text())["reports"] == listed
    feed = ET.parse(settings.reports_dir / "feed.atom").getroot()
    assert feed.tag == f"{ATOM}feed" and len(feed.findall(f"{ATOM}entry")) == 2
    for part in (feed, *feed.findall(f"{ATOM}entry")):
        assert part.findtext(f"{ATOM}id").startswith("urn:uuid:") and part.findtext(f"{ATOM}title")
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated")).tzinfo
    hrefs = [e.find(f"{ATOM}link").get("href") for e in feed.findall(f"{ATOM}entry")]
    assert hrefs == [e["html"] for e in listed] and all((settings.reports_dir / h).is_file() for h in hrefs)


def test_ids_of_the_feed_last_and_a_repeat_changes_no_byte(make, settings):
    make()
    first = {n: (settings.reports_dir / n).read_bytes() for n in INDEX}
    write_index(settings.reports_dir)
    assert {n: (settings.reports_dir / n).read_bytes() for n in INDEX} == first
    ids = {e.text for e in ET.fromstring(first["feed.atom"]).iter(f"{ATOM}id")}
    make("2026-11-08")
    assert ids < {e.text for e in ET.parse(settings.reports_dir / "feed.atom").iter(f"{ATOM}id")}


def test_links_broken_folders_and_scratch_are_not_listed(make, settings, tmp_path):
    make()
    weekly = settings.reports_dir / "weekly"
    for name, text in (("torn", "{"), ("list", "[]"), ("empty", "{}")):
        (weekly / name).mkdir()
        (weekly / name / "result.json").write_text(text)
    (weekly / "link").symlink_to(weekly / "2026-11-01")
    (settings.reports_dir / ".weekly-abcdefgh" / "x").mkdir(parents=True)
    assert [e["html"] for e in write_index(settings.reports_dir)] == ["weekly/2026-11-01/weekly.html"]


def test_only_pages_and_index_are_published_and_what_is_no_longer_listed_leaves(make, settings, tmp_path):
    for day in ("2026-11-01", "2026-11-08", "2026-11-15"):
        make(day)
    public = tmp_path / "public"
    public.mkdir()
    (public / "robots.txt").write_text("of others")

    def published():
        return sorted(p.relative_to(public).as_posix() for p in public.rglob("*") if p.is_file())

    assert publish_reports(settings.reports_dir, public) == {"pages": 3, "removed": 0}
    pages = [f"weekly/2026-11-{d}/weekly.html" for d in ("01", "08", "15")]
    assert published() == sorted([OURS, *INDEX, "robots.txt", *pages])
    make("2026-11-22")  # the oldest goes
    assert publish_reports(settings.reports_dir, public) == {"pages": 3, "removed": 1}
    assert pages[0] not in published() and "robots.txt" in published() and not (public / "weekly/2026-11-01").exists()


def test_pages_of_others_and_links_out_of_the_folder_are_not_overwritten(make, settings, tmp_path):
    make()
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text("of others")
    with pytest.raises(ReportError, match="index.html in .*; next: choose an empty folder"):
        publish_reports(settings.reports_dir, public)
    assert [p.name for p in public.iterdir()] == ["index.html"]
    (tmp_path / "linked").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked" / "weekly").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReportError, match="remove the link"):
        publish_reports(settings.reports_dir, tmp_path / "linked")
    assert not list((tmp_path / "elsewhere").iterdir())
    for target in (settings.reports_dir, tmp_path):
        with pytest.raises(ReportError, match="a folder of its own"):
            publish_reports(settings.reports_dir, target)
