"Kill a process that makes and sends reports, at random moments, until another one gets to the end."

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail import mail_server

from smart_customer_analysis.config import Settings, load_settings
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.deliver import run_due
from smart_customer_analysis.store.deliveries import FIRST_WAIT
from smart_customer_analysis.store.engine import make_engine, reading
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.tables import Delivery, ReportRun

NOW = datetime(2026, 11, 16, 7, 2, tzinfo=UTC)
REGIONS = [f"Region {n}" for n in range(4)]
PLAN = """
[[report]]
name = "weekly"
label = "whole"
at = "Mon 07:00"
since = 2026-11-10T00:00:00Z
to = [{ name = "Ana" }, { name = "Ben" }]
[[report]]
name = "weekly"
label = "regions"
at = "Mon 07:00"
since = 2026-11-10T00:00:00Z
for_each = "region"
to = [{ name = "Ana", only = { region = "*" } }, { name = "Ben", only = { region = "Region 2" } }]
"""
EXPECTED = {("whole", "Ana"): 1, ("whole", "Ben"): 1, ("regions", "Ana"): len(REGIONS), ("regions", "Ben"): 1}
fork = multiprocessing.get_context("fork")


def execute(template: Path, out: Path, values: dict, settings: Settings, timeout: float) -> dict:
    "Stand in for the kernel, as `body_of` is stood in for: the moments of interest are before and after them."
    time.sleep(0.01)
    nbformat.write(nbformat.v4.new_notebook(), out)
    out.with_suffix(".result.json").write_text("{}")
    out.with_suffix(".parameters.json").write_text("{}")
    region = values["region"]
    return {"title": f"Weekly {region}", "period": "a week", "n_changes": 1, "key": f"2026-11-15-{region}"}


def settings_of(home: Path, url: str = "") -> Settings:
    "Everything in one folder; an empty URL is SQLite there."
    return load_settings(home, database_url=url, data_dir=home / "data", reports_dir=home / "reports")


def tick(home: Path, url: str, port: int, now: datetime) -> None:
    "Do what a timer does: make and send what is due."
    report._execute, report.check_shop = execute, lambda *shop: None
    report.body_of = lambda notebook: "<h1>Report</h1>"
    os.environ["SCA_MAIL_SERVER"] = f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example"
    os.environ |= {"SCA_TO_ANA": "ana@shop.example", "SCA_TO_BEN": "ben@shop.example"}
    settings = settings_of(home, url)
    engine = make_engine(settings.database)
    run_due(settings, engine, now, lambda schedule: REGIONS)
    engine.dispose()


def phase(home: Path, url: str) -> str:
    "Return what a killed process was doing."
    engine = make_engine(settings_of(home, url).database)
    with reading(engine) as c:
        states = set(c.execute(select(Delivery.status)).scalars())
    engine.dispose()
    return "sending" if "sending" in states else "between two mails" if "sent" in states else "making"


def count(home: Path, url: str, mails: list) -> tuple[list[str], int]:
    "Return what went wrong, and how many mails came again."
    engine = make_engine(settings_of(home, url).database)
    with reading(engine) as c:
        slots = [s for s in c.execute(select(ReportRun.summary["slot"])).scalars() if s]
        rows = c.execute(select(Delivery.key, Delivery.report, Delivery.recipient, Delivery.status)).all()
    engine.dispose()
    wrong = []
    recorded = Counter((s["report"], s["part"]) for s in slots)
    if recorded != {("whole", ""): 1} | {("regions", r): 1 for r in REGIONS}:
        wrong.append(f"runs recorded: {dict(recorded)}")
    if Counter((r.report, r.recipient) for r in rows) != EXPECTED or {r.status for r in rows} != {"sent"}:
        wrong.append(f"deliveries: {[(r.report, r.recipient, r.status) for r in rows]}")
    arrived = Counter(mail["Message-ID"].strip("<>").partition("@")[0] for _, mail in mails)
    if set(arrived) != {r.key for r in rows}:
        wrong.append(f"{len(arrived)} different mails for {len(rows)} deliveries")
    return wrong, sum(arrived.values()) - len(arrived)


def killed_runs(home: Path, kills: int, seed: int, make_url: Callable[[], str] = str) -> tuple[Counter, int, list[str]]:
    "Kill so many ticks, each plan until it is done; returns where kills hit, mails that came again, what went wrong."
    chance, hit, again, wrong = random.Random(seed), Counter(), 0, []
    with mail_server() as (box, port):
        box.wait = 0.05  # between taking a mail and saying so: many kills fall there
        plan = 0
        while hit.total() < kills:
            plan += 1
            here = home / f"shop{plan}"
            here.mkdir(parents=True)
            (here / "settings.ini").write_text("[sca]\n")
            (here / "reports.toml").write_text(PLAN)
            url = make_url()
            engine = make_engine(settings_of(here, url).database)
            migrate(engine)
            engine.dispose()
            box.mails.clear()
            now = NOW
            while True:
                process = fork.Process(target=tick, args=(here, url, port, now))
                process.start()
                if hit.total() < kills:
                    process.join(chance.uniform(0.02, 0.8))
                    if process.is_alive():
                        os.kill(process.pid, signal.SIGKILL)
                process.join()
                if process.exitcode == 0:
                    break
                if process.exitcode != -signal.SIGKILL:
                    wrong.append(f"plan {plan}: ended with {process.exitcode}")
                    break
                hit[phase(here, url)] += 1
                now += FIRST_WAIT * 2
            later = now + timedelta(hours=1)
            tick_after = fork.Process(target=tick, args=(here, url, port, later))  # nothing is left to do
            before = len(box.mails)
            tick_after.start()
            tick_after.join()
            faults, repeated = count(here, url, box.mails)
            again += repeated
            wrong += [f"plan {plan}: {fault}" for fault in faults]
            if len(box.mails) != before:
                wrong.append(f"plan {plan}: a repeat sent {len(box.mails) - before} mails")
    return hit, again, wrong
