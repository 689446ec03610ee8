"""Many texts at once, as a job: lines of JSON in, lines of JSON out, in the same order.

A job is a folder, so that a kill loses nothing: what was answered stays, and the next start goes on behind it. One
process works on the jobs, whichever has the lock. Their texts take turns with those of everybody else.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

from smart_customer_analysis.config import ScaError, Settings
from smart_customer_analysis.schema import BadQuery, NotFound, NotReady

from .errors import Busy
from .workers import Workers

log = logging.getLogger(__name__)
MOST_BYTES = 100_000_000  # of one job
MOST_LINES = 200_000
MOST_OPEN = 20  # jobs waiting or being worked on
KEPT_DAYS, KEPT_JOBS = 7, 200  # a job and its answers: so long, and so many that have ended
TEXTS, CHARACTERS = 64, 16_000  # of one step; a step is what a kill repeats
LONGEST = 10_000  # characters of a text
OPEN = ("waiting", "running")


class Batches:
    """The jobs of a server."""

    def __init__(self, settings: Settings, workers: Workers) -> None:
        self.folder, self.workers = settings.data_dir / "jobs", workers
        self.hooks = tuple(p.strip() for p in settings.webhooks.split(",") if p.strip())
        self.task: asyncio.Task[None] | None = None

    # --- asked by the routes ------------------------------------------------------------------------------------------

    async def take(
        self, lines: AsyncIterator[bytes], owner: str, key: str, max_error: float | None, hook: str | None
    ) -> dict[str, Any]:
        """Keep a job; the same `key` of the same owner is the same job. Raises `Busy`, `BadQuery`."""
        if hook is not None and not hook.startswith(self.hooks or ("\0",)):
            raise BadQuery("a webhook that starts as the setting `webhooks` says", "another", "ask the operator")
        id = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()[:32] if key else uuid.uuid4().hex
        if (self.folder / id / "job.json").exists():
            return self._state(id)
        if sum(job["status"] in OPEN for job in await asyncio.to_thread(self._all)) >= MOST_OPEN:
            raise Busy(30)
        part = self.folder / f".{uuid.uuid4().hex}"
        part.mkdir(parents=True)
        try:
            n_lines, digest = await _keep(lines, part / "input.ndjson")
            state: dict[str, Any] = {"id": id, "owner": owner, "status": "waiting", "lines": n_lines, "sha256": digest}
            state |= {"max_error": max_error, "webhook": hook, "created_at": time.time(), "error": None}
            _write(part / "job.json", state)
            with contextlib.suppress(FileExistsError, OSError):  # two requests with one key: the first stays
                part.rename(self.folder / id)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self.start()
        return self._state(id)

    def get(self, id: str, owner: str) -> dict[str, Any]:
        """State of a job; raises `NotFound` for one of somebody else as well."""
        if not id.isalnum() or not (self.folder / id / "job.json").exists() or self._state(id)["owner"] != owner:
            raise NotFound("a job of yours that is kept", "none of that id", "jobs are kept for a week")
        return self._state(id)

    def result(self, id: str, owner: str) -> Path:
        """File of the answers; raises `NotReady` until the job is done."""
        if self.get(id, owner)["status"] != "done":
            raise NotReady("a job that is done", "another", f"ask /v1/jobs/{id} how far it is")
        return self.folder / id / "output.ndjson"

    def drop(self, id: str, owner: str) -> None:
        """Stop a job and forget it."""
        self.get(id, owner)
        shutil.rmtree(self.folder / id, ignore_errors=True)

    def _state(self, id: str) -> dict[str, Any]:
        state = json.loads((self.folder / id / "job.json").read_text("utf-8"))
        with contextlib.suppress(FileNotFoundError):
            state["done"] = state["lines"] if state["status"] == "done" else _count(self.folder / id / "output.part")
        return {"done": 0, **state}

    def _all(self) -> list[dict[str, Any]]:
        """States of all jobs, oldest first."""
        states = []
        for path in self.folder.glob("[!.]*/job.json"):
            with contextlib.suppress(OSError, ValueError):  # dropped in this moment
                states.append(json.loads(path.read_text("utf-8")))
        return sorted(states, key=lambda s: (s["created_at"], s["id"]))

    # --- the work -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Work on the jobs that wait, if no other process does. Called at start and with each new job."""
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Stop; what was answered stays."""
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _work(self) -> None:
        if not self.folder.is_dir():
            return
        with _lock(self.folder / ".lock") as is_mine:
            while is_mine:
                jobs = await asyncio.to_thread(self._clean)
                job = next((j for j in jobs if j["status"] in OPEN), None)
                if job is None:
                    return
                await self._do(job)

    async def _do(self, job: dict[str, Any]) -> None:
        folder = self.folder / job["id"]
        job |= {"status": "running"}
        try:
            _write(folder / "job.json", job)
            await self._answer(folder, job["max_error"])
            os.replace(folder / "output.part", folder / "output.ndjson")
            job |= {"status": "done"}
        except FileNotFoundError:
            return  # dropped
        except ScaError as e:
            job |= {"status": "failed", "error": f"Expected {e.expected}. Next: {e.next_step}."}
        except Exception:
            log.exception("job %s failed", job["id"])
            job |= {"status": "failed", "error": "This is a fault of the program; the log has it."}
        with contextlib.suppress(FileNotFoundError):
            _write(folder / "job.json", job)
        if job["webhook"]:
            await asyncio.to_thread(_call, job["webhook"], {k: job[k] for k in ("id", "status", "lines", "error")})

    async def _answer(self, folder: Path, max_error: float | None) -> None:
        """Answer the lines that have no answer yet."""
        output = folder / "output.part"
        _cut_half_line(output)
        answered = _count(output)
        with (folder / "input.ndjson").open(encoding="utf-8") as lines, output.open("a", encoding="utf-8") as out:
            for _ in range(answered):
                next(lines)
            for step in _steps(lines, answered):
                answers = await self._step(step, max_error)
                if not (folder / "job.json").exists():
                    raise FileNotFoundError
                out.write("".join(json.dumps(a, ensure_ascii=False) + "\n" for a in answers))
                out.flush()
                os.fsync(out.fileno())

    async def _step(self, step: list[dict[str, Any]], max_error: float | None) -> list[dict[str, Any]]:
        good = [line for line in step if "error" not in line]
        try:
            predictions = await self.workers.read([g["text"] for g in good], max_error, "jobs", True) if good else []
        except BadQuery as e:
            if len(good) > 1:  # which of them is it?
                return [answer for line in step for answer in await self._step([line], max_error)]
            return [{k: v for k, v in step[0].items() if k != "text"} | {"error": f"expected {e.expected}"}]
        answers = iter(predictions)
        return [
            {k: v for k, v in line.items() if k != "text"} | ({} if "error" in line else dict(next(answers)))
            for line in step
        ]

    def _clean(self) -> list[dict[str, Any]]:
        """Remove jobs that are over for a week or are too many, and what a killed upload left; return the others."""
        jobs = self._all()
        ended = [job for job in jobs if job["status"] not in OPEN]
        for i, job in enumerate(ended, 1):
            if len(ended) - i >= KEPT_JOBS or time.time() - job["created_at"] > KEPT_DAYS * 24 * 3600:
                shutil.rmtree(self.folder / job["id"], ignore_errors=True)
        for part in self.folder.glob(".*"):
            if part.is_dir() and time.time() - part.stat().st_mtime > 3600:
                shutil.rmtree(part, ignore_errors=True)
        return jobs


async def _keep(chunks: AsyncIterator[bytes], path: Path) -> tuple[int, str]:
    """Write what arrives, and count its lines."""
    size, n_lines, last, digest = 0, 0, b"\n", hashlib.sha256()
    with path.open("wb") as out:
        async for chunk in chunks:
            size, n_lines = size + len(chunk), n_lines + chunk.count(b"\n")
            if size > MOST_BYTES or n_lines > MOST_LINES:
                raise BadQuery(f"at most {MOST_LINES:,} lines and {MOST_BYTES:,} bytes", "more", "send several jobs")
            digest.update(chunk)
            await asyncio.to_thread(out.write, chunk)
            last = chunk[-1:] or last
        if last != b"\n":
            out.write(b"\n")
            n_lines += 1
    if not n_lines:
        raise BadQuery('lines like {"id": "r1", "text": "It came late."}', "none", "send one line for each text")
    return n_lines, digest.hexdigest()


def _steps(lines: TextIO, answered: int) -> Iterator[list[dict[str, Any]]]:
    """Lines that are read together."""
    step: list[dict[str, Any]] = []
    size = 0
    for n, line in enumerate(lines, answered + 1):
        step.append(_parsed(n, line))
        size += len(step[-1].get("text", ""))
        if len(step) == TEXTS or size > CHARACTERS:
            yield step
            step, size = [], 0
    if step:
        yield step


def _parsed(n: int, line: str) -> dict[str, Any]:
    """One line: its number, its id, and its text or what is wrong with it."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {"line": n, "error": "expected a JSON object"}
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return {"line": n, "error": "expected an object with a text"}
    id = value.get("id")
    about = {"line": n} | ({"id": id} if isinstance(id, str | int) and len(str(id)) <= 200 else {})
    if len(value["text"]) > LONGEST:
        return about | {"error": f"expected at most {LONGEST:,} characters"}
    return about | {"text": value["text"]}


def _count(path: Path) -> int:
    """Whole lines of a file; none where it is not there."""
    if not path.exists():
        return 0
    with path.open("rb") as f:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))


def _cut_half_line(path: Path) -> None:
    """Take off what a kill left of a line."""
    if path.exists():
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            with path.open("r+b") as f:
                f.truncate(data.rfind(b"\n") + 1)


def _write(path: Path, state: dict[str, Any]) -> None:
    """Replace a file at once."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state), encoding="utf-8")
    os.replace(part, path)


@contextlib.contextmanager
def _lock(path: Path) -> Generator[bool]:
    """Whether this process may work; True where the system knows no such lock."""
    try:
        import fcntl
    except ImportError:  # Windows: one process is all there is
        yield True
        return
    with path.open("w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _call(address: str, body: dict[str, Any]) -> None:
    """Tell a webhook that a job has ended; three tries."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    for wait in (0, 5, 30):
        time.sleep(wait)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=10):
                return
        except OSError as e:
            reason = type(e).__name__
    log.warning("webhook of job %s was not reached: %s", body["id"], reason)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook stays where the operator allowed it."""

    def redirect_request(self, *args: object, **more: object) -> None:
        return None
