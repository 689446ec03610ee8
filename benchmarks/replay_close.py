"""Olist, replayed day by day through the daily close. Writes docs/measured/close_olist.md. Needs SCA_REAL_DATA."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from sim_table import write
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from mail import mail_server

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.daily import close, close_text
from smart_customer_analysis.store.closes import told_alerts
from smart_customer_analysis.store.deliveries import list_deliveries
from smart_customer_analysis.store.migrate import open_database

PLAN = """
[[report]]
name = "weekly"
at = "Mon 07:00"
since = {since}T00:00:00Z
[[report.to]]
name = "Ana"
when = ["made", "nothing_new", "failed"]
"""
TEXT = (
    "Every day the orders, customers and reviews of that day come as files, and `sca close` runs the morning after. "
    "Everything before the first day was loaded at once. Stars alone count: no model reads Portuguese here. On Mondays "
    "the weekly report is made, with its kernel, and mailed to a server on the same machine, whatever its outcome. "
    "Seconds by the clock; the machine had other work."
)
DAILY = ("order_reviews", "orders", "customers")


def read_files(folder: Path) -> dict[str, pd.DataFrame]:
    "Read the files that come day by day, with the day of each row."
    frames = {name: pd.read_csv(folder / f"{name}.csv", dtype="str") for name in DAILY}
    orders = frames["orders"]
    bought = pd.to_datetime(orders["order_purchase_timestamp"]).dt.date
    days = {
        "order_reviews": pd.to_datetime(frames["order_reviews"]["review_creation_date"]).dt.date,
        "orders": bought,
        "customers": frames["customers"]["customer_id"].map(dict(zip(orders["customer_id"], bought, strict=True))),
    }
    return {name: frame.assign(day=days[name]) for name, frame in frames.items()}


def bring(frames: dict[str, pd.DataFrame], folder: Path, first: date | None, day: date) -> None:
    "Write the rows of a day, or of all days to it, as files of the shop."
    for name, frame in frames.items():
        rows = frame[(frame["day"] <= day) & ((frame["day"] > first) if first else True)]
        if len(rows):
            rows.drop(columns="day").to_csv(folder / f"{name}-{day}.csv", index=False)


def replay(home: Path, data: Path, first: date, days: int, minutes: float) -> tuple[pd.DataFrame, list, Engine]:
    "Close day after day; returns a row per close, the mails and the engine."
    inbox, begun, rows = home / "in", time.time(), []
    inbox.mkdir(parents=True)
    (home / "settings.ini").write_text("[sca]\n")
    (home / "reports.toml").write_text(PLAN.format(since=first))
    for name in ("order_items", "order_payments", "geolocation"):
        (inbox / f"{name}.csv").symlink_to(data / f"{name}.csv")
    frames, settings = read_files(data), load_settings(home, data_dir=home / "data", reports_dir=home / "reports")
    with mail_server() as (box, port):
        os.environ["SCA_MAIL_SERVER"] = f"smtp+plain://127.0.0.1:{port}?from=reports@shop.example"
        os.environ["SCA_TO_ANA"] = "ana@shop.example"
        for n in range(days + 1):
            day = first + timedelta(days=n - 1)
            bring(frames, inbox, day - timedelta(days=1) if n else None, day)
            now = pd.Timestamp(day + timedelta(days=1), tz="UTC") + pd.Timedelta(hours=7, minutes=5)
            start = time.time()
            result = close(settings, "olist", (inbox,), None, now.to_pydatetime())
            print(f"{day}  {time.time() - start:.1f} s  {close_text(result)}", flush=True)
            seconds = {s["name"]: s["seconds"] for s in result["stages"]}
            reports = Counter(r["status"] for r in result["reports"])
            row = {"day": day, "files": len(result["files"]), "new": result["new"], "tested": len(result["days"])}
            rows.append(row | {"changes": len(result["changes"]), "events": len(result["events"])} | seconds | reports)
            if time.time() - begun > 60 * minutes:
                break
        return pd.DataFrame(rows).fillna(0), list(box.mails), open_database(settings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2018, 4, 2))
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=25, help="stop after this time")
    parser.add_argument("--out", type=Path, help="keep the mailed reports here")
    args = parser.parse_args()
    begun, data = time.time(), Path(os.environ["SCA_REAL_DATA"]) / "olist"
    with tempfile.TemporaryDirectory() as folder:
        table, mails, engine = replay(Path(folder) / "shop", data, args.first, args.days, args.minutes)
        alerts, deliveries = told_alerts(engine, "olist"), list_deliveries(engine, 10_000)
        engine.dispose()
    for mail in (m for _, m in mails if args.out):
        args.out.mkdir(parents=True, exist_ok=True)
        for file in mail.iter_attachments():
            (args.out / file.get_filename()).write_bytes(file.get_payload(decode=True))
    later = table.iloc[1:]
    stages = [c for c in ("load", "predict", "test", "reports") if c in later]
    with_report = later[later.reindex(columns=["made", "nothing_new"], fill_value=0).sum(axis=1) > 0]
    counts = {"closes": len(table), "reviews before": table["new"].iloc[0], "reviews since": int(later["new"].sum())}
    counts |= {"days tested": int(table["tested"].sum()), "changes told": len(alerts)}
    counts |= {f"reports {k.replace('_', ' ')}": int(table[k].sum()) for k in ("made", "nothing_new") if k in table}
    counts |= {"deliveries": len(deliveries), "of them sent": sum(r["status"] == "sent" for r in deliveries)}
    counts |= {"mails": len(mails)}
    seconds = pd.DataFrame(
        {"stage": s, "median s": round(later[s].median(), 1), "longest s": round(later[s].max(), 1)} for s in stages
    )
    if len(with_report):
        row = {"stage": "reports, on days with one", "median s": with_report["reports"].median()}
        seconds.loc[len(seconds)] = row | {"longest s": with_report["reports"].max()}
    changes = alerts[["day", "since", "sentence"]].astype("str") if len(alerts) else pd.DataFrame({"none": ["nothing"]})
    subjects = pd.DataFrame({"subject": [mail["Subject"] for _, mail in mails]})
    tables = {"Counts": pd.DataFrame([counts]), "Seconds of a close": seconds}
    tables |= {"Changes told": changes, "Mails": subjects}
    write("close_olist", "Olist, day by day", TEXT, tables, 0, time.time() - begun)
