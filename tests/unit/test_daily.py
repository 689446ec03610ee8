"""The daily close: new rows only, the same tables as from nothing, one at a time, and whole after a kill."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import select

from smart_customer_analysis import daily
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.daily import alone, close, close_text, plan_close
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.pipeline import run
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.service import Service
from smart_customer_analysis.serving import read_shop
from smart_customer_analysis.steps import watch
from smart_customer_analysis.store.closes import begin_close, list_closes, told_alerts
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.query import segments
from smart_customer_analysis.store.tables import Customer, Prediction, Review

COLUMNS = ["review_id", "customer_id", "rating", "text", "reviewed_at"]
TABLES = {Review: COLUMNS, Customer: ["customer_id", "first_seen"], Prediction: ["review_id", "p_negative"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    "A home with a model and 500 reviews, and the folder that later files come into."
    home = tmp_path_factory.mktemp("kiosk")
    made = make_shop(n_customers=260, n_reviews=560, seed=5, dirty=False)
    rows = made.reviews.sort_values("reviewed_at")[COLUMNS].reset_index(drop=True)
    (home / "in").mkdir()
    rows.head(500).to_csv(home / "in" / "reviews-1.csv", index=False)
    tiny = tiny_encoder(home / "tiny", rows["text"].tolist())
    settings = load_settings(home, encoder=str(tiny), epochs=1, max_tokens=32)
    run(settings, "csv", (home / "in",), name="kiosk")
    return home, rows


@pytest.fixture
def home(shop, tmp_path):
    "A copy of that home, with one more file."
    origin, rows = shop
    shutil.copytree(origin, tmp_path / "home")
    rows.tail(60).to_csv(tmp_path / "home" / "in" / "reviews-2.csv", index=False)
    return tmp_path / "home"


NOW = datetime(2026, 11, 17, 7, tzinfo=UTC)


def closed(home, now=NOW, **changes):
    return close(load_settings(home, **changes), "csv", (home / "in",), "kiosk", now)


def content(home):
    "The rows of every table that a shop's figures come from, without the numbers of loads."
    engine = open_database(load_settings(home))
    rows = {}
    with engine.connect() as c:
        for table, names in TABLES.items():
            by_table = c.execute(select(*(getattr(table, n) for n in names)).order_by(getattr(table, names[0])))
            rows[table.__tablename__] = [tuple(round(v, 4) if isinstance(v, float) else v for v in r) for r in by_table]
    return rows


def figures(home):
    service = Service(load_settings(home))
    try:
        view = service.overview(Filters(source="kiosk"))
    finally:
        service.close()
    return json.dumps([view[k] for k in ("headline", "previous", "over_time", "data_to")], sort_keys=True)


def test_a_close_after_a_new_file_gives_the_tables_and_figures_of_all_files_at_once(home, tmp_path, monkeypatch):
    monkeypatch.setattr(daily, "rows_to_read", lambda settings: 300)  # as in a shop of which a sample is held in memory
    result = closed(home, score_rows=120)
    assert (result["files"], result["new"]) == (["reviews-2.csv"], 60)
    at_once = tmp_path / "at_once"
    shutil.copytree(home / "in", at_once / "in")
    shutil.copytree(home / "models", at_once / "models")
    assert closed(at_once, score_rows=120)["new"] == 560
    assert content(home) == content(at_once)
    assert figures(home) == figures(at_once)
    inputs = [segments(open_database(load_settings(h)), "kiosk")["params"]["inputs"] for h in (home, at_once)]
    assert inputs[0] == inputs[1]  # hash of the numbers that the segments are made from


def test_the_days_are_tested_with_the_names_and_the_pool_of_the_page(home):
    engine, k = open_database(load_settings(home)), load_settings(home).min_customers
    page, (recent, pool) = read_shop(engine, "kiosk", k), watch.recent_shop(engine, "kiosk", k, date(2026, 10, 1))
    assert (pool, recent.names, recent.confusion) == (page.pool, page.names, page.confusion)
    assert recent.segment_names == page.segment_names
    assert 0 < len(recent.reviews) < len(page.reviews)


def test_a_second_close_reads_predicts_and_tells_nothing(home, monkeypatch):
    closed(home)
    before = content(home)
    monkeypatch.setattr(watch, "recent_shop", None)  # the shop is not read where there is no day to test
    again = closed(home)
    assert (again["files"], again["new"], again["days"], again["changes"]) == ([], 0, [], [])
    assert content(home) == before
    assert close_text(again).count("\n") == 0


def test_a_file_of_the_same_bytes_under_another_name_is_not_read_again(home):
    closed(home)
    (home / "in" / "reviews-2.csv").rename(home / "in" / "reviews-renamed.csv")
    assert plan_close(load_settings(home), "csv", (home / "in",), "kiosk", NOW)["files"] == []


def test_a_close_never_trains(home):
    models = sorted(p.name for p in (home / "models" / "sentiment").iterdir())
    closed(home)
    assert sorted(p.name for p in (home / "models" / "sentiment").iterdir()) == models


def test_missed_days_are_made_up_once(home):
    closed(home, NOW - timedelta(5))
    result = closed(home, NOW)
    days = pd.to_datetime(result["days"])
    assert days.is_monotonic_increasing and days.is_unique
    assert closed(home, NOW)["days"] == []


def test_two_closes_at_once_are_one(home):
    with alone(load_settings(home)), pytest.raises(InputError, match="no other close"):
        closed(home)


def test_a_change_is_told_once_and_stored_with_the_day_it_was_proven(home, shop):
    _, rows = shop
    newest = rows["reviewed_at"].max()
    angry = pd.DataFrame({"review_id": [f"x{i}" for i in range(150)], "customer_id": [f"n{i}" for i in range(150)]})
    angry = angry.assign(rating=1.0, text="It broke on the first day and nobody answers.", reviewed_at=newest)
    angry.to_csv(home / "in" / "reviews-3.csv", index=False)
    first = closed(home, newest.to_pydatetime() + timedelta(2))
    assert any(s.startswith("Overall, negative reviews rose") for s in first["changes"])
    angry.assign(review_id=angry["review_id"] + "b", customer_id=angry["customer_id"] + "b").assign(
        reviewed_at=newest + pd.Timedelta(days=1)
    ).to_csv(home / "in" / "reviews-4.csv", index=False)
    second = closed(home, newest.to_pydatetime() + timedelta(3))
    assert second["days"] and not any(s.startswith("Overall") for s in second["changes"])
    alerts = told_alerts(open_database(load_settings(home)), "kiosk")
    assert (alerts["kind"] == "overall").sum() == 1


def test_reviews_that_a_stopped_first_close_has_loaded_are_predicted_by_the_next(home, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as m, pytest.raises(KeyboardInterrupt):
        m.setattr(daily, "score_step", stop)
        closed(home)
    result = closed(home)
    assert (result["files"], result["new"]) == ([], 60)
    assert result["predicted"] + sum(result["outside"].values()) == 60


def test_a_failed_close_leaves_its_reviews_to_the_next_and_is_told(home, monkeypatch):
    closed(home, NOW - timedelta(1))
    rows = pd.read_csv(home / "in" / "reviews-2.csv").head(20)
    rows = rows.assign(review_id="late" + rows["review_id"].astype(str), text=rows["text"] + " It broke again.")
    rows.to_csv(home / "in" / "reviews-3.csv", index=False)

    def fail(*_, **__):
        raise InputError("a model", "none", "train one")

    failures = []
    monkeypatch.setattr(daily, "tell_failure", lambda settings, shop, error, now: failures.append((shop, error.found)))
    with monkeypatch.context() as m, pytest.raises(InputError):
        m.setattr(daily, "score_step", fail)
        closed(home)
    assert failures == [("kiosk", "none")]
    assert closed(home)["new"] == 20


def test_a_close_that_was_killed_is_told_by_the_next(home, monkeypatch):
    failures = []
    monkeypatch.setattr(daily, "tell_failure", lambda settings, shop, error, now: failures.append(error.found))
    begin_close(open_database(load_settings(home)), "kiosk", 0)
    closed(home)
    closed(home)
    assert failures == ["one that was stopped before its end"]


CLOSE = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.daily import close
home = Path(sys.argv[1])
print("begun", flush=True)
close(load_settings(home), "csv", (home / "in",), "kiosk", datetime(2026, 11, 17, 7, tzinfo=UTC))
"""


def test_a_close_killed_at_any_moment_is_closed_again_without_a_row_twice_or_lost(home, tmp_path):
    rng = random.Random(3)
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-c", CLOSE, str(home)], stdout=subprocess.PIPE, env=dict(os.environ))
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 3.0))
        child.send_signal(signal.SIGKILL)
        child.wait()
    closed(home)
    rows = content(home)
    ids = [r[0] for r in rows["reviews"]]
    assert len(ids) == len(set(ids)) == 560
    assert len(rows["predictions"]) >= 540
    kept = list_closes(open_database(load_settings(home)), "kiosk")
    assert kept[0]["status"] == "done" and "running" not in {c["status"] for c in kept}
    assert closed(home)["new"] == 0
