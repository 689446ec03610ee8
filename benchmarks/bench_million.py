"""Questions of the API over a shop of a million reviews: seconds of the processor. Writes docs/measured/million.md."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from bench_close import fill
from bench_store import server_seconds
from sim_table import write

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.service import Service
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.results import save_segment_run
from smart_customer_analysis.view.shop_file import forget_shops

SHARE_WITHOUT_STARS = 0.3
QUIET_LOOP = 0.2  # seconds
TEXT = (
    "A service over a shop of {n:,} reviews of {people:,} customers in 27 regions and five segments, with places, "
    "predictions and an own column; three in ten reviews have no stars. Each line is one question asked once, in this "
    "order, in a process of its own: seconds of the processor, for PostgreSQL with those of its server, and the peak "
    "of resident memory so far, without the model (about 600 MB more where texts are predicted). `Read` is a server "
    "that finds no file of the shop and makes it; `opened` is one that finds it and the answers about all reviews. "
    "Wanted are 1.5 s for the first overview and 0.3 s for any other answer, below 1,500 MB. The machine had other "
    "work, which makes seconds longer: `loop` is a fixed loop of Python, {loop:.2f} s on this machine when it is quiet."
)


def enrich(rows: pd.DataFrame, customers: pd.DataFrame, predictions: pd.DataFrame, seed: int = 42) -> tuple:
    "Places round the middle of each region, longer texts, reviews without stars, unsure predictions, an own column."
    rng, n, people = np.random.default_rng(seed), len(rows), len(customers)
    middles = rng.uniform((-54, -30), (-38, -4), (27, 2))
    placed = middles[customers["region"].str[1:].astype(int)] + rng.normal(0, 0.5, (people, 2))
    customers = customers.assign(lon=placed[:, 0].round(5), lat=placed[:, 1].round(5), place="Town")
    texts, other = rows["text"].to_numpy(), rows["text"].to_numpy()[rng.permutation(n)]
    rows = rows.assign(text=[f"{a} {b} Order {i:07} came." for i, (a, b) in enumerate(zip(texts, other, strict=True))])
    rows = rows.assign(title=[text[:24] for text in texts])
    bare = rng.random(n) < SHARE_WITHOUT_STARS
    rows = rows.assign(rating=rows["rating"].mask(bare), label=rows["label"].mask(bare))
    rows["extra"] = np.array([f'{{"channel": "{c}"}}' for c in ("web", "app", "store")])[rng.integers(0, 3, n)]
    unsure = (predictions["p_negative"] - 0.5).abs() < 0.05
    return rows, customers, predictions.assign(label=predictions["label"].mask(unsure))


def build(home: Path, n: int, people: int, seed: int) -> None:
    "Make the shop, with segments."
    fill(home, n, people, seed, enrich)
    (home / "settings.ini").write_text("[sca]\n")
    engine, rng = open_database(load_settings(home)), np.random.default_rng(seed)
    letters = pd.Series(rng.choice(list("ABCDE"), people, p=[0.4, 0.25, 0.2, 0.1, 0.05]), name="segment_id")
    sizes = letters.value_counts().sort_index()
    segments = pd.DataFrame({"segment_id": sizes.index, "size": sizes.to_numpy(), "share": sizes.to_numpy() / people})
    segments = segments.assign(name="Segment " + segments["segment_id"], sentence="Made up.", stability=0.9)
    segments = segments.assign(profile=[[]] * 5, words=[[]] * 5, quotes=[[]] * 5)
    members = pd.DataFrame({"member_id": [f"c{i:06}" for i in range(people)], "segment_id": letters})
    members = members.assign(distance=0.0, margin=0.5)
    save_segment_run(engine, "customer", None, {"k": 5}, pd.DataFrame({"k": [5]}), segments, members, source="bench")
    engine.dispose()


def loop() -> float:
    "Seconds of the processor of a fixed piece of work: what they are worth at this moment."
    start = time.process_time()
    sum(i * i for i in range(3_000_000))
    return time.process_time() - start


def questions(service: Service) -> dict[str, Callable[[], object]]:
    "Questions of the page, in the order in which a reader opens it."
    F = Filters  # noqa: N806
    return {
        "first overview": lambda: service.overview(F()),
        "the same again": lambda: service.overview(F()),
        "overview of a region": lambda: service.overview(F(region="R03")),
        "overview of a segment": lambda: service.overview(F(segment="B")),
        "overview of a word": lambda: service.overview(F(q="late")),
        "changes in a region": lambda: service.changes(F(region="R05")),
        "map, large cells": lambda: service.cells(F(), "large"),
        "map, small cells": lambda: service.cells(F(), "small"),
        "map of a region": lambda: service.cells(F(region="R07")),
        "shares by region": lambda: service.shares(F(), "region"),
        "shares by product": lambda: service.shares(F(), "product"),
        "shares by week": lambda: service.shares(F(), "week"),
        "segments": lambda: service.segments(F()),
        "one segment": lambda: service.segment("A", F()),
        "first page of reviews": lambda: service.reviews(F()),
        "ten pages of 500, then one of 50": lambda: service.reviews(F(), cursor=hundredth(service)),
        "page of a region, negative": lambda: service.reviews(F(region="R03", sentiment="negative"), "negative"),
        "search: late": lambda: service.reviews(F(q="late")),
        "search: a number": lambda: service.reviews(F(q="order 0123456")),
        "filters": service.filters,
    }


def hundredth(service: Service) -> str | None:
    "Cursor of the page after 5,000 reviews."
    cursor = None
    for _ in range(10):
        cursor = service.reviews(Filters(), limit=500, cursor=cursor)["next_cursor"]
    return cursor


def ask(home: Path) -> list[dict]:
    "Ask everything once, in this process."
    service = Service(load_settings(home))
    engine = service.connection.engine()
    rows = []
    for name, question in questions(service).items():
        start = time.process_time() + server_seconds(engine)
        question()
        seconds = time.process_time() + server_seconds(engine) - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        rows.append({"question": name, "s": round(seconds, 2), "peak MB": round(peak)})
    return [*rows, {"question": "loop", "s": round(loop(), 2), "peak MB": 0}]


def ask_apart(home: Path, url: str) -> list[dict]:
    "Ask everything in a process of its own."
    command = [sys.executable, __file__, "--ask", "--home", str(home)]
    process = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | ({"SCA_DATABASE_URL": url} if url else {})
    )
    if process.returncode:
        sys.exit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def table(home: Path, url: str = "") -> pd.DataFrame:
    "Ask a server that reads the database, then one that finds the file."
    forget_shops(load_settings(home).data_dir)
    read, opened = ask_apart(home, url), ask_apart(home, url)
    both = zip(read, opened, strict=True)
    return pd.DataFrame(
        [{"question": r["question"], "read, s": r["s"], "opened, s": o["s"], "peak MB": o["peak MB"]} for r, o in both]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--home", type=Path, help="keep the shop here, and use it where it exists")
    parser.add_argument("--postgres", default="", help="URL of a database that holds the same shop, or an empty one")
    parser.add_argument("--ask", action="store_true", help="only ask the questions of --home, and print what they took")
    args = parser.parse_args()
    if args.ask:
        print(json.dumps(ask(args.home)))
        sys.exit()
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "shop"
        if not (home / "settings.ini").is_file():
            build(home, args.reviews, args.people, args.seed)
        tables = {"SQLite": table(home)}
        if args.postgres:
            tables["PostgreSQL"] = table(home, args.postgres)
    text = TEXT.format(n=args.reviews, people=args.people, loop=QUIET_LOOP)
    write("million", "The API over a million reviews", text, tables, args.seed, time.time() - begun)
