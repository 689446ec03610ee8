"A mail server on this machine for tests: takes, refuses, hangs or breaks off as asked."

import asyncio
import email.policy
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from email import message_from_bytes

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Box:
    "What arrived, and what the server shall do with the next mail."

    def __init__(self) -> None:
        self.mails: list = []
        self.data: Callable[[], str | None] = lambda: None  # an answer, or None: take it
        self.refused: dict[str, str] = {}  # address to answer
        self.wait = 0.0  # seconds before an answer

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.data()
        if answer == "hang up":
            server.transport.abort()
            return "421 gone"
        if answer is None or answer == "take and hang up":
            mail = message_from_bytes(envelope.original_content, policy=email.policy.default)
            self.mails.append((envelope.rcpt_tos[0], mail))
        if answer == "take and hang up":
            server.transport.abort()
        if self.wait:
            await asyncio.sleep(self.wait)
        return "250 taken" if answer is None else answer

    def of(self, address: str) -> list:
        "Mails to one address."
        return [mail for to, mail in self.mails if to == address]


@contextmanager
def mail_server(user: str = "", password: str = "", tls: object = None) -> Generator[tuple[Box, int]]:
    "Run a server; yields its box and its port."
    box = Box()

    def sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        login = (getattr(data, "login", b""), getattr(data, "password", b""))
        return AuthResult(success=login == (user.encode(), password.encode()), handled=False)

    options: dict = {"hostname": "127.0.0.1", "port": 0, "enable_SMTPUTF8": True}
    if user:
        options |= {"authenticator": sign_in, "auth_required": True, "auth_require_tls": tls is not None}
    if tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}

    class OnAnyPort(Controller):
        def _trigger_server(self) -> None:  # the library asks the port that was wished for, which is 0
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = OnAnyPort(box, **options)
    controller.start()
    try:
        yield box, controller.port
    finally:
        controller.stop(no_assert=True)


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    "Wait until something holds."
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.01)
