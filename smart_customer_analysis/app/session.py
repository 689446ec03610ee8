"""The page's key: sent once, kept in a cookie that no script can read."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from .access import COOKIE, asks_for_keys, sent_key
from .errors import WrongKey
from .routes import ServiceOf

MOST_SECONDS = 30 * 24 * 3600  # the page asks again after a month

routes = APIRouter(prefix="/v1/session", tags=["operation"])


class SessionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Session(BaseModel):
    """Who the page is to the server."""

    model_config = ConfigDict(extra="forbid")
    needed: bool  # whether this server asks for keys
    name: str | None  # of the key in use; null: none
    allows: list[str]  # scopes


async def _session(request: Request, service: ServiceOf, token: str) -> tuple[Session, datetime | None]:
    needed = asks_for_keys(service.settings)
    key = await request.app.state.watcher.run(service.find_key, token) if needed and token else None
    if key is None:
        return Session(needed=needed, name=None, allows=[]), None
    return Session(needed=needed, name=key.name, allows=sorted(key.scopes)), key.expires_at


@routes.get("", summary="Whether a key is needed, and whose is in use")
async def session(request: Request, service: ServiceOf) -> Session:
    return (await _session(request, service, sent_key(request.headers)))[0]


@routes.post("", summary="Keep a key in a cookie of the page", responses={401: {"description": "No such key"}})
async def open_session(
    request: Request, response: Response, service: ServiceOf, body: Annotated[SessionIn, Body()]
) -> Session:
    opened, end = await _session(request, service, body.key)
    if opened.needed and opened.name is None:
        raise WrongKey
    if opened.name is not None:
        left = int((end - datetime.now(UTC)).total_seconds()) if end else MOST_SECONDS
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, body.key, max_age=min(left, MOST_SECONDS), httponly=True, samesite="strict", secure=secure
        )
    return opened


@routes.delete("", status_code=204, summary="Forget the key")
async def close_session(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
