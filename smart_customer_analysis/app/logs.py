"""The log of the server: one JSON line for each request, with its id and without a word of what was asked or answered.

Routes are logged as templates, since addresses hold ids and search words. A person at a terminal sees what went wrong
only.
"""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

access = logging.getLogger("sca.access")
QUIET = ("uvicorn.access",)  # it writes addresses


def set_up(as_json: bool | None = None) -> None:
    """Send the log to stderr; `as_json` None: JSON unless a terminal reads it."""
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO if as_json else logging.WARNING)
    fields = "{asctime}{levelname}{name}{message}" if as_json else "%(asctime)s %(levelname)s %(message)s"
    handler.setFormatter(
        JsonFormatter(fields, style="{", rename_fields={"asctime": "time", "levelname": "level", "name": "logger"})
        if as_json
        else logging.Formatter(fields)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("sca", "smart_customer_analysis"):
        logging.getLogger(name).setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def request_line(request_id: str, method: str, route: str, status: int, seconds: float, caller: str) -> None:
    """Log one request that was answered."""
    level = logging.WARNING if status >= 500 else logging.INFO
    more: dict[str, object] = {"request_id": request_id, "method": method, "route": route, "status": status}
    more |= {"seconds": round(seconds, 4), "caller": caller}
    access.log(level, f"{method} {route} {status}", extra=more)
