"A report reaches who asked for it, once, with their part only; a mail server may refuse, hang, break off or be down."

import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import nbformat
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from smart_customer_analysis.commands.schedule import reports
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.report import deliver as delivering
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.deliver import (
    NotDelivered,
    deliver,
    mail_of,
    read_server,
    run_due,
    send_mail,
    subject_of,
)
from smart_customer_analysis.report.failures import tell_failure
from smart_customer_analysis.schema import InputError, ReportError
from smart_customer_analysis.store.closes import begin_close, finish_close
from smart_customer_analysis.store.deliveries import FEWEST, KEPT_FOR, delivery_turn, list_deliveries
from smart_customer_analysis.store.engine import make_engine, reading
from smart_customer_analysis.store.migrate import migrate, open_database
from smart_customer_analysis.store.tables import Delivery, ReportRun
from smart_customer_analysis.words import Words

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail import mail_server, wait_for

MONDAY = datetime(2026, 11, 16, 7, 2, tzinfo=UTC)
CANARY = "canary-password-7391"
PLAN = """
link = "https://page.example"
[[report]]
name = "weekly"
at = "Mon 07:00"
since = 2026-11-10T00:00:00Z
"""
ANA = '[[report.to]]\nname = "Ana"\n'
BEN = '[[report.to]]\nname = "Ben"\nwhen = ["failed", "nothing_new"]\n'
REGIONS = [f"Região {n:02}" for n in range(50)]


class Shop:
    "A shop whose reports need no kernel: what a template would give is in `news`; `made` counts the runs."

    def __init__(self, home: Path):
        (home / "settings.ini").write_text("[sca]\n")
        self.home, self.made, self.error = home, [], None
        self.settings = load_settings(home, data_dir=home / "data", reports_dir=home / "reports")
        self.engine = make_engine(self.settings.database)
        migrate(self.engine)
        self.news = {"source": "olist", "start": "2026-11-09", "end": "2026-11-15", "n_changes": 3}
        self.news |= {"title": "olist: weekly report", "period": "9 – 15 Nov 2026"}
        self.news |= {"share": {"value": 0.21, "low": 0.2, "high": 0.224}}
        self.news |= {"sentences": ["▲ In Norte, negative reviews rose from 21% to 33%; 214 customers."]}

    def plan(self, *lines: str) -> None:
        (self.home / "reports.toml").write_text(PLAN + "\n".join(lines))

    def execute(self, template, out, values, settings, timeout):
        if self.error:
            raise self.error
        region = values.get("region", "")
        self.made.append(region)
        shown = nbformat.v4.new_output("display_data", {"text/html": f"<h1>Report {mark(region)}</h1>"})
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[shown])]), out)
        out.with_suffix(".result.json").write_text("{}")
        out.with_suffix(".parameters.json").write_text("{}")
        told = self.news | {"key": f"olist-2026-11-15-{region}"}
        return told | {"sentences": [f"{s} {mark(region)}" for s in self.news["sentences"]]}

    def close(self, day: str) -> None:
        finish_close(self.engine, begin_close(self.engine, "olist", 0), date.fromisoformat(day), {"last_load": 0})

    def due(self, now=MONDAY, values=None, **more):
        return run_due(self.settings, self.engine, now, values, **more)

    def runs(self):
        with reading(self.engine) as c:
            rows = c.execute(select(*ReportRun.__table__.columns)).mappings()
            return [dict(r) for r in rows if r["status"] != "running"]

    def rows(self):
        with reading(self.engine) as c:
            return [dict(r) for r in c.execute(select(*Delivery.__table__.columns)).mappings()]


def mark(region: str) -> str:
    "A text that stands in the report of one region only."
    return f"mark-{REGIONS.index(region):02}-end" if region in REGIONS else "mark-whole-end"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    made = Shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "_execute", made.execute)
    monkeypatch.setattr(report, "check_shop", lambda *shop: None)
    for name in ("ANA", "BEN", *(f"P{n:02}" for n in range(50))):
        monkeypatch.setenv(f"SCA_TO_{name}", f"{name.lower()}@shop.example")
    yield made
    made.engine.dispose()


@pytest.fixture
def server(monkeypatch):
    with mail_server() as (box, port):
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example")
        yield box


# ---- what arrives


def test_a_mail_has_the_news_in_its_subject_two_bodies_and_the_file(shop, server):
    shop.plan(ANA)
    assert [r["status"] for r in shop.due()] == ["made", "sent"]
    mail = server.of("ana@shop.example")[0]
    assert mail["Subject"] == "Olist, week 46: 21% negative (20–22), 3 changes"
    assert mail["From"] == "reports@shop.example" and mail["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/html"]
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for body in (text, page):
        assert "▲ In Norte, negative reviews rose" in body and "https://page.example" in body
    file = next(mail.iter_attachments())
    assert file.get_filename().startswith("weekly-olist-2026-11-15") and file.get_filename().endswith(".html")
    stored = shop.settings.reports_dir / shop.runs()[0]["path_html"]
    assert file.get_payload(decode=True) == stored.read_bytes()


NARROW = {"value": 0.212, "low": 0.205, "high": 0.219}
WIDE = {"value": 0.3, "low": 0.1, "high": 0.5, "reliability": "wide"}
SUBJECTS = [
    ("made", {"n_changes": 1}, "Olist, week 46: 21% negative (20–22), 1 change"),
    ("nothing_new", {"n_changes": 0}, "Olist, week 46: 21% negative (20–22), nothing proven changed"),
    ("made", {"start": "2026-10-19"}, "Olist, weeks 43–46: 21% negative (20–22), 3 changes"),
    ("made", {"start": "2026-11-01"}, "Olist, 9 – 15 Nov 2026: 21% negative (20–22), 3 changes"),
    ("made", {"share": NARROW}, "Olist, week 46: 21.2% negative (20.5–21.9), 3 changes"),
    ("made", {"share": WIDE}, "Olist, week 46: 10–50% negative, 3 changes"),
    ("made", {"share": {"value": None, "reliability": "hidden"}}, "olist: weekly report: 3 changes"),
    ("made", {"share": None, "title": "Stock\r\nBcc: all@shop.example"}, "Stock Bcc: all@shop.example: 3 changes"),
    ("failed", {}, "weekly: failed: no model is in force"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "news", "subject"), SUBJECTS, ids=[s[2] for s in SUBJECTS])
def test_a_subject_says_what_the_report_says(shop, status, news, subject):
    assert subject_of("weekly", "", status, shop.news | news, "no model is in force") == subject


def test_mails_speak_the_language_of_the_report(shop, server):
    shop.plan(ANA)
    shop.news["language"] = "pt"
    shop.due()
    mail = server.of("ana@shop.example")[0]
    assert mail["Subject"] == "Olist, semana 46: 21% negativas (20–22), 3 mudanças"
    assert "O relatório está em anexo." in mail.get_body(("plain",)).get_content()
    shop.news |= {"share": {"value": 0.212, "low": 0.205, "high": 0.219}, "n_changes": 0, "start": "2026-11-02"}
    shop.due(MONDAY + timedelta(weeks=1))
    assert len(server.of("ana@shop.example")) == 1, "nothing new is not sent to her"
    words = Words("pt")
    subject = subject_of("weekly", "", "nothing_new", shop.news, words=words)
    assert subject == "Olist, semanas 45–46: 21,2% negativas (20,5–21,9), nenhuma mudança comprovada"


@pytest.mark.parametrize("line", ["", 'parameters = { language = "pt" }'], ids=["setting", "schedule"])
def test_a_failure_speaks_the_language_that_was_asked_for(shop, server, line):
    if not line:
        shop.settings = shop.settings.model_copy(update={"language": "pt"})
    shop.plan(line, ANA)
    shop.error = ReportError("a run that reaches its last cell", "KeyError", "look")
    assert [r["status"] for r in shop.due()] == ["failed", "sent"]
    mail = server.of("ana@shop.example")[0]
    assert mail["Subject"].startswith("weekly: falhou: ")
    assert "O relatório não foi feito." in mail.get_body(("plain",)).get_content()


def test_letters_of_other_scripts_and_hostile_titles_arrive_as_text(shop, server):
    shop.news |= {
        "share": None,
        "title": "Ärger\r\nBcc: x@y.z 北京",
        "sentences": ["<script>alert(1)</script> ✓ \u2028 a"],
    }
    shop.plan(ANA)
    shop.due()
    mail = server.of("ana@shop.example")[0]
    assert mail["Subject"] == "Ärger Bcc: x@y.z 北京: 3 changes" and mail["Bcc"] is None
    assert len(server.mails) == 1
    assert "<script>" not in mail.get_body(("html",)).get_content()
    assert "<script>alert(1)</script> ✓ a" in mail.get_body(("plain",)).get_content()


def test_each_outcome_goes_to_those_who_asked_for_it(shop, server):
    shop.plan(ANA, BEN)
    shop.due()
    shop.news["n_changes"] = 0
    shop.due(MONDAY + timedelta(weeks=1))
    shop.error = ReportError("a run that reaches its last cell", "KeyError", "look")
    assert [r["status"] for r in shop.due(MONDAY + timedelta(weeks=2))] == ["failed", "sent", "sent"]
    subjects = {name: [m["Subject"] for m in server.of(f"{name}@shop.example")] for name in ("ana", "ben")}
    assert [s.rpartition(", ")[2][:8] for s in subjects["ana"][:1]] == ["3 change"] and len(subjects["ana"]) == 2
    assert "nothing proven changed" in subjects["ben"][0] and len(subjects["ben"]) == 2
    for name in ("ana", "ben"):
        assert subjects[name][-1].startswith("weekly: failed: ") and "KeyError" in subjects[name][-1]
    assert not [*server.of("ana@shop.example")[-1].iter_attachments()]


def test_of_fifty_regions_everybody_gets_their_own_only(shop, server):
    people = [
        f'[[report.to]]\nname = "P{n:02}"\nonly = {{ region = "{REGIONS[n]}" }}\nwhen = ["made"]' for n in range(50)
    ]
    shop.plan('for_each = "region"', *people, '[[report.to]]\nname = "Ana"\nonly = { region = "*" }')
    rows = shop.due(values=lambda report: REGIONS)
    assert sorted(shop.made) == REGIONS and sum(r["status"] == "sent" for r in rows) == 100
    for n, region in enumerate(REGIONS):
        (mail,) = server.of(f"p{n:02}@shop.example")
        texts = [p.get_content() for p in mail.walk() if not p.is_multipart()] + [str(mail["Subject"])]
        told = "\n".join(t if isinstance(t, str) else t.decode() for t in texts)
        assert mark(region) in told and region in mail["Subject"]
        assert not [r for r in REGIONS if r != region and (mark(r) in told or r in told)]
    assert len(server.of("ana@shop.example")) == 50 == len({m["Message-ID"] for m in server.of("ana@shop.example")})


def test_whoever_waits_for_a_part_that_is_hidden_is_told_and_told_nothing_else(shop, server):
    only = '[[report.to]]\nname = "{}"\nonly = {{ region = "{}" }}'
    shop.plan('for_each = "region"', only.format("Ana", "Atlantis"), only.format("Ben", "Região 01"))
    shop.due(values=lambda report: REGIONS[:3])
    (mail,) = server.of("ana@shop.example")
    assert mail["Subject"] == "weekly, Atlantis: failed" and "Região" not in mail.as_string()
    assert len(server.of("ben@shop.example")) == 1 and len(shop.runs()) == 4
    assert shop.due(MONDAY + timedelta(hours=1), lambda report: REGIONS[:3]) == []


def test_why_a_part_failed_is_not_told_to_those_who_get_only_a_part(shop, server):
    shop.error = InputError("region: one of Norte, Sul, Região 07", "'x'", "correct it")
    shop.plan('for_each = "region"', '[[report.to]]\nname = "Ana"\nonly = { region = "Região 01" }')
    shop.due(values=lambda report: ["Região 01"])
    (mail,) = server.of("ana@shop.example")
    assert mail["Subject"] == "weekly, Região 01: failed" and "Sul" not in str(mail.get_body().get_content())


def test_a_shop_whose_regions_cannot_be_asked_for_is_recorded_as_failed_once(shop, server):
    def values(report):
        raise InputError("a shop", "an empty database", "load one")

    shop.plan('for_each = "region"', '[[report.to]]\nname = "Ana"\nonly = { region = "*" }')
    assert [r["status"] for r in shop.due(values=values)] == ["failed", "sent"]
    assert shop.due(MONDAY + timedelta(hours=1), values) == []
    assert "an empty database" in server.mails[0][1]["Subject"]


# ---- once


def test_a_repeat_makes_nothing_and_sends_nothing(shop, server):
    shop.plan(ANA)
    shop.due()
    for now in (MONDAY, MONDAY - timedelta(hours=3), MONDAY + timedelta(days=2)):
        assert shop.due(now) == []
    assert len(server.mails) == 1 == len(shop.made) == len(shop.rows())


def test_missed_weeks_are_recorded_with_the_run_that_makes_up_for_them(shop, server):
    shop.plan(ANA)
    shop.due(MONDAY + timedelta(weeks=3))
    slot = shop.runs()[0]["summary"]["slot"]
    assert len(server.mails) == 1 and slot["at"][:10] == "2026-12-07"
    assert [m[:10] for m in slot["missed"]] == ["2026-11-16", "2026-11-23", "2026-11-30"]


def test_a_report_that_fails_stops_no_other(shop, server):
    shop.plan('parameters = { region = "x" }', ANA, '[[report]]\nname = "model"\nat = "Mon 07:00"', ANA)
    (shop.home / "reports.toml").write_text(
        (shop.home / "reports.toml").read_text().replace('"model"\n', '"model"\nsince = 2026-11-10T00:00:00Z\n')
    )
    inner = shop.execute

    def execute(template, *rest):
        if "weekly" in str(template):
            raise RuntimeError("boom")
        return inner(template, *rest)

    report._execute = execute  # put back by the fixture
    assert [r["status"] for r in shop.due()] == ["failed", "made", "sent", "sent"]
    assert [r["status"] for r in shop.runs()] == ["failed", "made"]


def test_a_request_that_is_refused_before_a_kernel_starts_is_recorded_too(shop, server, monkeypatch):
    def refuse(*_):
        raise InputError("region: one of Norte", "'x'", "correct it")

    monkeypatch.setattr(report, "check_shop", refuse)
    shop.plan('parameters = { region = "x" }', ANA)
    assert [r["status"] for r in shop.due()] == ["failed", "sent"]
    assert shop.due() == [] and [r["error"][:29] for r in shop.runs()] == ["expected region: one of Norte"]


def test_with_each_close_a_report_is_made_once(shop, server):
    (shop.home / "reports.toml").write_text('[[report]]\nname = "weekly"\n' + ANA)
    late = datetime.now(UTC) + timedelta(minutes=1)
    assert shop.due(late) == []
    shop.close("2026-11-15")
    assert [r["status"] for r in shop.due(late)] == ["made", "sent"]
    assert shop.due(late) == []
    shop.close("2026-11-16")
    assert len(shop.due(late)) == 2 and len(server.mails) == 2


def test_what_is_due_is_told_and_left(shop, server):
    shop.plan('for_each = "region"', '[[report.to]]\nname = "Ana"\nonly = { region = ["Norte"] }')
    due = shop.due(values=lambda report: ["Norte", "Sul"], dry_run=True)
    assert [(r["part"], r["to"], r["status"]) for r in due] == [("Norte", ["Ana"], "due"), ("Sul", [], "due")]
    assert not shop.made and not shop.runs() and not shop.rows()


def test_two_at_once_do_not_send_the_same(shop, server):
    shop.plan(ANA)
    with delivery_turn(shop.engine, shop.settings.reports_dir):
        assert [r["status"] for r in shop.due()] == ["busy"]
        assert [r["status"] for r in deliver(shop.settings, shop.engine, MONDAY)] == ["busy"]
    assert len(shop.due()) == 2 and len(server.mails) == 1


# ---- a close that fails

GONE = InputError("a model", f"none in /models, key {CANARY}, of ana@shop.example", "train one")


def tell(shop, error=GONE, hours=0, source="olist"):
    return [r["status"] for r in tell_failure(shop.settings, source, error, MONDAY + timedelta(hours=hours))]


def test_a_failed_close_is_told_once_per_reason_and_day_to_those_who_asked_for_failures(shop, server, monkeypatch):
    monkeypatch.setenv("SCA_PSEUDONYM_KEY", CANARY)
    shop.settings = load_settings(shop.home, data_dir=shop.home / "data", reports_dir=shop.home / "reports")
    made_only = '[[report.to]]\nname = "P00"\nwhen = ["made"]\n'
    shop.plan(ANA, made_only, '[[report]]\nname = "model"\nat = "Mon 07:00"\nsince = 2026-12-01T00:00:00Z', ANA, BEN)
    assert tell(shop) == ["sent", "sent"] and tell(shop, hours=1) == [] == tell(shop, hours=16)
    assert sorted(to for to, _ in server.mails) == ["ana@shop.example", "ben@shop.example"]
    assert tell(shop, InputError("a readable file", "none", "look")) == ["sent", "sent"] == tell(shop, hours=24)
    first = server.of("ana@shop.example")[0]
    assert first["Subject"].startswith("sca close, olist: failed: expected a model; found none in /models, key …")
    assert len(shop.rows()) == 6 == len({m["Message-ID"] for _, m in server.mails})
    everything = "".join(m.get_body(("plain",)).get_content() + m["Subject"] for _, m in server.mails)
    everything += json.dumps([*shop.rows(), *list_deliveries(shop.engine)], default=str)
    assert CANARY not in everything and "@shop.example" not in everything
    assert tell(shop, RuntimeError("x"), source="other") == ["sent", "sent"]


def test_a_failed_close_waits_for_a_mail_server_that_is_down(shop, monkeypatch):
    monkeypatch.setenv("SCA_MAIL_SERVER", "smtp+plain://127.0.0.1:9?from=reports@shop.example")
    shop.plan(ANA)
    assert tell(shop) == ["waiting"]
    with mail_server() as (box, port):
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example")
        assert tell(shop, hours=1) == ["sent"] and tell(shop, hours=2) == [] and len(box.mails) == 1


def test_a_database_that_is_broken_is_told_too_and_once(shop, server):
    shop.plan(ANA, '[[report.to]]\nname = "Ben"\n')
    broken = shop.home / "broken.db"
    broken.write_bytes(b"no database" * 999)
    shop.settings = load_settings(shop.home, data_dir=shop.home / "data", database_url=f"sqlite:///{broken}")
    assert tell(shop, source=None) == ["sent", "sent"] and tell(shop, source=None) == []
    assert len(server.mails) == 2


# ---- servers that do not take it


def tried(shop, now):
    return [(r["status"], r["error"]) for r in deliver(shop.settings, shop.engine, now)]


def test_a_server_that_is_down_is_tried_again_later_and_said(shop, monkeypatch):
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example")
    shop.plan(ANA)
    rows = shop.due()
    assert rows[1]["status"] == "waiting" and "cannot be reached" in rows[1]["error"]
    assert tried(shop, MONDAY + timedelta(minutes=4)) == []
    assert tried(shop, MONDAY + timedelta(minutes=5))[0][0] == "waiting"
    assert tried(shop, MONDAY + timedelta(minutes=14)) == []
    with mail_server() as (box, port):
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example")
        assert tried(shop, MONDAY + timedelta(minutes=15)) == [("sent", None)]
        assert tried(shop, MONDAY + timedelta(days=1)) == [] and len(box.mails) == 1
    row = list_deliveries(shop.engine)[0]
    assert (row["status"], row["attempts"], row["error"]) == ("sent", 3, None)


def test_a_server_that_stays_down_is_given_up_after_days_and_said(shop, monkeypatch):
    monkeypatch.setenv("SCA_MAIL_SERVER", "smtp+plain://127.0.0.1:9?from=reports@shop.example")
    shop.plan(ANA)
    shop.due()
    now, answers = MONDAY, []
    while not answers or answers[-1][0] == "waiting":
        now += timedelta(hours=3)
        answers += tried(shop, now)
        assert now - MONDAY < KEPT_FOR + timedelta(days=1)
    assert answers[-1][0] == "given_up" and len(answers) >= FEWEST and now - MONDAY >= KEPT_FOR
    assert tried(shop, now + timedelta(days=9)) == []


def test_a_machine_that_was_off_for_days_still_tries_several_times(shop, monkeypatch):
    monkeypatch.setenv("SCA_MAIL_SERVER", "smtp+plain://127.0.0.1:9?from=reports@shop.example")
    shop.plan(ANA)
    shop.due()
    assert tried(shop, MONDAY + timedelta(days=9))[0][0] == "waiting"


def test_many_mails_ask_a_server_that_is_down_once(shop, monkeypatch):
    attempts = []

    def down(*_):
        attempts.append(1)
        error = NotDelivered("a mail server that takes the message", "no answer in time", "it is tried again")
        error.is_down = True
        raise error

    monkeypatch.setattr(delivering, "send_mail", down)
    monkeypatch.setenv("SCA_MAIL_SERVER", "smtp+plain://127.0.0.1:9?from=reports@shop.example")
    shop.plan(ANA, BEN.replace('"failed", "nothing_new"', '"made"'))
    assert [r["status"] for r in shop.due()] == ["made", "waiting", "waiting"] and len(attempts) == 1


def test_a_refused_recipient_is_given_up_and_the_others_get_theirs(shop, server):
    server.refused["ana@shop.example"] = "550 5.1.1 <ana@shop.example> unknown"
    shop.plan(ANA, BEN.replace('"failed", "nothing_new"', '"made"'))
    rows = {r["to"]: r for r in shop.due()[1:]}
    assert rows["Ana"]["status"] == "given_up" and "the recipient was refused (550)" in rows["Ana"]["error"]
    assert rows["Ben"]["status"] == "sent" and "shop.example" not in json.dumps(rows)


def test_a_recipient_who_is_refused_for_now_is_tried_again(shop, server):
    server.refused["ana@shop.example"] = "450 greylisted"
    shop.plan(ANA)
    assert shop.due()[1]["status"] == "waiting"
    server.refused.clear()
    assert tried(shop, MONDAY + timedelta(minutes=5)) == [("sent", None)]


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ("451 try later", "waiting", "refused (451)"),
        ("554 spam", "given_up", "refused (554)"),
        ("hang up", "waiting", "closed the connection"),
    ],
)
def test_a_mail_that_is_not_taken_says_why(shop, server, answer, status, error):
    server.data = lambda: answer
    shop.plan(ANA)
    row = shop.due()[1]
    assert row["status"] == status and error in row["error"] and not server.mails


def test_a_mail_that_was_taken_before_the_server_hung_up_comes_again_under_the_same_message_id(shop, server):
    server.data = lambda: "take and hang up"
    shop.plan(ANA)
    assert shop.due()[1]["status"] == "waiting"
    server.data = lambda: None
    assert tried(shop, MONDAY + timedelta(minutes=5)) == [("sent", None)]
    assert len(server.mails) == 2 and len({m["Message-ID"] for _, m in server.mails}) == 1


def test_a_server_that_does_not_answer_is_left_after_a_while(shop, server):
    server.wait = 3
    row = {"key": "k", "subject": "s", "created_at": MONDAY, "message": {"title": "t", "sentences": [], "link": ""}}
    mail = mail_of(row, "reports@shop.example", "ana@shop.example", None)
    with mail_server() as (slow, port):
        slow.wait = 3
        here = read_server(f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example")
        for limits in ({"timeout": 0.3}, {"limit": 0.3}):
            with pytest.raises(NotDelivered, match="no answer in time|closed the connection"):
                send_mail(here, mail, **limits)


def test_a_delivery_that_a_dead_process_was_sending_is_sent_again_under_its_message_id(shop, server, monkeypatch):
    class Killed(BaseException):
        pass

    sent = delivering.send_mail

    def die(*arguments):
        sent(*arguments)
        raise Killed

    monkeypatch.setattr(delivering, "send_mail", die)
    shop.plan(ANA)
    with pytest.raises(Killed):
        shop.due()
    assert shop.rows()[0]["status"] == "sending"
    monkeypatch.setattr(delivering, "send_mail", sent)
    assert [r["status"] for r in shop.due(MONDAY + timedelta(minutes=1))] == ["sent"]
    assert len(shop.made) == 1 and len({m["Message-ID"] for _, m in server.mails}) == 1 < len(server.mails)


def test_a_recipient_who_left_the_plan_gets_nothing_any_more(shop, server):
    server.data = lambda: "451 later"
    shop.plan(ANA)
    shop.due()
    server.data = lambda: None
    shop.plan(BEN)
    assert tried(shop, MONDAY + timedelta(hours=1))[0][0] == "given_up" and not server.mails


def test_a_report_whose_file_was_removed_is_not_sent_without_it(shop, server):
    server.data = lambda: "451 later"
    shop.plan(ANA)
    shop.due()
    server.data = lambda: None
    (shop.settings.reports_dir / shop.rows()[0]["path_html"]).unlink()
    status, error = tried(shop, MONDAY + timedelta(hours=1))[0]
    assert status == "given_up" and "removed before it was sent" in error and not server.mails


# ---- secrets


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    "A certificate for this machine, signed by itself, and the server's side of it."
    key, file = folder / "key.pem", folder / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context


def test_sign_in_over_an_encrypted_connection_and_no_secret_anywhere(
    shop, tmp_path_factory, monkeypatch, caplog, capfd
):
    file, context = certificate(tmp_path_factory.mktemp("tls"))
    caplog.set_level(logging.DEBUG)
    shop.plan(ANA)
    with mail_server("reports", CANARY, context) as (box, port):
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp://reports:{CANARY}@localhost:{port}?from=reports@shop.example")
        untrusted = shop.due()[1]
        assert untrusted["status"] == "waiting" and "no trusted connection" in untrusted["error"]
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp://reports:x{CANARY}@localhost:{port}?from=reports@shop.example")
        refused = tried(shop, MONDAY + timedelta(hours=1))[0]
        assert refused[0] == "waiting" and "user or password were refused (535)" in refused[1] and not box.mails
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp://reports:{CANARY}@localhost:{port}?from=reports@shop.example")
        assert tried(shop, MONDAY + timedelta(days=1)) == [("sent", None)] and len(box.mails) == 1
    shop.engine.dispose()
    files = [p.read_bytes() for p in shop.home.rglob("*") if p.is_file()]
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("mail."))  # the server's own
    everything = ours + "".join(capfd.readouterr()) + str((untrusted, refused))
    for secret in (CANARY, "ana@shop.example"):
        assert secret not in everything and not [f for f in files if secret.encode() in f]


def test_a_server_without_encryption_gets_no_password(shop, server, monkeypatch):
    with mail_server() as (box, port):
        monkeypatch.setenv("SCA_MAIL_SERVER", f"smtp://reports:{CANARY}@127.0.0.1:{port}?from=reports@shop.example")
        shop.plan(ANA)
        row = shop.due()[1]
    assert row["status"] == "waiting" and "without STARTTLS" in row["error"] and not box.mails
    for url in (
        "",
        "mail.example",
        f"smtp+plain://a:{CANARY}@mail.example?from=a@b.c",
        f"smtp://a:{CANARY}@h:x?from=a@b.c",
    ):
        with pytest.raises(InputError) as refused:
            read_server(url)
        assert CANARY not in str(refused.value) and refused.value.__cause__ is None


def test_what_is_not_set_is_named_and_waits(shop, monkeypatch):
    shop.plan(ANA)
    monkeypatch.delenv("SCA_TO_ANA")
    assert "SCA_TO_ANA" not in json.dumps(dict(shop.due()[1]), default=str) or shop.rows()[0]["status"] == "waiting"
    monkeypatch.setenv("SCA_TO_ANA", "ana@shop.example")
    status, error = tried(shop, MONDAY + timedelta(hours=1))[0]
    assert status == "waiting" and "set it" in error
    monkeypatch.setenv("SCA_TO_ANA", f"mailto://ana:{CANARY}@shop.example")
    status, error = tried(shop, MONDAY + timedelta(hours=2))[0]
    assert status == "waiting" and "SCA_MAIL_SERVER" in error and CANARY not in error


def test_addresses_may_stand_in_the_file_of_the_environment(shop, server, monkeypatch):
    monkeypatch.delenv("SCA_TO_ANA")
    (shop.home / ".env").write_text("SCA_TO_ANA=ana@shop.example\n")
    shop.plan(ANA)
    assert load_settings(shop.home).port == 8000 and shop.due()[1]["status"] == "sent"


# ---- chats


@pytest.fixture
def chat():
    "A service that takes JSON; yields its port, what arrived and its answer."
    got, answer = [], [200]

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(answer[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    http = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield http.server_port, got, answer
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_chat_gets_title_text_and_file_and_its_address_is_not_logged(shop, chat, monkeypatch, caplog, capfd):
    port, got, answer = chat
    monkeypatch.setenv("SCA_TO_ANA", f"json://reports:{CANARY}@127.0.0.1:{port}/hook")
    caplog.set_level(logging.DEBUG)
    shop.plan(ANA)
    answer[0] = 500
    assert shop.due()[1]["status"] == "waiting"
    answer[0] = 200
    assert tried(shop, MONDAY + timedelta(hours=1)) == [("sent", None)]
    assert got[-1]["title"] == "Olist, week 46: 21% negative (20–22), 3 changes"
    assert "https://page.example" in got[-1]["message"] and len(got[-1]["attachments"]) == 1
    monkeypatch.setenv("SCA_TO_ANA", f"nochat://{CANARY}")
    shop.due(MONDAY + timedelta(weeks=1))
    logged = caplog.text + "".join(capfd.readouterr()) + json.dumps(list_deliveries(shop.engine), default=str)
    assert CANARY not in logged and "127.0.0.1" not in logged


# ---- the command line, and the clock


def test_the_commands_make_send_and_list(shop, server):
    (shop.home / "reports.toml").write_text(PLAN.replace("Mon 07:00", "daily 00:00") + ANA)
    output = CliRunner().invoke(reports, ["due", "--dry-run"]).output
    assert "weekly" in output and "to Ana: due" in output
    assert "to Ana: sent" in CliRunner().invoke(reports, ["due"]).output
    assert CliRunner().invoke(reports, ["due"]).output == "" == CliRunner().invoke(reports, ["deliver"]).output
    listed = CliRunner().invoke(reports, ["deliveries"]).output
    assert "Ana" in listed and "sent" in listed and "@" not in listed
    shop.error = ReportError("a run", "none", "look")
    (shop.home / "reports.toml").write_text(PLAN.replace("Mon 07:00", "daily 00:00").replace("weekly", "model") + ANA)
    assert CliRunner().invoke(reports, ["due"]).exit_code == 1


def test_a_clock_ends_cleanly_on_sigterm(tmp_path):
    (tmp_path / "settings.ini").write_text("[sca]\n")
    (tmp_path / "reports.toml").write_text('[[report]]\nname = "weekly"\nat = "Mon 07:00"\n')
    open_database(load_settings(tmp_path)).dispose()
    command = [sys.executable, "-c", "from smart_customer_analysis.cli import main; main()", "report", "clock"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for((tmp_path / "reports" / ".due.lock").exists)
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in output
