"""Attack a served shop: ask random pairs of questions by every door, lay answers side by side, and list who is found.

The attacker reads answers only. What they know is checked against the truth of the database. A cell is a region with a
segment, a region, or a segment; it is small where fewer than k people are in it."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import Customer, Order, Review, conform
from smart_customer_analysis.store import query
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.filters import Filters
from smart_customer_analysis.store.loads import save_load
from smart_customer_analysis.store.migrate import migrate
from smart_customer_analysis.store.results import save_segment_run

PEOPLE = {  # region -> people of the segments A, B, C, D
    "North": (60, 50, 14, 1),
    "South": (40, 30, 3, 2),
    "East": (25, 14, 11, 1),
    "West": (16, 4, 20, 0),
    "Isle": (3, 0, 2, 0),
}
WORDS = ("late", "parcel", "kind", "broken", "again", "colour", "handle", "refund")
SECRET = "silent since the flood"  # how the few people of segment D behave


def plant(url: str, seed: int = 5) -> None:
    "Fill an empty database with a shop whose small cells are known: segment D, region Isle, and pairs of both."
    rng = np.random.default_rng(seed)
    pairs = [(r, "ABCD"[i]) for r, counts in PEOPLE.items() for i, n in enumerate(counts) for _ in range(n)]
    n, (region, letter) = len(pairs), map(np.array, zip(*pairs, strict=True))
    ids = np.array([f"c{i:03}" for i in range(n)])
    place = {r: (-9.0 + 1.5 * i, 38.0 + i) for i, r in enumerate(PEOPLE)}
    lon, lat = (np.array([place[r][i] for r in region]) + rng.normal(0, 0.2, n) for i in (0, 1))
    customers = pd.DataFrame({"customer_id": ids, "region": region, "country": "PT", "lon": lon, "lat": lat})
    who = np.concatenate([np.arange(n), rng.integers(0, n, 2 * n)])
    text = [" ".join(rng.choice(WORDS, 4)) + f" {i}" for i in range(len(who))]
    day = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(rng.integers(0, 300, len(who)), unit="D")
    reviews = {"review_id": [f"r{i:04}" for i in range(len(who))], "customer_id": ids[who], "title": "", "text": text}
    reviews |= {"product_id": rng.choice(["kettle", "lamp", "mug"], len(who)), "reviewed_at": day}
    reviews |= {"rating": rng.choice([1, 2, 4, 5, 5], len(who)), "source": "planted", "line": np.arange(len(who)) + 1}
    frame = pd.DataFrame(reviews)
    frame["label"] = (frame["rating"] > 3).astype(int)
    engine = make_engine(url)
    migrate(engine)
    orders = conform(pd.DataFrame(columns=["order_id", "customer_id", "ordered_at", "amount", "currency"]), Order)
    save_load(engine, "planted", conform(frame, Review), conform(customers, Customer), orders)
    sizes = Counter(letter)
    behaviour = {"A": "buy often", "B": "new", "C": "write long", "D": SECRET}
    last = frame.drop_duplicates("customer_id").set_index("customer_id")
    groups = pd.DataFrame(
        [
            {
                "segment_id": s,
                "name": f"{behaviour[s]} ({s})",
                "sentence": f"{sizes[s]} customers: {behaviour[s]}.",
                "size": sizes[s],
                "share": sizes[s] / n,
                "profile": {"orders": {"value": 3.0, "all": 2.0, "difference_sd": 0.4}},
                "words": [f"{behaviour[s].split()[0]}"],
                "quotes": [
                    {"text": last["text"][c], "review_id": last["review_id"][c], "region": r, "reviewed_at": None}
                    for c, r, x in zip(ids, region, letter, strict=True)
                    if x == s
                ][-3:],
                "stability": 0.9,
            }
            for s in "ABCD"
        ]
    )
    members = pd.DataFrame({"member_id": ids, "segment_id": letter, "distance": 0.5, "margin": 0.2})
    moves = pd.DataFrame({"from": list("AABBC"), "to": list("ABBAC"), "n": [130, 6, 90, 14, 50]})
    tried = pd.DataFrame({"k": [4], "silhouette": [0.3], "smallest": [4], "smallest_share": [4 / n]})
    save_segment_run(
        engine, "customer", None, {"seed": seed}, tried, groups, members, migration=moves, source="planted"
    )
    engine.dispose()


def served(url: str, home: Path) -> TestClient:
    "The app over a database."
    settings = Settings(database_url=url, data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    return TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False)


class Attack:
    "What an attacker has read, and what it tells."

    def __init__(self, client: TestClient, url: str, k: int = 10, seed: int = 1):
        self.client, self.k, self.rng, self.answers = client, k, random.Random(seed), {}
        engine = make_engine(url)
        self.source = query.overview(engine)["source"]
        facts = query.review_facts(engine, Filters(source=self.source)).astype({"region": object, "segment_id": object})
        run = query.segments(engine, self.source) or {"items": [], "migration": []}
        engine.dispose()
        self.truth = facts.assign(person=facts["customer_id"].fillna(facts["review_id"])).set_index("review_id")
        self.moved, self.sizes = run["migration"], {s["id"]: s["size"] for s in run["items"]}
        self.secrets = [s["sentence"].split(": ", 1)[-1] for s in run["items"] if 0 < s["size"] < k]
        people = {c: self.truth.groupby(c)["person"].nunique() for c in ("region", "segment_id")}
        pairs = self.truth.groupby(["region", "segment_id"])["person"].nunique()
        self.small = {("region", r) for r, n in people["region"].items() if n < k}
        self.small |= {("segment", s) for s, n in people["segment_id"].items() if n < k}
        self.small |= {("pair", *pair) for pair, n in pairs.items() if n < k}
        self.region: dict[str, str] = {}  # review -> what the attacker knows
        self.segment: dict[str, str] = {}
        self.found: dict[str, set] = defaultdict(set)  # kind of leak -> what was recovered
        self.public = pd.DataFrame()

    def get(self, address: str, **asked: Any) -> Any:
        "One answer; the attacker keeps it."
        key = (address, *sorted(asked.items()))
        if key not in self.answers:
            answer = self.client.get(address, params=asked)
            assert answer.status_code in (200, 404), answer.text
            for secret in self.secrets:
                if secret in answer.text:
                    self.found["sentence of a hidden segment"].add(secret)
            self.answers[key] = answer.json() if answer.status_code == 200 else None
        return self.answers[key]

    def pages(self, **asked: Any) -> Iterator[dict]:
        "All rows of a list, page by page."
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/v1/reviews", limit=200, **asked, **cursor)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def points(self, west: float = -180, south: float = -90, east: float = 180, north: float = 90) -> dict[str, dict]:
        "All points of a box by customer; one answer has 5,000 at most, so a full one is asked for in halves."
        features = self.get("/v1/customers", limit=5000, bbox=f"{west},{south},{east},{north}")["features"]
        if len(features) < 5000:
            return {f["properties"]["id"]: f for f in features}
        if east - west > north - south:
            middle = (west + east) / 2
            return self.points(west, south, middle, north) | self.points(middle, south, east, north)
        middle = (south + north) / 2
        return self.points(west, south, east, middle) | self.points(west, middle, east, north)

    def people(self, ids: list[str]) -> int:
        "Distinct people behind reviews."
        return int(self.truth.loc[ids, "person"].nunique())

    def learn(self, ids: list[str], region: str | None, segment: str | None) -> None:
        "Remember that these reviews are of this region or segment."
        for known, value in ((self.region, region), (self.segment, segment)):
            if value is not None:
                known.update(dict.fromkeys(ids, value))

    def read(self, asked: dict[str, Any]) -> None:
        "Read a list: badges, the filter itself, and how few people it is about."
        rows = list(self.pages(**asked))
        ids = [row["review_id"] for row in rows]
        if 0 < self.people(ids) < self.k:
            self.found["list of few people"].add(tuple(sorted(asked.items())))
        self.learn(ids, asked.get("region"), asked.get("segment"))
        named = defaultdict(list)
        for row in rows:
            self.learn([row["review_id"]], row["region"], row["segment"])
            for dimension in ("region", "segment", "product"):
                if row[dimension] is not None and dimension not in asked:
                    named[dimension, row[dimension]].append(row["review_id"])
        for (dimension, value), named_ids in named.items():
            if self.people(named_ids) < self.k:
                self.found["badge of few people in a list"].add((dimension, value, *sorted(asked.items())))

    def count(self, asked: dict[str, Any]) -> int | None:
        "How many reviews a list says it has; None: hidden."
        return self.get("/v1/reviews", limit=1, **asked)["total"]

    def subtract(self, asked: dict[str, Any]) -> None:
        "One answer by group: the total less the groups that are shown."
        for by in ("region", "segment"):
            if by in asked:
                continue
            total = self.get("/v1/shares", by="overall", **asked)["items"][0]["n_customers"]
            groups = [item["n_customers"] for item in self.get("/v1/shares", by=by, **asked)["items"]]
            if any(n is not None and 0 < n < self.k for n in [total, *groups]):
                self.found["figure of few people"].add((by, *sorted(asked.items())))
            if total is not None and 0 < total - sum(n or 0 for n in groups) < self.k:
                self.found["total less the shown groups"].add((by, *sorted(asked.items())))

    def shift(self, asked: dict[str, Any], more: dict[str, Any]) -> None:
        "Two answers of the same group, with a day or word more: the rows between are public, their group is not."
        group = {c: asked[c] for c in ("region", "segment") if c in asked}
        wide, narrow = self.count(asked), self.count(asked | more)
        if not group or wide is None or narrow is None:
            return
        between = self.matches({c: v for c, v in asked.items() if c not in group})
        between &= ~self.matches({c: v for c, v in (asked | more).items() if c not in group})
        ids = self.public.index[between].tolist()
        if 0 < len(ids) == wide - narrow:
            self.learn(ids, group.get("region"), group.get("segment"))

    def matches(self, asked: dict[str, Any]) -> pd.Series:
        "Which of the rows that anybody can list match, as the attacker works it out."
        keep = pd.Series(True, index=self.public.index)
        if "start" in asked:
            keep &= self.public["day"] >= asked["start"]
        if "end" in asked:
            keep &= self.public["day"] <= asked["end"]
        if "q" in asked:
            keep &= self.public["text"].str.contains(asked["q"], case=False, regex=False)
        return keep

    def static(self) -> None:
        "The doors that take no filter."
        rows = list(self.pages())
        self.public = pd.DataFrame(
            [(r["review_id"], (r["reviewed_at"] or "")[:10], f"{r['title']} {r['text']}") for r in rows],
            columns=["review_id", "day", "text"],
        ).set_index("review_id")
        self.read({})
        points: Counter[tuple] = Counter()
        for f in self.points().values():
            told = f["properties"]
            points[(*f["geometry"]["coordinates"], told["region"], told["segment"])] += 1
            mine = self.truth.index[self.truth["customer_id"] == told["id"]].tolist()
            self.learn(mine, told["region"], told["segment"])
        self.found["point of few people"] |= {point for point, n in points.items() if n < self.k}
        self.runs()

    def runs(self) -> None:
        "Sizes, moves and quotes of the segments."
        told = self.get("/v1/segments")
        for item in told["items"]:
            detail = self.get(f"/v1/segments/{item['id']}")
            for quote in detail["quotes"]:
                self.learn([quote["review_id"]], quote["region"], item["id"])
        sizes = {i["id"]: i["size"] for i in told["items"]}
        self.found["size of a small segment"] |= {s for s, n in sizes.items() if n is not None and 0 < n < self.k}
        hidden = sum(self.sizes[s] for s, n in sizes.items() if n is None)
        if 0 < hidden < self.k:
            self.found["total less the shown sizes"].add(hidden)
        smallest = [row.get("smallest") for row in told["evidence"]]
        self.found["size of a small segment"] |= {("smallest", n) for n in smallest if n is not None and n < self.k}
        for line in ("from", "to"):
            for letter in {m[line] for m in self.moved}:
                both = zip(self.moved, told["migration"], strict=True)
                left = [m["n"] for m, t in both if t["n"] is None and m[line] == letter]
                if 0 < sum(left) < self.k:
                    self.found["moves less those that are shown"].add((line, letter))

    def random_filters(self) -> dict[str, Any]:
        "A random question."
        rng, options = self.rng, self.get("/v1/filters")
        first, last = options["periods"]["first"], options["periods"]["last"]
        filters: dict[str, Any] = {}
        regions = sorted({r for r in self.truth["region"].dropna()})
        segments = sorted({s for s in self.truth["segment_id"].dropna()})
        if regions and rng.random() < 0.6:
            filters["region"] = rng.choice(regions)
        if segments and rng.random() < 0.6:
            filters["segment"] = rng.choice(segments)
        if options["products"] and rng.random() < 0.2:
            filters["product"] = rng.choice(options["products"])["id"]
        if first and rng.random() < 0.5:
            days = (date.fromisoformat(last) - date.fromisoformat(first)).days
            begin = date.fromisoformat(first) + timedelta(rng.randrange(max(days, 1)))
            filters["start"] = begin.isoformat()
            if rng.random() < 0.5:
                filters["end"] = min(
                    begin + timedelta(rng.choice((0, 6, 27, 90))), date.fromisoformat(last)
                ).isoformat()
        if rng.random() < 0.15:
            filters["q"] = rng.choice(WORDS)
        if rng.random() < 0.1:
            filters["sentiment"] = rng.choice(("negative", "positive"))
        return filters

    def pair(self) -> None:
        "One random pair of questions, by random doors."
        filters, rng = self.random_filters(), self.rng
        more = {"q": rng.choice(WORDS)} if rng.random() < 0.3 else {}
        if not more and "start" in filters:
            moved = date.fromisoformat(filters["start"]) + timedelta(rng.choice((1, 1, 2, 7)))
            more = {"start": min(moved.isoformat(), filters.get("end", "9999"))}
        other = {**filters, **more} if more else self.random_filters()
        doors: list[Callable[[dict], Any]] = [
            self.read,
            self.subtract,
            lambda a: self.get("/v1/overview", **a),
            lambda a: self.get("/v1/segments", **a),
            lambda a: [self.get(f"/v1/segments/{s}", **a) for s in list(self.sizes)[:1]],
            lambda a: self.get("/v1/map/cells", **a),
        ]
        weights = (6, 6, 1, 1, 1, 1)
        for one in (filters, other):
            rng.choices(doors, weights)[0](one)
        if more:
            self.shift({c: v for c, v in filters.items() if c not in ("product", "sentiment")}, more)

    def recovered(self) -> set[tuple]:
        "Small cells of which at least one review, so one person, is known."
        both = self.region.keys() & self.segment.keys()
        cells = {("pair", self.region[i], self.segment[i]) for i in both}
        cells |= {("region", r) for r in self.region.values()} | {("segment", s) for s in self.segment.values()}
        return cells & self.small

    def persons(self) -> int:
        "People of small cells who are known with their cell."
        ids = [i for i, r in self.region.items() if ("region", r) in self.small]
        ids += [i for i, s in self.segment.items() if ("segment", s) in self.small]
        ids += [i for i, r in self.region.items() if ("pair", r, self.segment.get(i)) in self.small]
        return self.people(ids)

    def report(self) -> dict[str, int]:
        "What was recovered, by kind; kinds with nothing are listed too."
        kinds = (
            "list of few people", "badge of few people in a list", "figure of few people",
            "total less the shown groups", "point of few people", "sentence of a hidden segment",
            "size of a small segment", "total less the shown sizes", "moves less those that are shown",
        )  # fmt: skip
        cells = {"hidden cells": len(self.small), "hidden cells recovered": len(self.recovered())}
        return cells | {"people recovered": self.persons()} | {kind: len(self.found[kind]) for kind in kinds}


def attack(client: TestClient, url: str, pairs: int, seed: int = 1, minutes: float = 600) -> tuple[str, dict[str, int]]:
    "Attack a served shop with random pairs of questions; its name, the pairs asked, and what was recovered by kind."
    end, attacker, n = time.monotonic() + 60 * minutes, Attack(client, url, seed=seed), 0
    attacker.static()
    while n < pairs and time.monotonic() < end:
        attacker.pair()
        n += 1
    return attacker.source, {"pairs": n} | attacker.report()
