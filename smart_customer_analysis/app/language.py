"""In which language the sentences of an answer are: `?lang=pt`, else `Accept-Language`, else English."""

from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smart_customer_analysis.words import LANGUAGES

from .errors import problem

PARAMETER = "lang"


def preferred(header: str) -> str:
    """The first language of `Accept-Language` that there are words for; English where there is none."""
    wanted = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, options = part.strip().partition(";")
        quality = options.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        wanted.append((-weight, place, tag.lower().partition("-")[0]))
    return next((tag for weight, _, tag in sorted(wanted) if weight and tag in LANGUAGES), "en")


class Language:
    """Take the language of a request under `prefix` out of its address or its header, and say it in the answer."""

    def __init__(self, app: ASGIApp, prefix: str = "/v1/") -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self.prefix):
            return await self.app(scope, receive, send)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        values = [value for name, value in query if name == PARAMETER]
        if values and values[-1] not in LANGUAGES:
            detail = f"lang: expected one of {', '.join(LANGUAGES)}"
            return await problem(422, detail, scope.get("request_id", ""), "urn:sca:invalid")(scope, receive, send)
        if values:
            rest = urlencode([(name, value) for name, value in query if name != PARAMETER])
            scope = {**scope, "query_string": rest.encode("latin-1")}
        scope["language"] = values[-1] if values else preferred(Headers(scope=scope).get("accept-language", ""))

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Language", scope["language"])
                headers.add_vary_header("Accept-Language")
            await send(message)

        await self.app(scope, receive, send_on)
