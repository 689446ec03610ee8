"""Connections that keep nobody waiting: a request has a deadline, and there are only so many connections.

uvicorn has neither, and a server without them is held by a few hundred clients that say nothing. This is no substitute
for a proxy where the whole internet can reach the server, but a local network needs no more.
"""

import asyncio
from contextlib import suppress

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10  # from the first byte of a request, or from the connection, to the end of its headers
BODY_SECONDS = 60  # to the end of its body
MOST_CONNECTIONS = 1000


def most_connections() -> int:
    """Connections at once: fewer where the system allows few open files, since a model and a database need some."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        return max(16, min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 128))
    return MOST_CONNECTIONS


class Deadline(H11Protocol):
    """HTTP/1.1 with a deadline for each request."""

    waiting: asyncio.TimerHandle | None = None
    part: str = ""  # of the request that is awaited: head or body

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
            return
        self._await("head")

    def data_received(self, data: bytes) -> None:
        if self.waiting is None and self.conn.their_state is h11.IDLE:
            self._await("head")
        super().data_received(data)
        if self.conn.their_state is h11.SEND_BODY:
            self._await("body")
        elif self.conn.their_state is not h11.IDLE:
            self._await("")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:  # kept open: uvicorn's own, shorter time runs until the next first byte
            self._await("")

    def connection_lost(self, exc: Exception | None) -> None:
        self._await("")
        super().connection_lost(exc)

    def _await(self, part: str) -> None:
        """Start the time of a part of the request; empty: nothing is awaited."""
        if part == self.part and part:
            return
        if self.waiting:
            self.waiting.cancel()
        self.part, self.waiting = part, None
        if part:
            seconds = HEAD_SECONDS if part == "head" else BODY_SECONDS
            self.waiting = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self.part, self.waiting = "", None
        if not self.transport.is_closing():
            self.transport.abort()
