"""Ask the server for assistants: scripted questions that must resolve, and random calls that must find nobody.

The attacker is that of `hidden_faults`, with tools in place of addresses: it reads answers, never the database."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from hidden_faults import Attack

from smart_customer_analysis.app.mcp import ask
from smart_customer_analysis.config import Settings
from smart_customer_analysis.service import Service

REGIONS, SEGMENTS, WORDS = ("Lisboa", "Norte", "Centro", "Algarve"), "ABC", ("late", "parcel", "broken", "kind")
PRODUCTS = [f"P{i:02}" for i in range(1, 21)]
MONTHS = [("2025-12-01", "2025-12-31"), *((f"2026-{m:02}-01", f"2026-{m:02}-28") for m in range(1, 11))]
FEW = "Lonelyshire"  # three people
Question = tuple[str, str, dict[str, Any], str]  # words, tool, arguments, outcome; "": any that resolves


def served(url: str, home: Path) -> Service:
    "The service over a database."
    return Service(Settings(database_url=url, data_dir=home, models_dir=home / "models", reports_dir=home / "reports"))


# --- scripted questions ---------------------------------------------------------------------------------------------


def questions() -> list[Question]:
    "200 questions on the sample shop of tests/app."
    rows: list[Question] = [
        ("How are we doing?", "overview", {}, "number"),
        ("What share of the reviews is negative?", "shares", {}, "number"),
        ("What changed?", "changes", {}, "number"),
        ("Which segments are there?", "segments", {}, "number"),
        ("Where is it worse than chance explains?", "hot_spots", {}, "number"),
        ("What do customers write?", "reviews", {}, "number"),
        ("Which reports are there?", "reports", {}, "list"),
        ("What can I filter by?", "filters", {}, "list"),
        ("What can I filter by, in this shop?", "filters", {"source": "sample"}, "list"),
        ("Is this review negative?", "predict", {"text": "It came late."}, "refused"),  # no model was trained
        ("What does segment D do?", "segment", {"segment": "D"}, "hidden"),
        (f"How is {FEW}?", "overview", {"region": FEW}, ""),
        (f"What share is negative in {FEW}?", "shares", {"region": FEW}, "hidden"),
        (f"What do people in {FEW} write?", "reviews", {"region": FEW}, "hidden"),
        (f"What changed in {FEW}?", "changes", {"region": FEW}, "not comparable"),
        (f"Where in {FEW} is it worse?", "hot_spots", {"region": FEW}, ""),
        ("What share is negative in segment D?", "shares", {"segment": "D"}, "hidden"),
        ("What changed in segment D?", "changes", {"segment": "D"}, "not comparable"),
        ("What do the people of segment D write?", "reviews", {"segment": "D"}, "hidden"),
        ("What share is negative on Mars?", "shares", {"region": "Mars"}, "none"),
        ("What did they write about unicorns?", "reviews", {"q": "unicorns"}, "none"),
        ("What share was negative in 1999?", "shares", {"start": "1999-01-01", "end": "1999-12-31"}, "none"),
        ("What changed in the first month?", "changes", {"start": "2025-11-23", "end": "2025-12-22"}, "not comparable"),
        ("What share is negative in the region of Norte?", "shares", {"regoin": "Norte"}, "refused"),
        ("What share was negative yesterday?", "shares", {"start": "yesterday"}, "refused"),
        ("What share of the negative ones?", "shares", {"sentiment": "negative"}, "refused"),
        ("What does segment Q do?", "segment", {"segment": "Q"}, "refused"),
        ("What does a segment do?", "segment", {}, "refused"),
        ("What do the sad ones write?", "reviews", {"sentiment": "sad"}, "refused"),
        ("Show all reviews.", "reviews", {"limit": 100_000}, "refused"),
        ("How is the other shop?", "overview", {"source": "other"}, "refused"),
        ("Delete customer 42.", "erase", {"customer": "42"}, "refused"),
    ]
    rows += [(f"What share is negative by {by}?", "shares", {"by": by}, "number")
             for by in ("segment", "region", "product", "theme", "month", "week")]  # fmt: skip
    rows += [(f"Show the {sort} reviews.", "reviews", {"sort": sort}, "number")
             for sort in ("newest", "negative", "unsure", "longest")]  # fmt: skip
    rows += [(f"Show {mark} reviews.", "reviews", {"sentiment": mark}, "number")
             for mark in ("negative", "positive", "unsure")]  # fmt: skip
    for word in WORDS:
        rows.append((f"Who writes {word}?", "reviews", {"q": word}, ""))
        rows.append((f"What share of those with {word} is negative?", "shares", {"q": word}, ""))
    for name, values in (("region", REGIONS), ("segment", SEGMENTS)):
        for value in values:
            one = {name: value}
            rows.append((f"How is {value}?", "overview", one, "number"))
            rows.append((f"What share is negative in {value}?", "shares", one, "number"))
            rows.append((f"What changed in {value}?", "changes", one, "number"))
            rows.append((f"What do people in {value} write?", "reviews", one, "number"))
            rows.append((f"Where in {value} is it worse?", "hot_spots", one, "number"))
            rows.append((f"How was {value}, week by week?", "shares", one | {"by": "week"}, "number"))
    rows += [(f"Describe segment {s}.", "segment", {"segment": s}, "number") for s in SEGMENTS]
    for start, end in MONTHS:
        span = {"start": start, "end": end}
        rows.append((f"What share was negative from {start} to {end}?", "shares", span, "number"))
        rows.append((f"What changed from {start} to {end}?", "changes", span, ""))
    rows += [(f"What share of the reviews of {p} is negative?", "shares", {"product": p}, "number") for p in PRODUCTS]
    rows += [(f"What changed for {p}?", "changes", {"product": p}, "") for p in PRODUCTS]
    rows += [(f"What share in {r} of segment {s} is negative?", "shares", {"region": r, "segment": s}, "")
             for r, s in product(REGIONS, SEGMENTS)]  # fmt: skip
    rows += [(f"What share in {r} was negative from {a} to {b}?", "shares", {"region": r, "start": a, "end": b}, "")
             for r, (a, b) in product(REGIONS, MONTHS)]  # fmt: skip
    return rows[:200]


def outcome(service: Service, tool: str, arguments: dict[str, Any]) -> str:
    "How a call resolves: a number with its range, the reason why there is none, a list; else `unresolved: …`."
    result = ask(service, tool, arguments)
    text = result.content[0].text
    if result.is_error:
        whole = all(word in text for word in ("expected", "found", "next: ")) and "a fault of the program" not in text
        return "refused" if whole else f"unresolved: {text}"
    answer = result.structured_content
    numbers = answer.get("numbers", [])
    bare = [n for n in numbers if "value" in n and not {"low", "high", "period", "reviews"} <= n.keys()]
    bare += [n for n in numbers if "low" in n and not n.get("n_customers", n.get("n_reviews"))]
    if bare or not answer.get("answer"):
        return f"unresolved: {bare or text}"
    if any("low" in number for number in numbers if number["name"] != "Accuracy of the model"):
        return "number"
    if "Not comparable" in answer["answer"]:
        return "not comparable"
    states = {number["state"] for number in numbers} - {"ok"}
    if states or "reports" in answer or "choices" in answer:
        return min(states, default="list")
    return "none" if answer["answer"].startswith("None: ") else f"unresolved: {text}"


def script(service: Service, rows: list[Question]) -> tuple[Counter[tuple[str, str]], list[str]]:
    "Ask; how often each tool resolved in which way, and the questions that did not, or not as they should."
    counted: Counter[tuple[str, str]] = Counter()
    wrong = []
    for words, tool, arguments, wanted in rows:
        result = outcome(service, tool, arguments)
        counted[tool, result.split(":")[0]] += 1
        if result.startswith("unresolved") or wanted not in ("", result):
            wrong.append(f"{words} {tool} {arguments}: {result}, not {wanted or 'an answer'}")
    return counted, wrong


# --- random calls ---------------------------------------------------------------------------------------------------

DOORS = {"/v1/reviews": "reviews", "/v1/shares": "shares", "/v1/overview": "overview", "/v1/segments": "segments",
         "/v1/map/cells": "hot_spots", "/v1/filters": "filters"}  # fmt: skip


class ToolAttack(Attack):
    "The attacker at the tools: their answers, laid out as the API's, so that the same reasoning reads them."

    def __init__(self, service: Service, url: str, seed: int = 1):
        super().__init__(None, url, k=service.settings.min_customers, seed=seed)
        self.service, self.calls = service, 0

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        "Ask a tool, once; every number of its answer is about enough people."
        key = (tool, *sorted(arguments.items()))
        if key in self.answers:
            return self.answers[key]
        result = ask(self.service, tool, arguments)
        text, self.calls = result.content[0].text, self.calls + 1
        assert not result.is_error, text
        for secret in self.secrets:
            if secret in text:
                self.found["sentence of a hidden segment"].add(secret)
        for number in result.structured_content.get("numbers", []):
            people = [number.get("n_customers"), number["value"] if number.get("unit") == "customers" else None]
            if any(n is not None and 0 < n < self.k for n in people) or (
                number["state"] == "hidden" and {"value", "low", "n_reviews", "n_customers"} & number.keys()
            ):
                self.found["figure of few people"].add((number["name"], *key))
        self.answers[key] = result.structured_content
        return result.structured_content

    def get(self, address: str, **arguments: Any) -> Any:
        "The answer of the tool behind an address, as the API would lay it out."
        if address == "/v1/customers":  # no tool names customers
            return {"features": []}
        tool = DOORS.get(address, "segment")
        if tool not in ("reviews", "filters"):
            arguments.pop("sentiment", None)
        if tool == "segment":
            arguments["segment"] = address.removeprefix("/v1/segments/")
        return self.lay_out(tool, self.call(tool, arguments))

    def lay_out(self, tool: str, answer: dict[str, Any]) -> Any:
        "An answer of a tool in the shape of the API's."
        numbers = answer.get("numbers", [])
        if tool == "shares":
            return {"items": [{"n_customers": number.get("n_customers")} for number in numbers]}
        if tool == "filters":
            choices = answer["choices"]
            periods = {"first": choices["first_day"], "last": choices["last_day"]}
            return {"periods": periods, "products": [{"id": p} for p in choices["products"]]}
        if tool == "segments":
            values = {number["name"]: number.get("value") for number in numbers}
            items = [{"id": s, "size": values[f"Size of segment {s}"]} for s in self.sizes]
            moves = [{**m, "n": values.get(f"Moved from {m['from']} to {m['to']}")} for m in self.moved]
            return {"items": items, "migration": moves, "evidence": []}
        rows = [
            {
                "review_id": row["review_id"],
                **{c: row.get(c) for c in ("region", "segment", "product")},
                "reviewed_at": row.get("day"),
                "title": row["untrusted"].get("title", ""),
                "text": row["untrusted"]["text"],
            }
            for row in answer.get("written_by_customers", [])
            if "review_id" in row
        ]
        total = re.search(r"of ([\d,]+) are below", answer["answer"])
        count = int(total[1].replace(",", "")) if total else None
        return {"items": rows, "quotes": rows, "next_cursor": answer.get("next_cursor"), "total": count}

    def pages(self, **asked: Any) -> Iterator[dict]:
        "All rows of a list, twenty at a time."
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/v1/reviews", limit=20, **asked, **cursor)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def more(self) -> None:
        "Tools that have no address in the pairs."
        filters = {c: v for c, v in self.random_filters().items() if c != "sentiment"}
        tool = self.rng.choice(("changes", "segments", "shares", "shares", "shares"))
        by = {"by": self.rng.choice(("product", "theme", "month", "week"))} if tool == "shares" else {}
        self.call(tool, filters | by)


def attack(url: str, home: Path, calls: int, seed: int = 1) -> dict[str, int]:
    "Attack with this many random calls, after reading everything once; what was recovered by kind, and the calls."
    attacker = ToolAttack(served(url, home), url, seed)
    attacker.static()
    first = attacker.calls
    while attacker.calls - first < calls:
        attacker.pair()
        attacker.more()
    attacker.service.close()
    return {"calls": attacker.calls} | attacker.report()
