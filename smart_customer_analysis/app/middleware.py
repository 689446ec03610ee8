"""Pure ASGI wrappers. Starlette's BaseHTTPMiddleware is not used: it hides that a client has gone away."""

import hashlib
import logging
import re
import time
import uuid
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import problem
from .logs import request_line

log = logging.getLogger(__name__)
MAX_BODY = 1_000_000  # bytes
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; worker-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PASS_BUCKETS = (64, 128, 256, 512, 1024, 2048, 4096)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Metrics:
    """Prometheus figures of one app, in their own registry."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        labels = ["method", "route"]
        self.requests = Counter("sca_http_requests_total", "Requests answered", [*labels, "status"], registry=registry)
        self.seconds = Histogram("sca_http_request_seconds", "Time to answer", labels, registry=registry)
        self.in_flight = Gauge("sca_http_requests_in_flight", "Requests being answered", registry=registry)
        self.predicted = Counter("sca_predicted_texts_total", "Texts the model has read", registry=registry)
        self.tokenise = Histogram("sca_tokenise_seconds", "Time to count the tokens of a request", registry=registry)
        self.infer = Histogram("sca_infer_seconds", "Time of one pass of the model", registry=registry)
        self.tokens = Histogram("sca_pass_tokens", "Tokens of one pass", buckets=PASS_BUCKETS, registry=registry)
        self.held = Gauge("sca_predict_tokens_held", "Tokens waiting or being read", registry=registry)
        self.reads = Gauge("sca_reads_held", "Reads waiting or being answered", registry=registry)
        self.model = Gauge("sca_model_info", "The model in force", ["version"], registry=registry)
        self.since = Gauge("sca_seconds_since", "Since the last one that went well", ["what"], registry=registry)
        self.undelivered = Gauge("sca_reports_undelivered", "Reports waiting to be sent", registry=registry)
        ProcessCollector(registry=registry)

    def timed(self, what: str, seconds: float, tokens: int) -> None:
        """Count one piece of the model's work: tokenise or infer."""
        if what == "infer":
            self.infer.observe(seconds)
            self.tokens.observe(tokens)
        else:
            self.tokenise.observe(seconds)

    def watch(self, model: str, figures: Mapping[str, float]) -> None:
        """Take over what the service says of the model and of the last load, close and report."""
        self.model.clear()
        self.model.labels(model).set(1)
        for what in ("load", "close", "report"):
            if what in figures:
                self.since.labels(what).set(figures[what])
        self.undelivered.set(figures.get("undelivered", 0))


def _route(scope: Scope) -> str:
    """The route's template, never the address itself: addresses hold ids, and there are too many of them."""
    root = scope.get("root_path", "")
    path = getattr(scope.get("route"), "path", None)
    return f"{root}{path}" if path else "other"


class Shield:
    """Give each request an id, each answer the security headers, each fault a problem document; and time it all."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        sent = Headers(scope=scope).get("x-request-id", "")
        scope["request_id"] = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        status, started = 0, time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = scope["request_id"]
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        self.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, send_on)
        except Exception:
            log.exception("request %s failed", scope["request_id"])
            if status:
                raise
            await problem(500, "This is a fault of the program; the log has it.", scope["request_id"])(
                scope, receive, send_on
            )
        finally:
            self.metrics.in_flight.dec()
            method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "OTHER"
            route, seconds = _route(scope), time.perf_counter() - started
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(method, route).observe(seconds)
            request_line(scope["request_id"], method, route, status, seconds, scope.get("caller", ""))


class Head:
    """Answer HEAD as GET without a body: balancers and `curl -I` ask so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                await send({"type": "http.response.body", "body": b""})
            else:
                await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_on)


class BodyLimit:
    """Refuse a body over `limit` bytes with 413, by its stated length or while it streams in."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, streamed: str = "") -> None:
        self.app, self.limit, self.streamed = app, limit, streamed  # its route counts for itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers, request_id, close = Headers(scope=scope), scope.get("request_id", ""), {"Connection": "close"}
        if "content-length" in headers and "transfer-encoding" in headers:  # which of them counts is an old trick
            return await problem(400, "Two lengths of one body.", request_id, "urn:sca:invalid", close)(
                scope, receive, send
            )
        if self.streamed and scope["path"] == self.streamed:
            return await self.app(scope, receive, send)
        detail = f"The body is larger than {self.limit:,} bytes."
        too_large = problem(413, detail, request_id, "urn:sca:too-large", close)  # the rest of it is not read
        stated = headers.get("content-length", "0")
        if not stated.isascii() or not stated.isdigit() or len(stated) > 15 or int(stated) > self.limit:
            return await too_large(scope, receive, send)
        chunks, read, more = [], 0, True
        while more:  # bodies are small: read them whole, here, where the limit is
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            read += len(message.get("body", b""))
            if read > self.limit:
                return await too_large(scope, receive, send)
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        body: Message | None = {"type": "http.request", "body": b"".join(chunks), "more_body": False}

        async def replay() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            first, body = body, None
            return first

        await self.app(scope, replay, send)


class ETag:
    """Answer a repeated GET under `prefix` with 304 when nothing has changed."""

    def __init__(self, app: ASGIApp, prefix: str = "/v1/") -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] not in ("GET", "HEAD")
            or not scope["path"].startswith(self.prefix)
        ):
            return await self.app(scope, receive, send)
        known = {t.strip().removeprefix("W/") for t in Headers(scope=scope).get("if-none-match", "").split(",")}
        start: Message = {}
        body = bytearray()

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = MutableHeaders(scope=start)
            headers["Cache-Control"] = "private, no-cache"
            if start["status"] == 200:
                tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
                headers["ETag"] = f"W/{tag}"  # weak: compression may change the bytes
                if tag in known or "*" in known:
                    del headers["content-length"]
                    start["status"] = 304
                    body.clear()
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})

        await self.app(scope, receive, hold)
