"""Every refusal is a problem document (RFC 9457): plain ASCII, at most 4 kB, and never a word of what was sent."""

import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from smart_customer_analysis.config import ScaError
from smart_customer_analysis.schema import BadParameter, BadQuery, NotFound, NotReady
from smart_customer_analysis.translate import translated
from smart_customer_analysis.words import Words

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
SHOWN_FIELDS = 10  # faults listed in a 422
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_TITLE = {413: "Content Too Large", 422: "Unprocessable Content"}  # Python renamed them in 3.13
_DETAIL = {
    404: "Nothing lives at this address; /docs lists what does.",
    405: "This address does not take that method.",
    422: "The body is not JSON that can be read.",
}


class Busy(Exception):
    """Every worker is taken; the caller may come back after `seconds`."""

    def __init__(self, seconds: int = 1) -> None:
        self.seconds = seconds


class WrongKey(Exception):
    """The key sent opens nothing."""


class Gone(Exception):
    """The caller has closed the connection: nobody waits for an answer, and nothing is wrong here."""


class ProblemResponse(Response):
    """A problem document."""

    media_type = PROBLEM


def problem(
    status: int,
    detail: str,
    request_id: str = "",
    kind: str = "about:blank",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Build a problem document; `kind` is a stable name that a program can branch on."""
    title = _TITLE.get(status) or HTTPStatus(status).phrase
    body = {"type": kind, "title": title, "status": status, "detail": detail[:1000], "request_id": request_id}
    return ProblemResponse(json.dumps(body | more, ensure_ascii=True), status, headers)


def _id(request: Request) -> str:
    return request.scope.get("request_id", "")


def _in_language(request: Request, text: str) -> str:
    """Write a text in the language of the caller; one that no catalogue has stays English."""
    return translated(text, Words(request.scope.get("language", "en")))


def _place(error: Mapping[str, Any]) -> str:
    """Name the faulty field without repeating a name that the caller made up."""
    parts = list(error["loc"])[1:]
    if error["type"] == "extra_forbidden" and parts:
        parts[-1] = "unknown name"
        return ".".join(str(p) for p in parts)
    known = [str(p) if isinstance(p, int) or _FIELD.fullmatch(str(p)) else "?" for p in parts]
    return ".".join(known) or str(error["loc"][0] if error["loc"] else "request")


async def invalid(request: Request, error: RequestValidationError) -> Response:
    """422: which field, and what was expected of it."""
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return problem(422, _DETAIL[422], _id(request), "urn:sca:invalid")
    faults = [
        {"field": _place(e)[:120], "message": e["msg"].removeprefix("Value error, ")[:200]}
        for e in error.errors()[:SHOWN_FIELDS]
    ]
    detail = "; ".join(f"{f['field']}: {f['message']}" for f in faults[:3])
    return problem(422, detail, _id(request), "urn:sca:invalid", errors=faults)


async def http_error(request: Request, error: HTTPException) -> Response:
    """404, 405 and the like. FastAPI says 400 for a body it cannot parse; that is a 422 like any other bad body."""
    status = 422 if error.status_code == 400 else error.status_code
    plain = error.detail == HTTPStatus(error.status_code).phrase or error.status_code == 400
    detail = _DETAIL[status] if plain and status in _DETAIL else str(error.detail)
    return problem(status, detail, _id(request), headers=error.headers)


async def busy(request: Request, error: Busy) -> Response:
    """429: refused at once, not queued."""
    headers = {"Retry-After": str(error.seconds)}
    detail = _in_language(request, f"Busy; try again in {error.seconds} s.")
    return problem(429, detail, _id(request), "urn:sca:busy", headers)


async def wrong_key(request: Request, error: WrongKey) -> Response:
    """401: unknown, ended and revoked keys are told apart for nobody."""
    headers = {"WWW-Authenticate": "Bearer"}
    detail = _in_language(request, "This key opens nothing; ask for another.")
    return problem(401, detail, _id(request), "urn:sca:key", headers)


async def gone(request: Request, error: Gone) -> Response:
    """499, as nginx counts it: nothing is sent, the log stays quiet, the metrics see it."""
    return Response(status_code=499)


async def refused(request: Request, error: ScaError) -> Response:
    """Errors of the library, by what they mean for the caller."""
    status, kind = next(((s, k) for c, s, k in _STATUS if isinstance(error, c)), (500, "urn:sca:error"))
    log.log(logging.WARNING if status >= 500 else logging.INFO, "request %s refused: %s", _id(request), error)
    # what was found stays in the log: it may be the caller's own words, or the address of the database
    detail = (
        f"Expected {error.expected}. Next: {error.next_step}."
        if status != 500
        else "This is a fault of the program; the log has it."
    )
    headers = {"Retry-After": "5"} if status == 503 else None
    more: dict[str, object] = {}
    if isinstance(error, BadParameter):
        more = {"expected": error.expected[:1000], "found": error.found, "next": error.next_step}
        more["errors"] = [{"field": error.name, "message": f"Expected {error.expected}."[:1000]}]
        detail = f"{error.name}: expected {error.expected}. Next: {error.next_step}."
    return problem(status, _in_language(request, detail), _id(request), kind, headers, **more)


_STATUS = [
    (NotFound, 404, "urn:sca:not-found"),
    (BadQuery, 422, "urn:sca:invalid"),
    (NotReady, 503, "urn:sca:not-ready"),
]


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(HTTPException)(http_error)
    app.exception_handler(Busy)(busy)
    app.exception_handler(Gone)(gone)
    app.exception_handler(WrongKey)(wrong_key)
    app.exception_handler(ScaError)(refused)
