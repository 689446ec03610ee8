"""Who may ask: names of the server, keys and their scopes, requests a minute.

A server that listens on this machine alone asks for no key. Any other does, and does not start without one. The page
sends its key once (`POST /v1/session`) and gets a cookie that no script can read.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smart_customer_analysis.config import ScaError, Settings
from smart_customer_analysis.service import Key

from .errors import problem
from .workers import Threads

COOKIE = "sca_key"
FAILURES = 20  # wrong keys a minute from one address
KEPT_SECONDS = 5  # a key that was found is believed; one that is revoked opens nothing after that
KEPT_KEYS = 1000
OPEN = ("/health", "/ready", "/docs", "/docs/start.js", "/openapi.json", "/v1/session")  # and the page's own files
PREDICT = ("/v1/predict", "/v1/explain", "/v1/jobs")


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine only."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def asks_for_keys(settings: Settings) -> bool:
    """Whether requests need a key."""
    return settings.keys == "always" or not is_loopback(settings.host)


def names_of(settings: Settings) -> frozenset[str] | None:
    """Names the server answers to; None: any. Without keys a name of another machine is refused, since a web page
    could otherwise have its own name point here and read what it likes (DNS rebinding)."""
    named = {name.strip().lower() for name in settings.hosts.split(",") if name.strip()}
    if not named and asks_for_keys(settings):
        return None
    return frozenset(named | {"localhost", "127.0.0.1", "[::1]", settings.host.lower()})


def scope_for(method: str, path: str, views: tuple[str, ...] = ("/",)) -> str | None:
    """Scope a request needs; None: it is open to all. Whatever is not named here needs `admin`."""
    if path in OPEN or path in views or path.startswith("/static/"):
        return None
    if any(path == p or path.startswith(f"{p}/") for p in PREDICT):
        return "predict"
    if path == "/v1/labels" or path.startswith("/v1/labels/") or path == "/v1/theme-edits":
        return "label"
    if path.startswith(("/v1/", "/reports/files/")):
        return "read" if method in ("GET", "HEAD") else "report"
    return "admin"


class Access:
    """Refuse by name, key, scope and rate, before anything is read."""

    def __init__(
        self, app: ASGIApp, settings: Settings, find: Callable[[str], Key | None], views: tuple[str, ...]
    ) -> None:
        self.app, self.find, self.views = app, find, views
        self.names, self.asks = names_of(settings), asks_for_keys(settings)
        self.rate = RateLimitItemPerMinute(settings.requests_per_minute) if settings.requests_per_minute else None
        self.failures = RateLimitItemPerMinute(FAILURES)
        self.limiter = MovingWindowRateLimiter(MemoryStorage())
        self.known: OrderedDict[str, tuple[float, Key]] = OrderedDict()
        self.threads = Threads("keys", 1, 64)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        refusal, extra = await self._decide(scope, headers)
        if refusal:
            return await refusal(scope, receive, send)

        async def send_on(message: Message) -> None:
            if extra and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(extra)
            await send(message)

        await self.app(scope, receive, send_on)

    async def _decide(self, scope: Scope, headers: Headers) -> tuple[ASGIApp | None, dict[str, str]]:
        """A refusal or none, and headers for the answer."""
        request_id, address = scope.get("request_id", ""), (scope.get("client") or ("",))[0]

        def refuse(status: int, detail: str, kind: str, **more: str) -> tuple[ASGIApp, dict[str, str]]:
            return problem(status, detail, request_id, kind, {"Connection": "close", **more}), {}

        name = headers.get("host", "").lower()
        if self.names is not None and name.rsplit(":", 1)[0] not in self.names and name not in self.names:
            return refuse(421, "This server has another name; the setting `hosts` lists its names.", "urn:sca:host")
        need = scope_for(scope["method"], scope["path"], self.views)
        if not self.asks or need is None or scope["method"] == "OPTIONS":
            return None, {}
        if not self.limiter.test(self.failures, "failed", address):
            return refuse(429, "Too many wrong keys; try again in a minute.", "urn:sca:busy", **{"Retry-After": "60"})
        try:
            key = await self._key(sent_key(headers))
        except ScaError:
            detail = "Keys cannot be checked: the database is not there."
            return refuse(503, detail, "urn:sca:not-ready", **{"Retry-After": "5"})
        if key is None:
            self.limiter.hit(self.failures, "failed", address)
            detail = "A key is needed: Authorization: Bearer <key>. Make one: sca key create."
            return refuse(401, detail, "urn:sca:key", **{"WWW-Authenticate": "Bearer"})
        scope["caller"] = key.key_id
        if not key.allows(need):
            return refuse(403, f"This key does not allow `{need}`.", "urn:sca:scope")
        if not self.rate:
            return None, {}
        allowed = self.limiter.hit(self.rate, "key", key.key_id)
        left = self.limiter.get_window_stats(self.rate, "key", key.key_id)
        seconds = max(1, round(left.reset_time - time.time()))
        rate_headers = {
            "RateLimit-Policy": f'"key";q={self.rate.amount};w=60',
            "RateLimit": f'"key";r={left.remaining};t={seconds}',
        }
        if not allowed:
            detail = f"More than {self.rate.amount} requests a minute; try again in {seconds} s."
            return refuse(429, detail, "urn:sca:rate", **rate_headers, **{"Retry-After": str(seconds)})
        return None, rate_headers

    async def _key(self, token: str) -> Key | None:
        """The key, asked of the database every few seconds at most. Wrong ones are not kept: there are too many."""
        if not token:
            return None
        when, key = self.known.get(token, (0.0, None))
        if key is None or time.monotonic() - when > KEPT_SECONDS:
            self.known.pop(token, None)
            key = await self.threads.run(self.find, token)
            if key:
                self.known[token] = (time.monotonic(), key)
            while len(self.known) > KEPT_KEYS:
                self.known.popitem(last=False)
        return key


def sent_key(headers: Mapping[str, str]) -> str:
    """What the caller sent as a key: the header first, else the cookie of the page; empty: nothing."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
