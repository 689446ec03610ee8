"""The page, its assets, rendered reports, the documentation of the API, health and metrics."""

import os
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from smart_customer_analysis.config import ScaError
from smart_customer_analysis.words import LANGUAGES, message_table

from . import schemas as s
from .errors import Busy
from .routes import MetricsOf, ServiceOf

STATIC = Path(__file__).parent / "static"
SWAGGER = STATIC / "vendor" / "swagger-ui-bundle.js"
VIEWS = ("/", "/map", "/segments", "/themes", "/reviews", "/label", "/try", "/reports")
REPORT_CSP = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
KINDS = {
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".geojson": "application/geo+json",
}  # not all systems know them
REPORT_FILES = {".html", ".pdf", ".svg", ".png", ".csv", ".json", ".ipynb"}

Address = str | os.PathLike[str]

pages = APIRouter()


class Files(StaticFiles):
    """A folder that may not be there yet."""

    async def check_config(self) -> None:
        if self.directory is None or not Path(self.directory).is_dir():
            raise HTTPException(404)


class Assets(Files):
    """Files of the page. They carry an ETag; a browser asks again, and mostly hears 304."""

    def file_response(
        self, full_path: Address, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        kept = "vendor" in Path(full_path).parts
        response.headers["Cache-Control"] = "public, max-age=86400" if kept else "no-cache"
        if kind := KINDS.get(Path(full_path).suffix):
            response.headers["Content-Type"] = kind
        return response


class ReportFiles(Files):
    """Rendered reports: sandboxed, since their text comes from reviews. Links out of the folder are not followed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if Path(path).suffix.lower() not in REPORT_FILES or any(part.startswith(".") for part in Path(path).parts):
            raise HTTPException(404)
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: Address, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Content-Security-Policy"] = REPORT_CSP
        response.headers["Cache-Control"] = "private, no-cache"
        if Path(full_path).suffix.lower() not in (".html", ".pdf", ".png"):
            response.headers["Content-Disposition"] = "attachment"
        return response


def _shell() -> Response:
    page = STATIC / "index.html"
    if not page.is_file():
        raise HTTPException(
            404, "The page is not part of this installation; the API is at /v1, its description at /openapi.json."
        )
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


for _view in VIEWS:
    pages.add_api_route(_view, _shell, include_in_schema=False, name=f"page {_view}")


@pages.get("/health", tags=["operation"], summary="The process is alive")
async def health() -> s.Health:
    return s.Health(status="ok")


@pages.get(
    "/ready",
    response_model=s.Ready,
    tags=["operation"],
    summary="Database reachable and migrated; which model",
    responses={503: {"model": s.Ready, "description": "Not ready; the fields say why"}},
)
async def ready(request: Request, service: ServiceOf) -> JSONResponse:
    state = await request.app.state.watcher.run(service.ready)
    if request.app.state.draining:
        state |= {"ready": False}
    return JSONResponse(state, 200 if state["ready"] else 503, {"Cache-Control": "no-store"})


@pages.get("/metrics", include_in_schema=False)
async def metrics(request: Request, service: ServiceOf, counters: MetricsOf) -> Response:
    with suppress(ScaError, Busy):  # without a database the figures of the process are still wanted
        counters.watch(
            service.models.state().removeprefix("loaded, "), await request.app.state.watcher.run(service.watched)
        )
    return Response(generate_latest(counters.registry), media_type=CONTENT_TYPE_LATEST)


@pages.get("/static/words/{language}.json", include_in_schema=False)
def page_words(language: str) -> JSONResponse:
    """The texts of the page in another language: English to translated, or to its forms for one and for more."""
    if language not in LANGUAGES or language == "en":
        raise HTTPException(404)
    return JSONResponse(message_table(language, "page"), headers={"Cache-Control": "no-cache"})


DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>API of smart_customer_analysis</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body>{body}</body></html>"""


@pages.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    """Swagger UI from our own files; without them, a plain page."""
    if not SWAGGER.is_file():
        there = '<a href="/openapi.json">/openapi.json</a>'
        body = f"<main><h1>API</h1><p>The description of the API is at {there}.</p></main>"
        return HTMLResponse(DOCS.format(head="", body=body))
    head = '<link rel="stylesheet" href="/static/vendor/swagger-ui.css">'
    body = (
        '<div id="swagger-ui"></div><script src="/static/vendor/swagger-ui-bundle.js"></script>'
        '<script src="/docs/start.js"></script>'
    )
    return HTMLResponse(DOCS.format(head=head, body=body))


@pages.get("/docs/start.js", include_in_schema=False)
def docs_start() -> Response:
    """Start Swagger UI from a file: the content policy allows no script inside a page."""
    start = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});'
    return Response(start, media_type="text/javascript")


def mount(app: FastAPI, reports_dir: Path) -> None:
    """Attach the page, its assets and the reports."""
    app.include_router(pages)
    app.mount("/static", Assets(directory=STATIC, check_dir=False), name="static")
    app.mount("/reports/files", ReportFiles(directory=reports_dir, check_dir=False), name="report files")
