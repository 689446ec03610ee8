"""Who may ask: names of the server, keys, scopes and rates. One test at least for each row of OWASP's list of 2023."""

import json
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from made_up import fill, running
from starlette.testclient import TestClient

from smart_customer_analysis.app import main, protocol
from smart_customer_analysis.app.access import is_loopback, scope_for
from smart_customer_analysis.app.logs import set_up
from smart_customer_analysis.app.pages import VIEWS
from smart_customer_analysis.config import ScaError, Settings
from smart_customer_analysis.store.engine import make_engine
from smart_customer_analysis.store.keys import create_key, revoke_key

READ = ["/v1/overview", "/v1/reviews", "/v1/customers", "/v1/filters", "/v1/reports", "/reports/files/weekly.html"]


class Shop:
    "An app that asks for keys, and keys of every scope."

    def __init__(self, settings: Settings) -> None:
        self.app, self.engine = main.create_app(settings), make_engine(settings.database)
        self.keys = {scope: self.make(scope) for scope in ("read", "predict", "report", "label", "admin")}
        self.client = TestClient(self.app, base_url="http://shop.example", raise_server_exceptions=False)

    def make(self, scope: str, **more: datetime) -> str:
        return create_key(self.engine, scope, [scope], **more)

    def ask(self, address: str, scope: str | None = None, method: str = "GET", **more):
        headers = {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}
        return self.client.request(method, address, headers=headers, **more)


@pytest.fixture(scope="module")
def shop(make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory):
    home, url = tmp_path_factory.mktemp("keys"), make_database()
    folders = {"data_dir": home, "models_dir": home / "models", "reports_dir": home / "reports"}
    settings = Settings(database_url=url, host="0.0.0.0", requests_per_minute=0, **folders)
    fill(url, settings.reports_dir)
    shop = Shop(settings)
    with shop.client:
        yield shop


def test_everything_but_the_page_itself_needs_a_key(shop):
    "OWASP API1 and API2: no figure, no customer and no report without a key."
    routes = {r.path for r in shop.app.routes if hasattr(r, "methods") and "GET" in r.methods}
    closed = [*READ, "/metrics", *(r for r in routes if r.startswith("/v1/") and r != "/v1/session")]
    for address in closed:
        answer = shop.ask(address)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), address
        assert "sca key create" in answer.json()["detail"]
    for address in ("/", "/health", "/docs", "/openapi.json", "/v1/session"):
        assert shop.ask(address).status_code == 200, address


@pytest.mark.parametrize("wrong", ["", "sca_", "sca_00000000_x", "Basic abc", "é", "x" * 5000])
def test_what_is_no_key_opens_nothing(shop, wrong):
    headers = {"Authorization": f"Bearer {wrong}".encode()}
    assert shop.client.get("/v1/overview", headers=headers).status_code == 401


def test_each_scope_opens_its_own_doors_only(shop):
    "OWASP API5: role by route."
    doors = {"read": ("GET", "/v1/overview"), "predict": ("POST", "/v1/predict"), "report": ("POST", "/v1/reports"),
             "label": ("DELETE", "/v1/labels"),
             "admin": ("GET", "/metrics")}  # fmt: skip
    for scope in shop.keys:
        for need, (method, address) in doors.items():
            answer = shop.ask(address, scope, method)
            assert (answer.status_code == 403) == (scope not in (need, "admin")), (scope, address)
    assert scope_for("DELETE", "/v1/anything", VIEWS) == "report" and scope_for("GET", "/new", VIEWS) == "admin"


def test_a_key_that_ended_or_was_revoked_is_no_key(shop, monkeypatch):
    monkeypatch.setattr("smart_customer_analysis.app.access.KEPT_SECONDS", 0)
    ended = shop.make("read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    mine = shop.make("read")
    ask = lambda key: shop.client.get("/v1/filters", headers={"Authorization": f"Bearer {key}"}).status_code  # noqa: E731
    assert (ask(ended), ask(mine)) == (401, 200)
    revoke_key(shop.engine, mine.split("_")[1])
    assert ask(mine) == 401


def test_the_page_keeps_its_key_where_no_script_can_read_it(shop):
    app = main.create_app(shop.app.state.service.settings)
    with TestClient(app, base_url="http://shop.example") as page:
        assert page.get("/v1/session").json() == {"needed": True, "name": None, "allows": []}
        assert page.post("/v1/session", json={"key": "sca_no_key"}).status_code == 401
        opened = page.post("/v1/session", json={"key": shop.keys["read"]})
        cookie = opened.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "max-age"))
        assert page.get("/v1/overview").status_code == 200
        assert page.get("/reports/files/none.html").status_code == 404  # a link carries no header
        assert page.delete("/v1/session").status_code == 204
        assert page.get("/v1/overview").status_code == 401


def test_requests_of_a_key_are_counted_and_told(shop, tmp_path):
    "OWASP API4 and API6: quotas."
    settings = shop.app.state.service.settings.model_copy(update={"requests_per_minute": 3})
    with TestClient(main.create_app(settings), base_url="http://shop.example") as client:
        answers = [client.get("/v1/session"), *(client.get("/v1/reports", headers={"Authorization": f"Bearer {k}"})
                   for k in [shop.keys["read"]] * 4 + [shop.keys["admin"]])]  # fmt: skip
    assert [a.status_code for a in answers] == [200, 200, 200, 200, 429, 200]
    assert answers[1].headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert 0 < int(answers[4].headers["retry-after"]) <= 60 and "r=0" in answers[4].headers["ratelimit"]


def test_whoever_tries_keys_is_stopped(shop):
    app = main.create_app(shop.app.state.service.settings)
    with TestClient(app, base_url="http://shop.example", client=("10.0.0.9", 5)) as stranger:
        codes = [stranger.get("/v1/filters", headers={"Authorization": f"Bearer sca_a_{i}"}).status_code
                 for i in range(25)]  # fmt: skip
    assert codes == [401] * 20 + [429] * 5


def test_a_name_of_another_machine_is_refused_where_no_key_is_needed(tmp_path):
    "OWASP API8: a web page cannot read a server of this machine through a name of its own."
    folders = {"data_dir": tmp_path, "models_dir": tmp_path, "reports_dir": tmp_path}
    with TestClient(main.create_app(Settings(**folders)), base_url="http://127.0.0.1:8000") as client:
        get = lambda host: client.get("/health", headers={"Host": host}).status_code  # noqa: E731
        assert [get(h) for h in ("localhost:8000", "127.0.0.1", "[::1]:8000")] == [200] * 3
        assert [get(h) for h in ("attacker.example", "localhost.attacker.example:8000", "")] == [421] * 3
    named = Settings(hosts="shop.example, www.shop.example", **folders)
    with TestClient(main.create_app(named), base_url="http://www.shop.example") as client:
        assert client.get("/health").status_code == 200


def test_pages_elsewhere_may_ask_only_where_they_are_named(shop):
    settings = shop.app.state.service.settings.model_copy(update={"cors_origins": "https://app.example"})
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    plain = shop.app.state.service.settings
    tried = [(settings, "https://app.example", True), (settings, "https://other.example", False)]
    for one, origin, allowed in [*tried, (plain, "https://app.example", False)]:
        with TestClient(main.create_app(one), base_url="http://shop.example") as client:
            answer = client.options("/v1/overview", headers={"Origin": origin, **preflight})
            assert (answer.headers.get("access-control-allow-origin") == origin) == allowed
            assert "access-control-allow-credentials" not in answer.headers


def test_a_server_for_others_does_not_start_without_a_key(make_database, tmp_path):
    from smart_customer_analysis.store.migrate import migrate

    url = make_database()
    migrate(make_engine(url))
    settings = Settings(database_url=url, host="0.0.0.0", data_dir=tmp_path, models_dir=tmp_path)
    with pytest.raises(ScaError, match="sca key create"):
        main.serve(settings)
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "shop.example", "")))


def test_the_log_says_who_and_what_but_no_word_of_it(shop, capsys):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        set_up(as_json=True)
        mine = {"Authorization": f"Bearer {shop.keys['read']}", "X-Request-ID": "abc"}
        shop.client.get("/v1/customers/SECRETID?source=SECRETSHOP", headers=mine)
        shop.client.post("/v1/predict", json={"text": "SECRETTEXT"}, headers={"Authorization": "Bearer SECRETKEY"})
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    accesses = [line for line in lines if line["logger"] == "sca.access"]
    assert (
        accesses[0]["route"] == "/v1/customers/{id}"
        and accesses[0]["status"] == 404
        and accesses[0]["request_id"] == "abc"
    )
    assert accesses[0]["caller"] == shop.keys["read"].split("_")[1] and accesses[1]["status"] == 401
    assert "SECRET" not in json.dumps(lines)


# --- connections ------------------------------------------------------------------------------------------------------


@pytest.fixture
def port(monkeypatch, tmp_path):
    "A server in a thread whose deadlines are short."
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.6)
    monkeypatch.setattr(protocol, "most_connections", lambda: 20)
    app = main.create_app(Settings(data_dir=tmp_path, models_dir=tmp_path, reports_dir=tmp_path))
    with running(app) as port:
        yield port


def talk(port: int, data: bytes, seconds: float = 5) -> bytes:
    "All a server sends until it closes; fails where it keeps the connection open."
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
        s.sendall(data)
        received = b""
        try:
            while more := s.recv(65536):
                received += more
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize("data", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"])  # fmt: skip
def test_whoever_does_not_finish_a_request_is_cut_off(port, data):
    assert talk(port, data) == b""


def test_a_body_that_never_ends_is_not_read_to_its_end(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with pytest.raises(OSError):
            while sent < 100_000_000:
                s.sendall(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")
                sent += 0xFFFF
    assert sent < 20_000_000


def test_two_lengths_of_one_body_are_refused(port):
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = talk(port, head + b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answers.startswith(b"HTTP/1.1 400") and answers.count(b"HTTP/1.1") == 1


def test_idle_connections_leave_room_for_others(port):
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    time.sleep(0.8)
    ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert b"200 OK" in talk(port, ask)
    for s in idle:
        s.close()
