"""A daily close of a large shop, stage by stage. Writes docs/measured/close.md."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sim_table import write

from smart_customer_analysis.config import load_settings
from smart_customer_analysis.data.sample import make_shop
from smart_customer_analysis.insight.watch import watch_day
from smart_customer_analysis.pipeline import run
from smart_customer_analysis.schema import Customer, Review, conform
from smart_customer_analysis.segment.refit import choose_segments
from smart_customer_analysis.sentiment.encoder import tiny_encoder
from smart_customer_analysis.sentiment.predict import Predictor
from smart_customer_analysis.sentiment.registry import active_model
from smart_customer_analysis.steps.load import rows_to_read
from smart_customer_analysis.steps.segment import segment_features
from smart_customer_analysis.steps.sentiment import score_step
from smart_customer_analysis.steps.watch import day_table, first_day_of, recent_shop
from smart_customer_analysis.store.known import newest_day, newest_load, reviews_since
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import open_database
from smart_customer_analysis.store.query import stored_frames
from smart_customer_analysis.store.results import last_segment_run, save_predictions

LAST = pd.Timestamp("2026-11-15", tz="UTC")  # day of the newest review before the measured closes
COLUMNS = ["review_id", "customer_id", "product_id", "rating", "text", "reviewed_at"]
TEXT = (
    "`sca close` of a shop with {n:,} stored reviews of {people:,} customers in 27 regions over two years, each "
    "with a prediction, on SQLite. A file of {new:,} new reviews arrives, of one day; the close reads it, "
    "predicts it with a model of one small layer (what a model of the usual size adds is the time to read {new:,} "
    "texts, see sentiment.md), carries the segments on, tests the day, and has no report to make. Seconds of the "
    "processor (the machine had other work; `start` is that of Python and its libraries), seconds of the stages "
    "by the clock, and the peak of resident memory, of a process of its own; wanted are at most 60 s and 2,000 MB "
    "in all. `quiet` is a further close without a new file."
)


def reviews(n: int, people: int, texts: list[str], seed: int) -> pd.DataFrame:
    "Reviews of two years; a third negative."
    rng = np.random.default_rng(seed)
    columns = {
        "review_id": [f"b{i:08}" for i in range(n)],
        "customer_id": [f"c{i:06}" for i in rng.integers(0, people, n)],
        "product_id": [f"p{i}" for i in rng.integers(0, 500, n)],
        "rating": rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], n, p=[0.2, 0.1, 0.1, 0.2, 0.4]),
        "text": np.array(texts, dtype=object)[rng.integers(0, len(texts), n)],
        "reviewed_at": LAST - pd.to_timedelta(rng.integers(0, 730 * 86_400, n), unit="s"),
    }
    rows = pd.DataFrame(columns)
    return rows.assign(label=(rows["rating"] > 3).astype("Int8").mask(rows["rating"] == 3))


def fill(home: Path, n: int, people: int, seed: int, enrich: Callable = lambda *frames: frames) -> None:
    "Make a home with a small model and a large shop; `enrich` may change its reviews, customers and predictions."
    sample = make_shop(n_customers=260, n_reviews=560, seed=seed, dirty=False).reviews
    (home / "in").mkdir(parents=True)
    sample.assign(reviewed_at=LAST - pd.Timedelta(days=800))[COLUMNS].to_csv(
        home / "in" / "reviews-first.csv", index=False
    )
    tiny = tiny_encoder(home / "tiny", sample["text"].tolist())
    settings = load_settings(home, encoder=str(tiny), epochs=1, max_tokens=32)
    run(settings, "csv", (home / "in" / "reviews-first.csv",), name="bench")
    rows, rng = reviews(n, people, sample["text"].tolist(), seed), np.random.default_rng(seed)
    engine = open_database(settings)
    regions = [f"R{i:02}" for i in rng.integers(0, 27, people)]
    customers = pd.DataFrame({"customer_id": [f"c{i:06}" for i in range(people)], "region": regions, "country": "BR"})
    customers[["lon", "lat", "place", "first_seen"]] = None, None, None, pd.NaT
    p = np.clip(rng.beta(0.6, 0.6, n) * 0.5 + 0.5 * (rows["rating"] < 3), 0.001, 0.999)
    predictions = pd.DataFrame({"review_id": rows["review_id"], "label": (p < 0.5).astype("Int8"), "p_negative": p})
    predictions = predictions.assign(p_positive=1 - p, tokens_read=12, tokens_total=12, held_out=True)
    rows = rows.assign(title="", source="bench", language="en", line=np.arange(1, n + 1))
    rows, customers, predictions = enrich(rows, customers, predictions)
    save_load(engine, "bench", conform(rows, Review), conform(customers, Customer))
    save_predictions(engine, active_model(settings.models_dir).name, predictions, "bench")
    engine.dispose()


CLOSE = """
import json, resource, sys, time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from smart_customer_analysis import daily
from smart_customer_analysis.config import load_settings
processor = {"start": time.process_time()}

class Meter(daily.Meter):
    @contextmanager
    def stage(self, name):
        before = time.process_time()
        with super().stage(name):
            yield
        processor[name] = time.process_time() - before

daily.Meter = Meter
home, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
settings = load_settings(home, encoder=str(home / "tiny"), max_tokens=32)
result = daily.close(settings, "csv", (home / "in",), "bench", now)
processor["rest"] = time.process_time() - sum(processor.values())
clock = sum(s["seconds"] for s in result["stages"])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
counts = {k: result[k] for k in ("new", "predicted", "days")}
print(json.dumps({"processor": processor, "clock": clock, "peak": peak} | counts))
"""


def close(home: Path, now: datetime) -> dict:
    "Close in a process of its own."
    command = [sys.executable, "-c", CLOSE, str(home), now.isoformat()]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        sys.exit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def parts(home: Path) -> pd.DataFrame:
    "Take the step of prediction apart, as after a file: seconds of the processor."
    settings = load_settings(home, encoder=str(home / "tiny"), max_tokens=32)
    engine, rows, since = open_database(settings), [], [time.process_time()]

    def lap(part: str) -> None:
        now = time.process_time()
        rows.append({"part": part, "s": round(now - since[0], 1)})
        print(rows[-1], flush=True)
        since[0] = time.process_time()

    after = newest_load(engine, "bench") - 1
    new = reviews_since(engine, "bench", after)
    frames = stored_frames(engine, "bench", rows_to_read(settings), settings.seed, after)
    lap(f"read {len(frames['reviews']):,} reviews (a sample, the new) and {len(frames['customers']):,} customers")
    scored = score_step(settings, Predictor(active_model(settings.models_dir)), "bench", frames["reviews"], new)
    lap("look up the predictions of the sample, judge the texts")
    features = segment_features(settings, frames, scored)
    lap("features of all customers: RFM, subjects of their reviews")
    last = last_segment_run(engine, features.unit, "bench")
    choose_segments(features.frame, settings.min_segments, settings.max_segments, settings.seed, last["members"])
    lap("choose the segments anew, from the last ones on")
    day = newest_day(engine, "bench")
    shop, pool = recent_shop(engine, "bench", settings.min_customers, first_day_of(day))
    lap("test: read what all reviews say of names and range, and the reviews of 77 days")
    watch_day(day_table(shop, day), pd.Timestamp(day), None, shop.k, shop.confusion, pool)
    lap("test: the looks of one day")
    engine.dispose()
    return pd.DataFrame(rows)


def measure(home: Path, n: int, people: int, new: int, seed: int) -> pd.DataFrame:
    "Close without a new file, then with one, then without."
    if not (home / "in").is_dir():
        fill(home, n, people, seed)
        (home / "settings.ini").write_text("[sca]\n")
    now = (LAST + pd.Timedelta(days=1, hours=5)).to_pydatetime()
    results = {"first": close(home, now)}
    texts = pd.read_csv(home / "in" / "reviews-first.csv")["text"].tolist()
    rows = reviews(new, people + people // 50, texts, seed + 1)
    rows["review_id"] = "new" + rows["review_id"]
    rows["text"] = [f"{t} Order {i:05} came." for i, t in enumerate(rows["text"])]
    rows["reviewed_at"] = LAST + pd.to_timedelta(np.arange(new) % 80_000 + 3600, unit="s")
    rows[COLUMNS].to_csv(home / "in" / "reviews-day.csv", index=False)
    results["with a file"] = close(home, now + timedelta(days=1))
    results["quiet"] = close(home, now + timedelta(days=2))
    table = []
    for name, result in results.items():
        row = {"close": name, "new": result["new"], "predicted": result["predicted"]}
        row |= {"days tested": len(result["days"])}
        row |= {f"{stage}, s": round(s, 1) for stage, s in result["processor"].items()}
        row |= {"in all, s": round(sum(result["processor"].values()), 1)}
        row |= {"stages by the clock, s": round(result["clock"], 1), "peak MB": round(result["peak"])}
        table.append(row)
    return pd.DataFrame(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--home", type=Path, help="keep the shop here, and use it where it exists")
    parser.add_argument("--parts", action="store_true", help="only take the step of prediction of --home apart")
    args = parser.parse_args()
    if args.parts:
        print(parts(args.home))
        sys.exit()
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "shop"
        table = measure(home, args.reviews, args.people, args.new, args.seed)
    text = TEXT.format(n=args.reviews, people=args.people, new=args.new)
    write("close", "The daily close of a large shop", text, {"Closes": table}, args.seed, time.time() - begun)
