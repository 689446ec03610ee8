"""What the wire sees: refusals, headers, limits, the model's queue, the committed description of the API."""

import asyncio
import base64
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from made_up import Served, run_alone
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from smart_customer_analysis.app.main import _bind, create_app, serve
from smart_customer_analysis.app.middleware import MAX_BODY
from smart_customer_analysis.app.workers import Workers
from smart_customer_analysis.config import ScaError, Settings
from smart_customer_analysis.schema import BadQuery
from smart_customer_analysis.serving import Connection
from smart_customer_analysis.store.engine import database_error

JSON = {"content-type": "application/json"}
SECRET = "planted-secret-4711"


def raw(body: bytes, **headers) -> dict:
    return {"content": body, "headers": JSON | headers}


HOSTILE = {
    "NaN": ("POST", "/v1/predict", raw(b'{"text": NaN}'), 422),
    "max_error NaN": ("POST", "/v1/predict", raw(b'{"text": "a", "max_error": NaN}'), 422),
    "Infinity": ("POST", "/v1/predict", raw(b'{"text": "a", "max_error": 1e999}'), 422),
    "lone surrogate": ("POST", "/v1/predict", raw(b'{"text": "\\ud800"}'), 422),
    "NUL in a text": ("POST", "/v1/predict", raw(b'{"text": "a\\u0000b"}'), 422),
    "NUL in a name": ("POST", "/v1/predict", raw(b'{"\\u0000": 1}'), 422),
    "100,000 brackets": ("POST", "/v1/predict", raw(b"[" * 100_000), 422),
    "100,000 objects": ("POST", "/v1/predict", raw(b'{"a":' * 100_000), 422),
    "huge integer": ("POST", "/v1/predict", raw(b'{"text": ' + b"9" * 100_000 + b"}"), 422),
    "not UTF-8": ("POST", "/v1/predict", raw(b'{"text": "\xff\xfe"}'), 422),
    "UTF-16": ("POST", "/v1/predict", raw('{"text": 1}'.encode("utf-16")), 422),
    "no body": ("POST", "/v1/predict", raw(b""), 422),
    "a list": ("POST", "/v1/predict", raw(b'["a"]'), 422),
    "null": ("POST", "/v1/predict", raw(b"null"), 422),
    "text and texts": ("POST", "/v1/predict", raw(b'{"text": "a", "texts": ["b"]}'), 422),
    "no texts": ("POST", "/v1/predict", raw(b'{"texts": []}'), 422),
    "33 texts": ("POST", "/v1/predict", raw(json.dumps({"texts": ["a"] * 33}).encode()), 422),
    "10,001 characters": ("POST", "/v1/predict", raw(json.dumps({"text": "a" * 10_001}).encode()), 422),
    "unknown field": ("POST", "/v1/predict", raw(json.dumps({"text": "a", SECRET: 1}).encode()), 422),
    "wrong type of content": (
        "POST",
        "/v1/predict",
        {"content": b'{"text": "a"}', "headers": {"content-type": "text/plain"}},
        422,
    ),
    "form": (
        "POST",
        "/v1/predict",
        {"content": b"text=a", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        422,
    ),
    "gzip bomb": ("POST", "/v1/predict", raw(gzip.compress(b"[" * 5_000_000), **{"content-encoding": "gzip"}), 422),
    "2 MB body": ("POST", "/v1/predict", raw(b'{"text": "' + b"a" * 2_000_000 + b'"}'), 413),
    "body on a GET": ("GET", "/v1/shares", raw(b"a" * 2_000_000), 413),
    "length that lies": (
        "POST",
        "/v1/predict",
        raw(b'{"text": "a"}', **{"content-length": "99999999999999999999"}),
        413,
    ),
    "length that is none": ("POST", "/v1/predict", raw(b'{"text": "a"}', **{"content-length": "-5"}), 413),
    "method": ("DELETE", "/v1/shares", {}, 405),
    "method of our own": ("BREW", "/v1/shares", {}, 405),
    "address": ("GET", f"/v1/{SECRET}", {}, 404),
    "unknown filter": ("GET", f"/v1/shares?regoin={SECRET}", {}, 422),
    "NUL in a filter": ("GET", "/v1/shares?region=%00", {}, 422),
    "NUL in an id": ("GET", "/v1/customers/a%00b", {}, 422),
    "bad bytes in a filter": ("GET", "/v1/reviews?q=%ff%fe", {}, 200),
    "percent in a filter": ("GET", "/v1/reviews?q=100%25", {}, 200),
    "SQL in a filter": (
        "GET",
        "/v1/reviews?q=%27%20OR%201%3D1%20--&region=%27%3B%20DROP%20TABLE%20reviews%3B--",
        {},
        200,
    ),
    "no date": ("GET", f"/v1/shares?start={SECRET}", {}, 422),
    "year 9999": ("GET", "/v1/overview?start=9999-12-31", {}, 422),
    "last day there is": ("GET", "/v1/reviews?end=9999-12-31", {}, 422),
    "before there were shops": ("GET", "/v1/overview?start=1900-01-01&end=1900-01-01", {}, 200),
    "after there were shops": ("GET", "/v1/overview?start=2200-01-01", {}, 200),
    "first day there is": ("GET", "/v1/overview?start=0001-01-01&end=0001-01-01", {}, 422),
    "end before start": ("GET", "/v1/overview?start=2026-11-01&end=2026-01-01", {}, 422),
    "box": ("GET", "/v1/customers?bbox=1,2,3", {}, 422),
    "box with nan": ("GET", "/v1/customers?bbox=nan,0,1,1", {}, 422),
    "box upside down": ("GET", "/v1/customers?bbox=0,50,1,40", {}, 422),
    "box off the globe": ("GET", "/v1/customers?bbox=-500,0,1,1", {}, 422),
    "near without radius": ("GET", "/v1/customers?near=0,0", {}, 422),
    "near off the globe": ("GET", "/v1/customers?near=500,95&radius_m=10", {}, 422),
    "nearest off the globe": ("GET", "/v1/customers?nearest=1e308,1e308", {}, 422),
    "radius nan": ("GET", "/v1/customers?near=0,0&radius_m=nan", {}, 422),
    "cursor": ("GET", f"/v1/reviews?cursor={SECRET}", {}, 422),
    "cursor of another sort": ("GET", "/v1/reviews?sort=longest&cursor=WyJuZXdlc3QiLCAxLCAiYSJd", {}, 422),
    "sort": ("GET", f"/v1/reviews?sort={SECRET}", {}, 422),
    "limit": ("GET", "/v1/reviews?limit=100000", {}, 422),
    "limit of 5,000 digits": ("GET", "/v1/reviews?limit=" + "9" * 5000, {}, 422),
    "long filter": ("GET", "/v1/reviews?q=" + "a" * 201, {}, 422),
    "source": ("GET", f"/v1/overview?source={SECRET}", {}, 404),
    "segment": ("GET", f"/v1/segments/{SECRET}", {}, 404),
    "customer": ("GET", f"/v1/customers/{SECRET}", {}, 404),
    "resolution": ("GET", "/v1/map/cells?resolution=15", {}, 422),
    "report outside": ("GET", "/reports/files/..%2f..%2fetc%2fpasswd", {}, 404),
    "report outside, as html": ("GET", "/reports/files/%2e%2e/%2e%2e/x.html", {}, 404),
    "hidden report": ("GET", "/reports/files/.secret.html", {}, 404),
    "report with NUL": ("GET", "/reports/files/a%00.html", {}, 404),
    "report with a long name": ("GET", "/reports/files/" + "a" * 3000 + ".html", {}, 404),
    "asset outside": ("GET", "/static/..%2fmain.py", {}, 404),
    "asset with NUL": ("GET", "/static/a%00.js", {}, 404),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_requests_are_refused_in_a_problem_document(served, case):
    method, address, options, status = HOSTILE[case]
    answer = served.client.request(method, address, **options)
    assert answer.status_code == status, answer.text
    if status == 200:
        return
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) <= 4096 and answer.text.isascii()
    problem = answer.json()
    assert {"type", "title", "status", "detail", "request_id"} <= set(problem) and problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text and ".py" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/v1/overview",
        "/nope",
        "/v1/shares?by=x",
        "/health",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/reports/files/weekly/w46.html",
    ],
)
def test_every_answer_is_armoured(served, address):
    headers = served.client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"] or headers[
        "content-security-policy"
    ].startswith("sandbox")
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert (
        "script-src 'self';" in headers["content-security-policy"]
        or "default-src 'none'" in headers["content-security-policy"]
    )
    assert "server" not in headers and "access-control-allow-origin" not in headers


def test_request_id_is_echoed_only_when_it_is_one(served):
    assert served.client.get("/health", headers={"x-request-id": "abc-123"}).headers["x-request-id"] == "abc-123"
    assert (
        served.client.get("/health", headers={"x-request-id": "a b;<script>"}).headers["x-request-id"] != "a b;<script>"
    )


def test_unchanged_answers_cost_no_body(served):
    first = served.client.get("/v1/shares?by=region")
    again = served.client.get("/v1/shares?by=region", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert served.client.get("/v1/shares?by=week", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_without_a_database_it_lives_and_says_so(bare):
    assert bare.client.get("/health").status_code == 200
    ready = bare.client.get("/ready")
    assert ready.status_code == 503 and ready.json()["ready"] is False and "sca run" in ready.json()["database"]
    answer = bare.client.get("/v1/overview")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:sca:not-ready")
    assert "run: sca run" in answer.json()["detail"] and answer.headers["retry-after"]
    answer = bare.client.post("/v1/predict", json={"text": "Fine."})
    assert answer.status_code == 503 and "a trained model" in answer.json()["detail"]
    assert bare.client.get("/reports/files/a.html").status_code == 404
    assert not (bare.settings.data_dir / "processed").exists(), "looking for a database made one"


def test_a_database_that_comes_later_is_used(tmp_path):
    from made_up import fill

    settings = Settings(
        data_dir=tmp_path,
        models_dir=tmp_path / "m",
        reports_dir=tmp_path / "r",
        database_url=f"sqlite:///{tmp_path / 's.db'}",
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/ready").status_code == 503
        fill(settings.database, settings.reports_dir)
        assert client.get("/ready").json()["ready"] is True
        assert client.get("/v1/shares").status_code == 200


def test_an_unreachable_server_is_told_in_time(tmp_path):
    settings = Settings(
        database_url="postgresql://anna:secret@127.0.0.1:1/shop", models_dir=tmp_path, reports_dir=tmp_path
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        start = time.monotonic()
        answer = client.get("/v1/overview")
        assert answer.status_code == 503 and time.monotonic() - start < 10
        assert "secret" not in answer.text + client.get("/ready").text


def cursor(*parts) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


TAMPERED = {
    "no zone": ("newest", cursor("newest", "2026-01-01T00:00:00", "a")),
    "a day": ("newest", cursor("newest", "2026-01-01", "a")),
    "before the first year": ("newest", cursor("newest", "0001-01-01T00:00:00+14:00", "a")),
    "after the last year": ("newest", cursor("newest", "9999-12-31T23:00:00-14:00", "a")),
    "half a character": ("newest", cursor("newest", "2026-01-01T00:00:00+00:00", "\ud800")),
    "NUL": ("newest", cursor("newest", "2026-01-01T00:00:00+00:00", "\0")),
    "no id": ("newest", cursor("newest", "2026-01-01T00:00:00+00:00", 7)),
    "not a number": ("negative", cursor("negative", float("nan"), "a")),
    "endless": ("longest", cursor("longest", float("inf"), "a")),
    "huge": ("longest", cursor("longest", 10**60, [])),
    "a list": ("unsure", cursor("unsure", [1], "a")),
    "an object": ("unsure", base64.urlsafe_b64encode(b'{"unsure": 1, "b": 2, "c": 3}').decode()),
    "nested": ("unsure", base64.urlsafe_b64encode(b"[" * 140).decode()),
    "letters of no alphabet": ("unsure", "é%F0"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_cursor_is_no_fault_of_the_database(served, case):
    sort, value = TAMPERED[case]
    answer = served.client.get("/v1/reviews", params={"sort": sort, "cursor": value})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert answer.json()["type"] == "urn:sca:invalid" and "start again without a cursor" in answer.json()["detail"]


@pytest.mark.parametrize("message", ["could not translate host", "disk is full", "no such table: x", "anything else"])
def test_a_503_never_shows_where_the_database_is(tmp_path, monkeypatch, message):
    folder = tmp_path / "planted-folder-4711"
    url = f"sqlite:///{folder}/planted-file-4711.db?password={SECRET}"
    error = database_error(OSError(f"{message} at {url}"), url)

    def broken(self):
        raise error

    monkeypatch.setattr(Connection, "engine", broken)
    settings = Settings(database_url=url, models_dir=tmp_path, reports_dir=tmp_path)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        answers = [client.get(a) for a in ("/v1/overview", "/v1/reviews", "/v1/segments", "/ready")]
    assert [a.status_code for a in answers] == [503] * 4
    assert not [a.text for a in answers if "no-hex" in a.text or "sqlite" in a.text]


def test_a_database_that_cannot_be_opened_or_reached_is_not_named(tmp_path):
    (tmp_path / "planted-no-hex.db").write_bytes(b"no database" * 1000)
    for url in (f"sqlite:///{tmp_path}/planted-no-hex.db", f"postgresql://anna:{SECRET}@127.0.0.1:1/planted-no-hex"):
        settings = Settings(database_url=url, models_dir=tmp_path, reports_dir=tmp_path)
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            answers = [client.get("/v1/overview"), client.get("/ready")]
        assert [a.status_code for a in answers] == [503, 503]
        assert not [a.text for a in answers if "no-hex" in a.text or "127.0.0.1" in a.text or "anna" in a.text]


def test_metrics_name_routes_never_ids(served):
    served.client.get("/v1/customers/00042")
    text = served.client.get("/metrics").text
    labels = {
        value for family in text_string_to_metric_families(text) for s in family.samples for value in s.labels.values()
    }
    assert "/v1/customers/{id}" in labels and not any("00042" in value for value in labels)
    assert "sca_http_request_seconds_bucket" in text and "sca_predict_tokens_held 0.0" in text


def test_docs_need_nobody_else(served):
    page = served.client.get("/docs").text
    assert "http://" not in page and "https://" not in page and "<script>" not in page
    assert served.client.get("/docs/start.js").headers["content-type"].startswith("text/javascript")


def test_the_committed_description_is_current(bare, repo_root):
    file = repo_root / "docs" / "openapi.json"
    description = json.dumps(bare.client.app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert file.read_text(encoding="utf-8") == description, (
        "the API changed: python -m smart_customer_analysis.app.main > docs/openapi.json"
    )


def test_description_is_complete(bare):
    document = bare.client.app.openapi()
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("summary"), path
            if path.startswith("/v1"):
                assert operation["responses"]["422"]["content"]["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(document)


# --- the model ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def modelled(tmp_path_factory):
    "The app over a tiny model with random weights, trained for a moment: the real code, no judgement."
    from smart_customer_analysis.sentiment.encoder import tiny_encoder
    from smart_customer_analysis.sentiment.train import train_sentiment

    home = tmp_path_factory.mktemp("modelled")
    texts = ["the kettle is great", "the parcel came late and broken"] * 20
    tiny = str(tiny_encoder(home / "tiny", texts))
    train_sentiment(
        texts, [1, 0] * 20, texts, [1, 0] * 20, home / "models" / "sentiment", encoder=tiny, epochs=1, max_tokens=16
    )
    settings = Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports")
    with TestClient(create_app(settings), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Served(client, settings)


def test_a_text_the_model_cannot_read_gets_no_verdict_through_any_door(modelled):
    german = {"text": "der kettle ist great und das ist auch nicht schlecht"}
    alone = modelled.client.post("/v1/predict", json=german).json()["predictions"][0]
    assert (alone["label"], alone["outside"]) == (None, "language de")
    explained = modelled.client.post("/v1/explain", json=german).json()
    assert (explained["label"], explained["outside"]) == (None, "language de")


def test_predictions_say_what_was_read(modelled):
    answer = modelled.client.post(
        "/v1/predict", json={"texts": ["the kettle is great", "late " * 30, "🙂", "a" * 10_000, ""]}
    ).json()
    assert len(answer["predictions"]) == 5
    assert [p["label"] for p in answer["predictions"][2:]] == [None] * 3, "no known word, or none: no answer"
    assert [p["tokens_read"] for p in answer["predictions"][2:]] == [0, 0, 0]
    assert [p["outside"] for p in answer["predictions"]] == [None, "too long", *["no known word"] * 3]
    for p in answer["predictions"][:1]:
        assert p["label"] in ("negative", "positive") and abs(p["p_negative"] + p["p_positive"] - 1) < 1e-4
        assert p["tokens_read"] == p["tokens_total"] and p["model"] == answer["model"]
    assert (
        modelled.client.post("/v1/predict", json={"text": "the kettle is great"}).json()["predictions"][0]["label"]
        == answer["predictions"][0]["label"]
    )
    assert (
        modelled.client.post("/v1/predict", json={"text": "meh", "max_error": 0.001}).json()["predictions"][0]["label"]
        is None
    )


def test_explanations_point_into_the_text(modelled):
    text = "the parcel came late and broken"
    explanation = modelled.client.post("/v1/explain", json={"text": text}).json()
    assert (
        [text[w["start"] : w["end"]] for w in explanation["words"]]
        == [w["word"] for w in explanation["words"]]
        == text.split()
    )
    assert isinstance(explanation["faithful"], bool) and explanation["model"]


def slow_model(seconds: float, seen: list):
    "A stand-in that only counts: how many texts came in each pass."

    def predict(texts, max_error):
        seen.append(len(texts))
        time.sleep(seconds)
        return [{"text": t, "max_error": max_error} for t in texts]

    return predict


def tokens(texts):
    "A stand-in for the tokenizer: a letter is a token."
    return [len(t) for t in texts]


def test_requests_that_arrive_together_share_a_pass():
    async def run():
        seen = []
        workers = Workers(slow_model(0.05, seen), tokens)
        answers = await asyncio.gather(*(workers.read([f"{i}a", f"{i}b"], 0.1 if i < 10 else None) for i in range(20)))
        workers.close()
        return seen, answers, workers.held

    seen, answers, held = run_alone(run())
    assert [[a["text"] for a in pair] for pair in answers] == [[f"{i}a", f"{i}b"] for i in range(20)]
    assert all(a["max_error"] == (0.1 if i < 10 else None) for i, pair in enumerate(answers) for a in pair)
    assert sum(seen) == 40 and len(seen) < 5 and held == 0


def test_a_full_queue_refuses_at_once(tmp_path):
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path, reports_dir=tmp_path)
    app = create_app(settings)
    prediction = {
        "label": "negative",
        "p_negative": 0.9,
        "p_positive": 0.1,
        "tokens_read": 1,
        "tokens_total": 1,
        "outside": None,
        "model": "stand-in",
    }
    app.state.workers.predict = lambda texts, e: time.sleep(0.3) or [prediction] * len(texts)
    app.state.workers.count = tokens

    async def run():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def one():
                start = time.monotonic()
                answer = await client.post("/v1/predict", json={"texts": ["a" * 1000] * 5})
                return answer, time.monotonic() - start

            return await asyncio.gather(*(one() for _ in range(24)))

    answers = run_alone(run())
    codes = [a.status_code for a, _ in answers]
    assert set(codes) == {200, 429} and codes.count(200) == 6  # of 32,768 tokens
    refused = [(a, t) for a, t in answers if a.status_code == 429]
    assert all(a.headers["retry-after"] == "1" and a.json()["type"] == "urn:sca:busy" for a, _ in refused)
    assert app.state.workers.held == 0
    app.state.workers.close()


def test_a_caller_who_leaves_gives_the_place_back():
    async def run():
        seen = []
        workers = Workers(slow_model(0.1, seen), tokens, budget=1)
        tasks = [asyncio.create_task(workers.read(["a"], None)) for _ in range(10)]
        await asyncio.sleep(0.05)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)
        workers.close()
        return seen, workers.held

    assert run_alone(run()) == ([1], 0)


@pytest.mark.parametrize("route", ["explain", "predict"])
def test_a_caller_who_leaves_writes_no_fault_into_the_log(tmp_path, caplog, route):
    app = create_app(Settings(data_dir=tmp_path, models_dir=tmp_path, reports_dir=tmp_path))
    app.state.service.explain = lambda text: time.sleep(0.3)
    app.state.workers.predict = lambda texts, limit: time.sleep(0.3)
    app.state.workers.count = tokens
    messages = iter([{"type": "http.request", "body": b'{"text": "a"}', "more_body": False}])

    async def receive():
        if message := next(messages, None):
            return message
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": f"/v1/{route}", "raw_path": b"", "query_string": b"",
             "headers": headers, "http_version": "1.1", "root_path": ""}  # fmt: skip
    run_alone(app(scope, receive, send))  # raises nothing, which the server would log
    app.state.workers.close()
    assert app.state.workers.held == 0
    assert not [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]


def test_a_long_request_is_cut_and_callers_take_turns():
    async def run():
        order = []

        def predict(texts, limit):
            order.append([t[0] for t in texts])
            time.sleep(0.1)  # the others have time to come
            return [{"text": t} for t in texts]

        workers = Workers(predict, tokens, budget=10)
        requests = (("much", ["a" * 5] * 6), ("little", ["b" * 5]), ("other", ["c" * 3]))
        answers = await asyncio.gather(*(workers.read(texts, None, who) for who, texts in requests))
        workers.close()
        return order, answers

    order, answers = run_alone(run())
    assert [[a["text"] for a in each] for each in answers] == [["aaaaa"] * 6, ["bbbbb"], ["ccc"]]
    first_b = next(i for i, letters in enumerate(order) if "b" in letters)
    assert first_b <= 2 and order[-1][0] == "a", order  # not behind the three passes of the long one


def test_an_answer_comes_from_one_model_though_it_took_several_passes():
    async def run():
        versions = iter(["old", "new", "new", "new"])

        def predict(texts, limit):
            version = next(versions)
            return [{"model": version} for _ in texts]

        workers = Workers(predict, tokens, budget=10)
        answers = await workers.read(["a" * 10] * 2, None)
        workers.close()
        return answers, workers.held

    assert run_alone(run()) == ([{"model": "new"}] * 2, 0)


@pytest.mark.parametrize(
    ("texts", "expected"), [(["a" * 4097], "4,096 tokens in a text"), (["a" * 4000] * 5, "16,384 tokens in a request")]
)
def test_what_would_hold_the_model_for_seconds_is_refused(texts, expected):
    async def run():
        workers = Workers(lambda texts, e: [{}] * len(texts), tokens)
        try:
            await workers.read(texts, None)
        finally:
            assert workers.held == 0
            workers.close()

    with pytest.raises(BadQuery, match=expected):
        run_alone(run())


def test_a_failing_model_fails_only_its_requests():
    async def run():
        workers = Workers(lambda texts, e: 1 / 0 if "bad" in texts else [{}] * len(texts), tokens, budget=1)
        results = await asyncio.gather(
            workers.read(["bad"], None), workers.read(["good"], None), return_exceptions=True
        )
        workers.close()
        return results

    bad, good = run_alone(run())
    assert isinstance(bad, ZeroDivisionError) and good == [{}]


def test_a_taken_port_is_one_line(tmp_path):
    before = threading.active_count()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1], models_dir=tmp_path, reports_dir=tmp_path, data_dir=tmp_path)
        with pytest.raises(ScaError, match="a free port .* address already in use.*another port") as error:
            serve(settings)
    assert "\n" not in str(error.value)
    assert threading.active_count() == before, "half started"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_does_not_wait_for_the_one_before_to_be_acknowledged(host):
    async def delays() -> int:
        seen = asyncio.get_running_loop().create_future()

        def connected(reader, writer):
            seen.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with _bind(host, 0) as listener:
            async with await asyncio.start_server(connected, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
                writer.close()
                return await seen

    assert run_alone(delays()) == 1


@pytest.mark.parametrize("policy", [None, "ACTIVE"])
def test_threads_of_the_model_sleep_between_requests_unless_told_otherwise(tmp_path, policy):
    code = """
import os, sys
from smart_customer_analysis import cli
from smart_customer_analysis.app import main
main.create_app = lambda settings, warm: print(os.environ["OMP_WAIT_POLICY"], "torch" in sys.modules)
main.run = lambda app, listener: None
cli.main(["serve", "--port", sys.argv[1]])
"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY" and not k.startswith("SCA_")}
    env |= {"OMP_WAIT_POLICY": policy} if policy else {}
    process = subprocess.run(
        [sys.executable, "-c", code, str(port)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240
    )
    assert f"{policy or 'PASSIVE'} False" in process.stdout, process.stdout + process.stderr


def test_limit_is_the_one_documented():
    assert MAX_BODY == 1_000_000
