"""Jobs of many texts: in order, each line once whatever is killed, and nobody else's."""

import asyncio
import http.server
import json
import threading
import time

import pytest
from made_up import run_alone
from starlette.testclient import TestClient

from smart_customer_analysis.app.batches import TEXTS, Batches
from smart_customer_analysis.app.main import create_app
from smart_customer_analysis.app.workers import Workers
from smart_customer_analysis.config import Settings
from smart_customer_analysis.schema import BadQuery, NotFound


def answers(texts, limit):
    return [{"label": "negative", "p_negative": 0.9, "p_positive": 0.1, "tokens_read": len(t), "tokens_total": len(t),
             "outside": None, "model": "stand-in"} for t in texts]  # fmt: skip


def settings_of(home, **more) -> Settings:
    return Settings(data_dir=home, models_dir=home / "models", reports_dir=home / "reports", **more)


@pytest.fixture
def client(tmp_path):
    app = create_app(settings_of(tmp_path))
    app.state.workers.predict, app.state.workers.count = answers, lambda texts: [len(t) for t in texts]
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def done(client, job: dict) -> dict:
    until = time.monotonic() + 60
    while job["status"] in ("waiting", "running") and time.monotonic() < until:
        time.sleep(0.02)
        job = client.get(job["location"]).json()
    return job


def lines(*texts) -> bytes:
    return b"".join(json.dumps({"id": f"r{i}", "text": t}).encode() + b"\n" for i, t in enumerate(texts))


def test_lines_come_back_in_their_order_and_bad_ones_say_why(client):
    body = lines("It came late.", "x" * 10_001, "y" * 5000) + b'{"text": 5}\n[]\nno json\n' + lines("Lovely.")[:-1]
    created = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert created.status_code == 202 and created.headers["location"] == created.json()["location"]
    job = done(client, created.json())
    assert (job["status"], job["lines"], job["done"]) == ("done", 7, 7)
    rows = [json.loads(line) for line in client.get(job["result"]).text.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, 8))
    assert [row.get("id") for row in rows] == ["r0", "r1", "r2", None, None, None, "r0"]
    assert ["label" in row for row in rows] == [True, False, False, False, False, False, True]
    assert "10,000 characters" in rows[1]["error"] and "4,096 tokens" in rows[2]["error"]
    assert not any("text" in row for row in rows)


def test_a_repeated_key_is_the_same_job(client):
    ask = lambda key, text: client.post("/v1/jobs", content=lines(text), headers={"Idempotency-Key": key}).json()  # noqa: E731
    first, again, other = ask("night", "a"), ask("night", "b"), ask("day", "a")
    assert first["id"] == again["id"] != other["id"]


@pytest.mark.parametrize("body", [b"", b"\n" * 200_001])
def test_too_little_and_too_much_are_refused_and_leave_nothing(client, tmp_path, body):
    assert client.post("/v1/jobs", content=body).status_code == 422
    assert [p.name for p in (tmp_path / "jobs").iterdir() if p.name != ".lock"] == []


def test_a_kill_repeats_no_line_and_loses_none(tmp_path):
    async def run():
        seen = []

        def slow(texts, limit):
            time.sleep(0.05)
            seen.extend(texts)
            return answers(texts, limit)

        async def body():
            yield lines(*(f"text {i}" for i in range(TEXTS * 6)))

        count = lambda texts: [1] * len(texts)  # noqa: E731
        workers = Workers(slow, count)
        batches = Batches(settings_of(tmp_path), workers)
        job = await batches.take(body(), "", "", None, None)
        while batches.get(job["id"], "")["done"] < TEXTS * 2:
            await asyncio.sleep(0.01)
        await batches.close()
        part = tmp_path / "jobs" / job["id"] / "output.part"
        part.write_bytes(part.read_bytes() + b'{"line": 12')  # half a line, as a kill leaves it
        kept = part.read_bytes().count(b"\n")
        batches = Batches(settings_of(tmp_path), workers)
        batches.start()
        while batches.get(job["id"], "")["status"] != "done":
            await asyncio.sleep(0.01)
        workers.close()
        return kept, [json.loads(row)["line"] for row in batches.result(job["id"], "").open()], seen

    kept, numbers, seen = run_alone(run())
    assert numbers == list(range(1, TEXTS * 6 + 1)) and kept >= TEXTS * 2
    assert len(seen) <= TEXTS * 7  # at most the step that was stopped is read again


def test_a_job_is_its_owners_alone(tmp_path):
    async def run():
        async def body():
            yield lines("a")

        batches = Batches(settings_of(tmp_path), Workers(answers, lambda texts: [1] * len(texts)))
        job = await batches.take(body(), "anna", "k", None, None)
        await batches.close()
        for id, owner in ((job["id"], "ben"), ("../" + job["id"], "anna"), ("none", "anna")):
            for ask in (batches.get, batches.result, batches.drop):
                with pytest.raises(NotFound):
                    ask(id, owner)
        batches.drop(job["id"], "anna")
        with pytest.raises(NotFound):
            batches.get(job["id"], "anna")

    run_alone(run())


def test_old_jobs_and_too_many_ended_ones_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("smart_customer_analysis.app.batches.KEPT_JOBS", 2)
    now = time.time()
    for id, status, age in [("old", "done", 8 * 24 * 3600), ("a", "failed", 9), ("b", "done", 8), ("c", "done", 7),
                            ("w", "waiting", 9 * 24 * 3600)]:  # fmt: skip
        folder = tmp_path / "jobs" / id
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps({"id": id, "status": status, "created_at": now - age}))
    Batches(settings_of(tmp_path), None)._clean()
    assert sorted(p.name for p in (tmp_path / "jobs").iterdir()) == ["b", "c", "w"]


def test_only_allowed_addresses_hear_of_the_end(tmp_path):
    "OWASP API7: no address of the caller's choice is called."
    heard = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *a):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    allowed = f"http://127.0.0.1:{server.server_port}/hooks/"

    async def run():
        async def body():
            yield lines("a")

        workers = Workers(answers, lambda texts: [1] * len(texts))
        batches = Batches(settings_of(tmp_path, webhooks=allowed), workers)
        for other in ("http://169.254.169.254/", allowed[:-1] + "x", "file:///etc/passwd"):
            with pytest.raises(BadQuery):
                await batches.take(body(), "", "", None, other)
        job = await batches.take(body(), "", "", None, allowed + "a")
        await asyncio.wait_for(batches.task, 60)
        return job["id"]

    id = run_alone(run())
    server.shutdown()
    assert heard == [{"id": id, "status": "done", "lines": 1, "error": None}]
