"Kill the daily close at random moments, day after day, until another one gets each day to its end."

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pandas as pd
from delivery_faults import execute
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail import mail_server

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.daily import close
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.report import run as report
from smart_customer_analysis.report.deliver import CLOSE
from smart_customer_analysis.store.closes import list_closes
from smart_customer_analysis.store.engine import make_engine, reading
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.tables import Alert, Customer, Delivery, ReportRun, Review
from smart_customer_analysis.store.tables import Close as CloseRow

FIRST, EACH = 300, 20  # reviews of the first file, and of every further day
MOST = 8  # kills of one day
START = pd.Timestamp("2026-03-01", tz="UTC")
PLAN = """
[[report]]
name = "weekly"
since = 2026-01-01T00:00:00Z
parameters = { source = "kiosk" }
to = [{ name = "Ana" }, { name = "Ben", when = ["made", "nothing_new"] }]
"""
fork = multiprocessing.get_context("fork")


def settings_of(home: Path, url: str):
    "Few segments to try, so that a close is short."
    folders = {"data_dir": home / "data", "reports_dir": home / "reports", "models_dir": home / "models"}
    return load_settings(home, database_url=url, min_segments=2, max_segments=3, **folders)


def close_once(home: Path, url: str, port: int, now) -> None:
    "Do what the clock does every day; the kernel of the report is stood in for."
    report._execute, report.check_shop = execute_weekly, lambda *shop: None
    report.body_of = lambda notebook: "<h1>Report</h1>"
    os.environ["SCA_MAIL_SERVER"] = f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example"
    os.environ |= {"SCA_TO_ANA": "ana@shop.example", "SCA_TO_BEN": "ben@shop.example"}
    close(settings_of(home, url), "csv", (home / "in",), "kiosk", now)


def execute_weekly(template: Path, out: Path, values: dict, *rest) -> dict:
    "As `execute`, without a region."
    return execute(template, out, {"region": "", **values}, *rest)


def phase(engine) -> str:
    "Return what a killed close was doing."
    with reading(engine) as c:
        running = c.execute(select(func.count()).where(CloseRow.status == "running")).scalar_one()
        reports = c.execute(select(func.count()).where(ReportRun.status == "running")).scalar_one()
        sending = c.execute(select(func.count()).where(Delivery.status == "sending")).scalar_one()
    if running:
        return "loading, segmenting or testing"
    return "sending" if sending else "making a report" if reports else "before or between these"


def count(engine, days: int, mails: list, killed_days: int) -> list[str]:
    "Return what went wrong."
    with reading(engine) as c:
        reviews = c.execute(select(func.count(), func.count(Review.review_id.distinct()))).one()
        texts = c.execute(select(func.count(Review.text.distinct()))).scalar_one()
        people = c.execute(select(func.count(Customer.customer_id))).scalar_one()
        wrote = c.execute(select(func.count(Review.customer_id.distinct()))).scalar_one()
        slots = [s["at"] for s in c.execute(select(ReportRun.summary["slot"])).scalars() if s]
        rows = c.execute(select(Delivery.key, Delivery.report, Delivery.recipient, Delivery.status)).all()
        alerts = c.execute(select(func.count(), func.count((Alert.kind + Alert.key).distinct()))).one()
    wanted, wrong = FIRST + EACH * (days - 1), []
    if tuple(reviews) != (wanted, wanted) or texts != wanted or people != wrote:
        wrong.append(f"{reviews} reviews of {wanted}, {texts} texts, {people} customers, {wrote} of them with reviews")
    if not len(slots) == len(set(slots)) == days:
        wrong.append(f"{len(slots)} runs of {days} days: {Counter(slots).most_common(2)}")
    reports = Counter(r.recipient for r in rows if r.report != CLOSE)
    if reports != {"Ana": days, "Ben": days} or {r.status for r in rows} != {"sent"}:
        wrong.append(f"deliveries: {dict(reports)}, {Counter(r.status for r in rows)}")
    failures = Counter(r.recipient for r in rows if r.report == CLOSE)
    if set(failures) - {"Ana"} or failures.total() > killed_days:
        wrong.append(f"mails about stopped closes: {dict(failures)}, in {killed_days} days with a kill")
    arrived = Counter(mail["Message-ID"].strip("<>").partition("@")[0] for _, mail in mails)
    if set(arrived) != {r.key for r in rows}:
        wrong.append(f"{len(arrived)} different mails for {len(rows)} deliveries")
    if alerts[0] != alerts[1]:
        wrong.append(f"{alerts[0]} alerts of {alerts[1]} groups")
    if any(c["status"] == "running" for c in list_closes(engine)):
        wrong.append("a close that still runs")
    return wrong


def killed_closes(home: Path, kills: int, seed: int, url: str = "") -> tuple[Counter, int, int, list[str]]:
    "Kill so many closes; returns where kills hit, days closed, mails that came again, and what went wrong."
    chance, hit, wrong, day, killed_days = random.Random(seed), Counter(), [], 0, 0
    (home / "in").mkdir(parents=True)
    (home / "settings.ini").write_text("[sca]\n")
    (home / "reports.toml").write_text(PLAN)
    url = url or f"sqlite:///{home / 'shop.db'}"
    rows = make_shop(n_customers=200, n_reviews=FIRST + EACH * 200, seed=seed, dirty=False).reviews
    rows = rows[["review_id", "customer_id", "rating", "text"]].reset_index(drop=True)
    rows["text"] = [f"{text} Order number {n:05}." for n, text in enumerate(rows["text"])]
    engine, longest = make_engine(url), 0.0  # the first day is closed without a kill, and tells how long a close is
    migrate(engine)
    with mail_server() as (box, port):
        box.wait = 0.05  # between taking a mail and saying so
        while hit.total() < kills:
            part = rows.head(FIRST) if day == 0 else rows.iloc[FIRST + EACH * (day - 1) : FIRST + EACH * day]
            when = START + pd.Timedelta(days=day, hours=9)
            dates = when - pd.to_timedelta([n % 60 if day == 0 else 0 for n in range(len(part))], unit="D")
            part.assign(reviewed_at=dates).to_csv(home / "in" / f"reviews-{day:03}.csv", index=False)
            day, now, before = day + 1, (when + pd.Timedelta(hours=20)).to_pydatetime(), hit.total()
            while True:
                process = fork.Process(target=close_once, args=(home, url, port, now))
                began = time.monotonic()
                process.start()
                if longest and hit.total() < min(kills, before + MOST):
                    process.join(chance.uniform(0.0, 1.1 * longest))
                    if process.is_alive():
                        os.kill(process.pid, signal.SIGKILL)
                process.join()
                if process.exitcode == 0:
                    longest = time.monotonic() - began
                    break
                if process.exitcode != -signal.SIGKILL:
                    wrong.append(f"day {day}: ended with {process.exitcode}")
                    return hit, day, 0, wrong
                hit[phase(engine)] += 1
                now += timedelta(minutes=10)
            killed_days += hit.total() > before
        again = fork.Process(target=close_once, args=(home, url, port, now + timedelta(hours=1)))  # nothing is left
        sent = len(box.mails)
        again.start()
        again.join()
        if again.exitcode or len(box.mails) != sent:
            wrong.append(f"a repeat ended with {again.exitcode} and sent {len(box.mails) - sent} mails")
        wrong += count(engine, day, box.mails, killed_days)
        repeated = len(box.mails) - len({mail["Message-ID"] for _, mail in box.mails})
    engine.dispose()
    return hit, day, repeated, wrong
