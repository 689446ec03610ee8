"""The server is told to stop while it works: what it accepted is answered, nothing new is taken."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

STAND_IN = """
import sys, time
from pathlib import Path
from smart_customer_analysis.app.main import _bind, create_app, run
from smart_customer_analysis.config import Settings

home = Path(sys.argv[1])
app = create_app(Settings(data_dir=home, models_dir=home, reports_dir=home))
answer = {"label": None, "p_negative": 0.5, "p_positive": 0.5, "tokens_read": 1, "tokens_total": 1, "outside": None}
answer["model"] = "stand-in"
app.state.workers.predict = lambda texts, e: time.sleep(1.5) or [answer] * len(texts)
app.state.workers.count = lambda texts: [1] * len(texts)
run(app, _bind("127.0.0.1", int(sys.argv[2])))
"""


def ask(port: int, method: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
    "One request on a connection of its own."
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = c.getresponse()
        return answer.status, answer.read()
    finally:
        c.close()


@pytest.fixture
def server(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", STAND_IN, str(tmp_path), str(port)], stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        try:
            if ask(port, "GET", "/health")[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    yield process, port
    process.kill()
    process.wait()
    process.stderr.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_answered(server, how):
    process, port = server
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(ask(port, "POST", "/v1/predict", {"text": "a"})))
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    time.sleep(0.7)
    process.send_signal(how)
    time.sleep(0.3)
    with pytest.raises(OSError):
        ask(port, "GET", "/health")
    for caller in callers:
        caller.join()
    assert [status for status, _ in answers] == [200] * 8
    assert process.wait(20) in (0, -how, 128 + how)
    assert "Traceback" not in process.stderr.read()


def test_a_slow_client_hinders_nobody(server):
    process, port = server
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for s in slow:
        s.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 50\r\n\r\n{"
        )
    start = time.monotonic()
    assert ask(port, "GET", "/health")[0] == 200
    assert ask(port, "POST", "/v1/predict", {"text": "a"})[0] == 200
    assert time.monotonic() - start < 10
    for s in slow:
        s.close()
    assert ask(port, "GET", "/health")[0] == 200


def test_bytes_that_are_no_http(server):
    process, port = server
    for junk in (
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 1000,
        b"GET /" + b"a" * 200_000,
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            answer = s.recv(65536)
        assert b" 500 " not in answer[:40] and len(answer) < 4096
    assert ask(port, "GET", "/health")[0] == 200


def test_a_body_without_end_is_cut_off(server):
    process, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: "
            b"chunked\r\n\r\n"
        )
        sent, answer = 0, b""
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        s.settimeout(5)
        try:
            while sent < 40_000_000 and not answer:
                s.sendall(chunk)
                sent += 65536
                s.settimeout(0.01)
                try:
                    answer = s.recv(4096)
                except TimeoutError:
                    s.settimeout(5)
        except OSError:
            pass
    assert sent < 40_000_000
    assert answer == b"" or b" 413 " in answer[:40]
    assert ask(port, "GET", "/health")[0] == 200
