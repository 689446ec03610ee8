"""Requests a second of the server beside a plain FastAPI handler and LitServe, the same model and machine, in turns.

Writes docs/measured/requests.md. Needs a trained shop: --home FOLDER, as `sca run --source sample` leaves it.
LitServe comes with the extra `bench`; without it its column stays empty."""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pandas as pd
from sim_table import write

WORDS = "the kettle came late and box was open but sound is good we would buy it again never once more".split()
INTRO = """Reviews of 80 words, one a request, on connections that stay open; each client asks again as soon as it is
answered. `ours` is `sca serve`, `plain` a FastAPI handler that calls the same predictor for one text, `lit` is LitServe
with batches of 32 and 5 ms; all with threads that sleep between requests. Servers in turns, medians of the rounds.
Asked for at 32 clients: at least three times the plain handler, and not below LitServe; a refusal within 100 ms."""
PLAIN = """
import os, sys
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import socket, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from pathlib import Path
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.sentiment.predict import open_model
app, model = FastAPI(), open_model(load_settings(Path(sys.argv[1])))
class In(BaseModel):
    text: str
@app.post("/v1/predict")
def predict(body: In):
    return {"p_negative": float(model.predict([body.text]).frame["p_negative"].iloc[0])}
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as ours: no wait for acknowledgement
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[2])))
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
"""
LIT = """
import os, sys
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import litserve
import litserve.server
litserve.server._MCP_AVAILABLE = False  # it was written for another version of mcp than ours
from pathlib import Path
from smart_customer_analysis.config import load_settings
class Api(litserve.LitAPI):
    def setup(self, device):
        from smart_customer_analysis.sentiment.predict import open_model
        self.model = open_model(load_settings(Path(sys.argv[1])))
    def decode_request(self, request): return request["text"]
    def batch(self, inputs): return inputs
    def predict(self, texts): return self.model.predict(list(texts)).frame["p_negative"].tolist()
    def unbatch(self, output): return output
    def encode_response(self, output): return {"p_negative": output}
if __name__ == "__main__":
    api = Api(max_batch_size=32, batch_timeout=0.005, api_path="/v1/predict")
    server = litserve.LitServer(api, accelerator="cpu")
    server.run(port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
"""
OURS = """
import sys
from pathlib import Path
from smart_customer_analysis.app.main import serve
from smart_customer_analysis.config import load_settings
serve(load_settings(Path(sys.argv[1]), port=int(sys.argv[2])))
"""


class Server:
    "A server of its own process; `kind` is ours, plain or lit."

    def __init__(self, kind: str, home: Path, scripts: Path) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        script = scripts / f"{kind}.py"
        script.write_text({"ours": OURS, "plain": PLAIN, "lit": LIT}[kind])
        self.log = (scripts / f"{kind}.log").open("w")
        arguments = [sys.executable, str(script), str(home), str(self.port)]
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, cwd=home)

    def wait(self) -> None:
        "Until it predicts."
        until = time.monotonic() + 180
        while time.monotonic() < until:
            try:
                if predict(self.port, "It came late."):
                    return
            except OSError:
                time.sleep(0.3)
        raise SystemExit(f"{self.process.args[1]} did not start; see its log")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def predict(port: int, text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def post(path: str, body: dict) -> bytes:
    data = json.dumps(body).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + data


async def client(port: int, make: object, until: float, seen: list) -> None:
    "One client on one connection: asks again as soon as it is answered."
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(make())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        seen.append((int(head.split()[1]), time.perf_counter() - started))
    writer.close()


def load(port: int, groups: list[tuple[int, object]], seconds: float) -> list[list[tuple[int, float]]]:
    "What each group of clients saw: status and seconds of each answer."

    async def run() -> list[list[tuple[int, float]]]:
        until, seen = time.perf_counter() + seconds, [[] for _ in groups]
        tasks = [client(port, make, until, out) for (n, make), out in zip(groups, seen, strict=True) for _ in range(n)]
        await asyncio.gather(*tasks)
        return seen

    return asyncio.run(run())


def text(rng: random.Random, n: int = 80) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(n))


def told(seen: list[tuple[int, float]], seconds: float) -> dict[str, float]:
    "Answers a second, and the middle and the slowest of them."
    times = sorted(t for status, t in seen if status == 200) or [float("nan")]
    return {"rate": len(times) / seconds, "p50": statistics.median(times), "p99": times[int(0.99 * (len(times) - 1))]}


def compare(home: Path, scripts: Path, seconds: float, rounds: int, kinds: list[str]) -> list[dict]:
    "Servers in turns, 1, 8 and 32 clients."
    rng, rows = random.Random(1), []
    make = lambda: post("/v1/predict", {"text": text(rng)})  # noqa: E731
    found = {}
    for turn in range(rounds):
        for kind in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
            server = Server(kind, home, scripts)
            try:
                server.wait()
                load(server.port, [(4, make)], 1)
                for n in (1, 8, 32):
                    found.setdefault((kind, n), []).append(told(load(server.port, [(n, make)], seconds)[0], seconds))
            finally:
                server.stop()
    for n in (1, 8, 32):
        row = {"clients": n}
        for kind in kinds:
            of = found[kind, n]
            row |= {f"{kind}, a second": statistics.median(o["rate"] for o in of)}
            row |= {f"{kind} {q}, ms": 1000 * statistics.median(o[q] for o in of) for q in ("p50", "p99")}
        rows.append(row)
    return rows


def mixes(home: Path, scripts: Path, seconds: float) -> list[dict]:
    "What one kind of request does to four clients that predict, and how fast a refusal is."
    rng, rows = random.Random(2), []
    four = (4, lambda: post("/v1/predict", {"text": text(rng)}))
    long = (1, lambda: post("/v1/predict", {"texts": [text(rng, 400) for _ in range(32)]}))
    cold = lambda: f"GET /v1/map/cells?q={rng.random()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()  # noqa: E731
    explain = (2, lambda: post("/v1/explain", {"text": text(rng)}))
    flood = (128, lambda: post("/v1/predict", {"texts": [text(rng)] * 16}))
    server = Server("ours", home, scripts)
    try:
        server.wait()
        others = [("nothing", None), ("32 long texts a request", long), ("16 cold maps", (16, cold))]
        for name, other in [*others, ("2 explanations", explain), ("128 clients of 16 texts", flood)]:
            seen = load(server.port, [four] + ([other] if other else []), seconds)
            mine, refused = told(seen[0], seconds), sorted(t for s, t in (seen[1] if other else []) if s == 429)
            codes = Counter(s for s, _ in seen[1]) if other else {}
            rows.append(
                {
                    "beside": name,
                    "predictions a second": mine["rate"],
                    "p50, ms": 1000 * mine["p50"],
                    "p99, ms": 1000 * mine["p99"],
                    "the others answered, a second": codes.get(200, 0) / seconds,
                    "refused": codes.get(429, 0),
                    "p99 of a refusal, ms": 1000 * refused[int(0.99 * (len(refused) - 1))] if refused else "",
                }
            )
    finally:
        server.stop()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    a = parser.parse_args()
    started, scripts = time.perf_counter(), Path(tempfile.mkdtemp())
    kinds = ["ours", "plain"]
    try:
        import litserve  # noqa: F401

        kinds.append("lit")
    except ImportError:
        print("litserve is not installed: pip install 'smart_customer_analysis[bench]'")
    os.environ.pop("OMP_NUM_THREADS", None)
    rates = compare(a.home, scripts, a.seconds, a.rounds, kinds)
    beside = mixes(a.home, scripts, a.seconds)
    tables = {"Alone": pd.DataFrame(rates), "Beside other requests (the server of this library)": pd.DataFrame(beside)}
    write("requests", "Requests a second", INTRO, tables, 1, time.perf_counter() - started)


if __name__ == "__main__":
    main()
