"""Requests a second of the server beside a plain FastAPI handler and LitServe, the same model and machine, in turns.

Writes docs/measured/requests.md. --home names a trained shop, as `sca run` leaves it; else the sample is trained first.
LitServe comes with the extra `bench`; without it its column stays empty."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from sim_table import write

WORDS = "the kettle came late and box was open but sound is good we would buy it again never once more".split()
INTRO = """Reviews of 80 words, one a request, on connections that stay open; each client asks again as soon as it is
answered. `ours` is `sca serve`, `plain` a FastAPI handler that calls the same predictor for one text, `lit` is LitServe
with batches of 32 and 5 ms; all with threads that sleep between requests. Servers in turns, medians of the rounds.
`model alone` calls the predictor with as many texts at once as there are clients: what no server can pass. Only `ours`
also says of each text whether the model can read it.
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
        script, self.log = scripts / f"{kind}.py", scripts / f"{kind}.log"
        script.write_text({"ours": OURS, "plain": PLAIN, "lit": LIT}[kind])
        arguments = [sys.executable, str(script), str(home), str(self.port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=home, start_new_session=True)

    def wait(self) -> None:
        "Until it predicts."
        until = time.monotonic() + 180
        while time.monotonic() < until:
            try:
                if predict(self.port, "It came late."):
                    return
            except OSError:
                time.sleep(0.3)
        raise SystemExit(f"{self.log.stem} did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        "End the server and all it has started: LitServe's workers outlive their parent and would slow the next one."
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def predict(port: int, text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def post(path: str, body: dict) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


async def client(port: int, make: Callable[[], bytes], until: float, seen: list) -> None:
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


def load(port: int, groups: list[tuple[int, Callable[[], bytes]]], seconds: float) -> list[list[tuple[int, float]]]:
    "What each group of clients saw: status and seconds of each answer."

    async def run() -> list[list[tuple[int, float]]]:
        until, seen = time.perf_counter() + seconds, [[] for _ in groups]
        tasks = [client(port, make, until, out) for (n, make), out in zip(groups, seen, strict=True) for _ in range(n)]
        await asyncio.gather(*tasks)
        return seen

    return asyncio.run(run())


def text(rng: random.Random, n: int = 80) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(n))


def speed(seen: list[tuple[int, float]], seconds: float) -> dict[str, float]:
    "Answers a second, and the middle and the slowest of them."
    times = sorted(t for status, t in seen if status == 200) or [float("nan")]
    return {"rate": len(times) / seconds, "p50": statistics.median(times), "p99": times[int(0.99 * (len(times) - 1))]}


def compare(home: Path, scripts: Path, seconds: float, rounds: int, kinds: list[str]) -> list[dict]:
    "Servers in turns, 1, 8 and 32 clients."
    rng, rows = random.Random(1), []
    make = lambda: post("/v1/predict", {"text": text(rng)})  # noqa: E731
    measured = {}
    for turn in range(rounds):
        for kind in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
            server = Server(kind, home, scripts)
            try:
                server.wait()
                load(server.port, [(4, make)], 1)
                for n in (1, 8, 32):
                    seen = load(server.port, [(n, make)], seconds)[0]
                    measured.setdefault((kind, n), []).append(speed(seen, seconds))
            finally:
                server.stop()
    for n in (1, 8, 32):
        row = {"clients": n}
        for kind in kinds:
            turns = measured[kind, n]
            row |= {f"{kind}, a second": statistics.median(t["rate"] for t in turns)}
            row |= {f"{kind} {q}, ms": 1000 * statistics.median(t[q] for t in turns) for q in ("p50", "p99")}
        rows.append(row)
    return rows


MODEL = """
import sys, time, random
from pathlib import Path
from smart_customer_analysis.config import load_settings
from smart_customer_analysis.sentiment.predict import open_model
sys.path.insert(0, sys.argv[2])
from bench_serving import text
model, rng = open_model(load_settings(Path(sys.argv[1]))), random.Random(1)
for n in (1, 8, 32):
    texts, times = [text(rng) for _ in range(n)], []
    for _ in range(9):
        started = time.perf_counter()
        model.predict(texts)
        times.append(time.perf_counter() - started)
    print(n / sorted(times)[4])
"""


def model_alone(home: Path) -> list[float]:
    "Texts a second of the predictor itself, 1, 8 and 32 at once: what no server can pass."
    command = [sys.executable, "-c", MODEL, str(home), str(Path(__file__).parent)]
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(line) for line in process.stdout.split()]


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
            seen, *seen_by_other = load(server.port, [four, other] if other else [four], seconds)
            mine, others_seen = speed(seen, seconds), seen_by_other[0] if other else []
            refused = sorted(t for status, t in others_seen if status == 429)
            rows.append(
                {
                    "beside": name,
                    "predictions a second": mine["rate"],
                    "p50, ms": 1000 * mine["p50"],
                    "p99, ms": 1000 * mine["p99"],
                    "the others answered, a second": sum(status == 200 for status, _ in others_seen) / seconds,
                    "refused": len(refused),
                    "p99 of a refusal, ms": 1000 * refused[int(0.99 * (len(refused) - 1))] if refused else "",
                }
            )
    finally:
        server.stop()
    return rows


def trained(home: Path) -> Path:
    "Train on the sample shop."
    home.mkdir()
    (home / "settings.ini").write_text("[sca]\n")
    sample = Path(__file__).resolve().parents[1] / "data" / "sample"
    subprocess.run([Path(sys.executable).with_name("sca"), "run", "--source", "sample", sample], cwd=home, check=True)
    return home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    kinds = ["ours", "plain"]
    try:
        import litserve  # noqa: F401

        kinds.append("lit")
    except ImportError:
        print("litserve is not installed: pip install 'smart_customer_analysis[bench]'")
    os.environ.pop("OMP_NUM_THREADS", None)
    with tempfile.TemporaryDirectory() as folder:
        home, started = args.home or trained(Path(folder) / "shop"), time.perf_counter()
        alone = compare(home, Path(folder), args.seconds, args.rounds, kinds)
        for row, rate in zip(alone, model_alone(home), strict=True):
            row["model alone, a second"] = rate
        beside = mixes(home, Path(folder), args.seconds)
    tables = {"Alone": pd.DataFrame(alone), "Beside other requests (the server of this library)": pd.DataFrame(beside)}
    write("requests", "Requests a second", INTRO, tables, 1, time.perf_counter() - started)


if __name__ == "__main__":
    main()
