"""A served shop: `data.sample` in a database, with made-up predictions, segments and one report. They are
no model's: the stars with 8 % errors and 6 % doubts, so that every route has something to show without training one."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fastapi import FastAPI
from planted_themes import plant_themes
from starlette.testclient import TestClient

from smart_customer_analysis.app import main
from smart_customer_analysis.config import Settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.schema import label_of_rating
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.results import save_model, save_predictions, save_report_run, save_segment_run


@contextmanager
def running(app: FastAPI) -> Generator[int]:
    "Run an app on a port of its own, as `sca serve` does; gives the port."
    listener, config = main._bind("127.0.0.1", 0), main.server_config(app)
    server = main._Server(config, app)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)


def run_alone(coroutine: Coroutine[Any, Any, Any]) -> Any:
    "Run on a thread of its own: a browser in the same process holds the loop of this one."
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


REPORT = "<!doctype html><html lang='en'><title>Week 46</title><h1>Week 46</h1></html>"


def predictions_of(reviews: pd.DataFrame, seed: int = 7) -> pd.DataFrame:
    "Made-up predictions: the stars, with errors and doubts."
    rng = np.random.default_rng(seed)
    n = len(reviews)
    negative = (reviews["rating"].fillna(3) < 3).to_numpy() ^ (rng.random(n) < 0.08)
    p = np.where(negative, rng.uniform(0.7, 0.99, n), rng.uniform(0.01, 0.3, n))
    p = np.where(rng.random(n) < 0.06, rng.uniform(0.45, 0.55, n), p).round(4)
    label = pd.Series(np.where(p > 0.5, 0, 1), dtype="Int8").mask(np.abs(p - 0.5) < 0.1)
    columns = {"review_id": reviews["review_id"].to_numpy(), "label": label, "p_negative": p, "p_positive": 1 - p}
    return pd.DataFrame({**columns, "tokens_read": 40, "tokens_total": 44})


def segments_of(customers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    "Made-up segments: three large ones and one of four people."
    letters = np.array(["A", "B", "C"])[np.arange(len(customers)) % 3]
    letters[:4] = "D"
    members = pd.DataFrame(
        {"member_id": customers["customer_id"], "segment_id": letters, "distance": 0.5, "margin": 0.2}
    )
    sizes = members["segment_id"].value_counts().sort_index()
    profile = {"recency": {"label": "Days since last order", "value": 12.0, "all": 40.0, "difference_sd": -0.9}}
    segments = [
        {
            "segment_id": letter,
            "name": f"Group {letter}",
            "sentence": f"Group {letter} buys often.",
            "size": int(n),
            "share": n / sizes.sum(),
            "profile": profile,
            "words": ["late", "parcel"],
            "quotes": [
                {
                    "text": "Came late.",
                    "reviewed_at": "2026-11-02T00:00:00+00:00",
                    "region": "Lisboa",
                    "review_id": "R000001",
                }
            ],
            "stability": 0.9,
        }
        for letter, n in sizes.items()
    ]
    return pd.DataFrame(segments), members


def fill(url: str, reports_dir: Path) -> None:
    "Write the shop into an empty database."
    shop = make_shop(n_customers=500, n_reviews=1600)
    customers = shop.customers.copy()
    lonely = customers.index[:3]
    customers.loc[lonely, "region"] = "Lonelyshire"  # three people: never to be seen again
    states = np.array(["delivered", "late", "lost: gone"])[np.arange(len(shop.reviews)) % 3]
    states[:4] = "burnt"  # four reviews
    reviews = shop.reviews.assign(extra=[f'{{"state": "{state}"}}' for state in states])
    engine = make_engine(url)
    migrate(engine)
    rejects = pd.DataFrame(
        [["reviews.csv", 7, "no_text", "", "x"]] * 3, columns=["file", "line", "rule", "detail", "raw"]
    )
    save_load(engine, "sample", reviews, customers, shop.orders, rejects=rejects)
    accuracy = {"value": 0.92, "low": 0.9, "high": 0.94, "n": 400}
    metrics = {
        "validation_confusion": {"tn": 460, "fp": 40, "fn": 40, "tp": 460},
        "test": {"accuracy": accuracy, "baselines": {"tfidf": {"value": 0.85}}},
    }
    save_model(engine, "made-up-1", "sentiment", "made-up-1", metrics)
    assert label_of_rating(shop.reviews["rating"]).notna().any()
    save_predictions(engine, "made-up-1", predictions_of(shop.reviews))
    groups, members = segments_of(customers)
    moves = pd.DataFrame({"from": ["A", "A", "B"], "to": ["A", "B", "B"], "n": [150, 6, 160]})
    events = pd.DataFrame(
        {
            "kind": ["birth"],
            "segment_id": ["C"],
            "other": [None],
            "n": [165],
            "sentence": ["[C] appeared: 165 customers, matched to no earlier segment."],
        }
    )
    save_segment_run(
        engine,
        "customer",
        "made-up-1",
        {"seed": 1},
        pd.DataFrame({"k": [3, 4], "silhouette": [0.2, 0.3]}),
        groups,
        members,
        events,
        moves,
    )
    plant_themes(engine, "sample", shop.reviews, shop.truth["topics"])
    (reports_dir / "weekly").mkdir(parents=True)
    (reports_dir / "weekly" / "w46.html").write_text(REPORT)
    (reports_dir / ".secret.html").write_text("no")
    now = datetime(2026, 11, 16, 7, tzinfo=UTC)
    save_report_run(
        engine,
        "91_weekly",
        {"weeks": 4},
        "made",
        "weekly/w46.html",
        "weekly/w46.ipynb",
        {"title": "Week 46", "n_changes": 3},
        now,
        now,
    )
    save_report_run(engine, "93_model", {}, "failed", None, None, {}, now, now, "no labelled rows")
    engine.dispose()


@dataclass
class Served:
    "A running app and what it was made from."

    client: TestClient
    settings: Settings

    def get(self, address: str, **params):
        "GET, 200, JSON."
        answer = self.client.get(address, params=params)
        assert answer.status_code == 200, f"{answer.url}: {answer.text}"
        return answer.json()


def walk(value):
    "Every dictionary inside a JSON value."
    if isinstance(value, dict):
        yield value
        for v in value.values():
            yield from walk(v)
    elif isinstance(value, list):
        for v in value:
            yield from walk(v)
