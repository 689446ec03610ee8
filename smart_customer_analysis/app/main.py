"""`create_app(settings)` builds the app; `serve(settings)` runs it until it is told to stop."""

import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from smart_customer_analysis import __version__
from smart_customer_analysis.config import ScaError, Settings, load_settings
from smart_customer_analysis.service import Service
from smart_customer_analysis.words import LANGUAGES

from . import errors, logs, pages, schemas, session
from .access import COOKIE, Access, asks_for_keys
from .batches import Batches
from .jobs import Jobs
from .language import PARAMETER, Language
from .middleware import BodyLimit, ETag, Head, Metrics, Shield
from .protocol import Deadline
from .routes import v1
from .workers import EXPLAIN_QUEUE, READ_QUEUE, READ_THREADS, Threads, Workers

ABOUT = """Sentiment, segments, maps and changes of one shop.

Every share comes with a range and the number of reviews it rests on. Groups of few customers are
hidden: their numbers are null. Sentences come in the language of `Accept-Language` or `?lang=`, names that the
shop gave stay as they are.
Errors are problem documents (RFC 9457). `GET` answers carry an `ETag`."""
PROBLEMS = {
    "401": "No key, or one that opens nothing",
    "403": "The key does not allow this",
    "404": "No such address or object",
    "413": "Body too large",
    "422": "A parameter or the body cannot be used",
    "429": "Busy: refused at once, see Retry-After",
    "503": "Database or model not there",
}
DRAIN_SECONDS = 30


def create_app(
    settings: Settings | None = None,  # default: read as everywhere else
    warm: bool = False,  # load the model at start instead of at the first text
) -> FastAPI:
    """Build the app. Nothing is opened before it starts, and it starts without a database: /ready says so."""
    settings = settings or load_settings()
    service, metrics = Service(settings), Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if warm:
            app.state.workers.model.submit(service.warm)
        app.state.batches.start()  # jobs that the last process left
        yield
        app.state.jobs.close()
        await app.state.batches.close()
        for threads in (app.state.workers, app.state.readers, app.state.watcher, app.state.explainer):
            threads.close()
        service.close()

    app = FastAPI(
        title="smart_customer_analysis",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(Shield, metrics=metrics),
            *_cors(settings),
            Middleware(Access, settings=settings, find=service.find_key, views=pages.VIEWS),
            Middleware(Head),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            Middleware(BodyLimit, streamed="/v1/jobs"),
            Middleware(ETag),
            Middleware(Language),
        ],
    )
    app.state.service, app.state.metrics, app.state.draining = service, metrics, False
    app.state.workers = Workers(service.predict, service.count_tokens, timed=metrics.timed)
    app.state.readers = Threads("read", READ_THREADS, READ_QUEUE)
    app.state.watcher = Threads("ready", 1, 8)  # its own: a balancer asks while all reads wait
    app.state.explainer = Threads("explain", 1, EXPLAIN_QUEUE, nice=10)
    app.state.batches = Batches(settings, app.state.workers)
    app.state.jobs = Jobs(service.make_report, service.has_report)
    metrics.held.set_function(lambda: app.state.workers.held)
    metrics.reads.set_function(lambda: app.state.readers.held)
    errors.install(app)
    app.include_router(v1)
    app.include_router(session.routes)
    pages.mount(app, settings.reports_dir)
    app.openapi = lambda: describe(app)
    return app


def _cors(settings: Settings) -> list[Middleware]:
    """Pages of other origins that may ask, with a key in the header; never with the cookie of our page."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if not origins:
        return []
    headers = ["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"]
    shown = ["ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID", "Location"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=headers,
            expose_headers=shown,
            max_age=600,
        )
    ]


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with the problem documents that are really sent."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = document["components"]["schemas"]
    parts["Problem"] = schemas.Problem.model_json_schema()
    for path, operations in document["paths"].items():
        if not path.startswith("/v1"):
            continue
        for method, operation in operations.items():
            statuses = ["401", "403", "404", "422", "429", "503"] + (["413"] if method == "post" else [])
            if method == "get":
                operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/lang"})
            operation["security"] = [{"key": []}, {"page": []}, {}]
            for status in sorted(statuses):
                body = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                operation["responses"][status] = {"description": PROBLEMS[status], "content": body}
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "sca key create; not needed on this machine"},
        "page": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "of POST /v1/session"},
    }
    about = "language of the sentences; default: of Accept-Language, else en"
    lang = {"name": PARAMETER, "in": "query", "required": False, "description": about}
    document["components"]["parameters"] = {"lang": lang | {"schema": {"type": "string", "enum": list(LANGUAGES)}}}
    parts.pop("HTTPValidationError", None)
    parts.pop("ValidationError", None)
    app.openapi_schema = document
    return document


class _Server(uvicorn.Server):
    """Says "not ready" from the moment it is told to stop, while it finishes what it has accepted."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self.app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.app.state.draining = True
        super().handle_exit(sig, frame)


def serve(settings: Settings, announce: Callable[[], None] | None = None) -> None:
    """Listen until SIGTERM or Ctrl-C; a port that is taken is refused before anything is opened or announced."""
    _refuse_without_keys(settings)
    with _bind(settings.host, settings.port) as listener:
        if announce:
            announce()
        # before PyTorch is loaded: its threads sleep between two requests, they would spin on the cores others need
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        logs.set_up()
        run(create_app(settings, warm=True), listener)


def _refuse_without_keys(settings: Settings) -> None:
    """A server that others can reach does not start before there is a key: it would answer nobody, or everybody."""
    if not asks_for_keys(settings):
        return
    service = Service(settings)
    try:
        if service.n_keys() == 0:
            raise ScaError(
                f"a key, since {settings.host} can be reached from other machines"
                if settings.keys == "auto"
                else "a key",
                "none",
                "make one: sca key create NAME --scope read; or serve on 127.0.0.1",
            )
    finally:
        service.close()


def server_config(app: FastAPI) -> uvicorn.Config:
    """How connections are kept."""
    return uvicorn.Config(
        app,
        http=Deadline,
        ws="none",
        loop="asyncio",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=75,  # longer than balancers keep theirs: else they send into a closed connection
    )


def run(app: FastAPI, listener: socket.socket) -> None:
    """Answer on a bound socket; when told to stop, finish what was accepted."""
    with suppress(KeyboardInterrupt):  # Ctrl-C, after everything was answered
        _Server(server_config(app), app).run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    """Take the port, or say who should move."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sends at once only where TCP is named
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as e:
        listener.close()
        reason = getattr(e, "strerror", None) or str(e)
        raise ScaError(
            f"a free port {port} on {host}",
            reason.lower(),
            "stop the other program or choose another port: sca serve --port 8001",
        ) from e
    return listener


if __name__ == "__main__":  # print the description: docs/openapi.json is committed and tested
    import json

    document = create_app(Settings()).openapi()
    print(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False))
