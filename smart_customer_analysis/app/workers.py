"""Threads behind the routes. One runs the model, one explains, one counts tokens, two answer reads: a slow kind of
request holds up its own kind only. What does not fit is refused at once.

Predictions are counted in tokens, since tokens are what they cost. Requests that arrive together share a pass; callers
take turns, so that one who sends much waits for it alone; nothing is computed for a caller who has gone.
"""

import asyncio
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, TypeVarTuple

from smart_customer_analysis.schema import BadQuery

from .errors import Busy

PASS_TOKENS = 2048  # of one pass, as the model reads at once; between two passes callers take turns
PIECE_TOKENS = 1024  # most of one request in a pass while others wait; a longer text goes alone
TEXT_TOKENS = 4096  # most of one text: about 20,000 characters of words, 4,096 of signs
CALL_TOKENS = 16_384  # most of one request
CHARACTERS = 5  # of a token, about
QUEUE_TOKENS = 32_768  # waiting or being read; a few seconds of work
EXPLAIN_QUEUE = 8  # explanations waiting or being made
READ_THREADS = 2  # more would take the processor from the model: Python runs one of them at a time
READ_QUEUE = 64  # reads waiting or being answered

Answer = Mapping[str, Any]  # one prediction, as the service words it
T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Threads:
    """A few threads and a bounded queue in front of them."""

    def __init__(self, name: str, threads: int, queue: int, nice: int = 0) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=_lower, initargs=(nice,))
        self.queue, self.held = queue, 0

    async def run(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Run a function on one of the threads; raises `Busy` where the queue is full."""
        if self.held >= self.queue:
            raise Busy()
        self.held += 1
        try:  # a caller who leaves before it has started takes it out of the queue
            return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)
        finally:
            self.held -= 1

    def close(self) -> None:
        """Stop after what is being done."""
        self.pool.shutdown(wait=True, cancel_futures=True)


def _lower(nice: int) -> None:
    """Let more urgent threads go first. Linux keeps a priority per thread; elsewhere nothing happens."""
    if nice and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


@dataclass
class Call:
    """What one request asks."""

    texts: list[str]
    limit: float | None  # error the answers must keep
    done: asyncio.Future[list[Answer]]
    answers: list[Answer] = field(default_factory=list)


@dataclass
class Piece:
    """Texts of one request that are read in one pass."""

    call: Call
    texts: list[str]
    tokens: int
    is_last: bool


class Workers:
    """A bounded queue in front of the model."""

    def __init__(
        self,
        predict: Callable[[list[str], float | None], Sequence[Answer]],
        count: Callable[[list[str]], list[int]],  # tokens of each text
        queue: int = QUEUE_TOKENS,
        budget: int = PASS_TOKENS,
        timed: Callable[[str, float, int], None] = lambda what, seconds, tokens: None,  # hears of each piece of work
    ) -> None:
        self.predict, self.count, self.queue, self.budget, self.timed = predict, count, queue, budget, timed
        self.model, self.tokens = (ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("model", "tokens"))
        self.held = 0  # tokens between acceptance and answer
        self.guessed = 0  # tokens of requests that are being counted, by their characters
        self.waiting: OrderedDict[str, deque[Piece]] = OrderedDict()  # by caller, in turn
        self.worker: asyncio.Task[None] | None = None

    async def read(
        self, texts: list[str], limit: float | None, caller: str = "", patient: bool = False
    ) -> list[Answer]:
        """Predictions of `texts`, all from one model. Raises `Busy` where the queue is full and the caller is not
        `patient`, `BadQuery` for more tokens than one request may have."""
        guess = sum(map(len, texts)) // CHARACTERS
        if self.held and self.held + self.guessed + guess > self.queue and not patient:
            raise Busy()  # at once, not after the tokens of all before it are counted
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        self.guessed += guess
        try:
            tokens = await loop.run_in_executor(self.tokens, self.count, texts)
        finally:
            self.guessed -= guess
        self.timed("tokenise", time.perf_counter() - started, sum(tokens))
        cost = _checked(tokens)
        if self.held and self.held + cost > self.queue and not patient:
            raise Busy()
        call = Call(texts, limit, loop.create_future())
        self.held += cost
        try:
            answers = await self._answer(call, tokens, caller)
            while len({a.get("model") for a in answers}) > 1:  # another model came in force between two passes
                call = Call(texts, limit, loop.create_future())
                answers = await self._answer(call, tokens, caller)
            return answers
        finally:  # also when the caller has gone away: the room comes back, what was not read is skipped
            self.held -= cost
            call.done.cancel()

    async def _answer(self, call: Call, tokens: list[int], caller: str) -> list[Answer]:
        self.waiting.setdefault(caller, deque()).extend(_cut(call, tokens, min(self.budget, PIECE_TOKENS)))
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self._work())
        return await call.done

    def _next(self) -> list[Piece]:
        """Pieces of one pass: one of each caller in turn, as long as they fit and keep the same error limit."""
        pieces: list[Piece] = []
        room, passed = self.budget, 0
        while self.waiting and passed < len(self.waiting):
            caller, line = next(iter(self.waiting.items()))
            while line and line[0].call.done.done():
                line.popleft()
            if not line:
                del self.waiting[caller]
                continue
            self.waiting.move_to_end(caller)
            first = line[0]
            if pieces and (first.tokens > room or first.call.limit != pieces[0].call.limit):
                passed += 1
                continue
            pieces.append(line.popleft())
            room, passed = room - first.tokens, 0
        return pieces

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while pieces := self._next():
            texts = [text for piece in pieces for text in piece.texts]
            started = time.perf_counter()
            try:
                answers = iter(await loop.run_in_executor(self.model, self.predict, texts, pieces[0].call.limit))
                results = [[next(answers) for _ in piece.texts] for piece in pieces]
                self.timed("infer", time.perf_counter() - started, sum(piece.tokens for piece in pieces))
            except Exception as error:  # every request of the pass hears of it
                for piece in pieces:
                    if not piece.call.done.done():
                        piece.call.done.set_exception(error)
                continue
            for piece, result in zip(pieces, results, strict=True):
                piece.call.answers.extend(result)
                if piece.is_last and not piece.call.done.done():
                    piece.call.done.set_result(piece.call.answers)

    def close(self) -> None:
        """Stop the threads after what they are doing."""
        for pool in (self.model, self.tokens):
            pool.shutdown(wait=True, cancel_futures=True)


def _checked(tokens: list[int]) -> int:
    """Tokens of a request; raises `BadQuery` for more than it may have."""
    longest = max(range(len(tokens)), key=tokens.__getitem__)
    if tokens[longest] > TEXT_TOKENS:
        expected = f"at most {TEXT_TOKENS:,} tokens in a text"
        raise BadQuery(expected, f"{tokens[longest]:,} in text {longest}", "shorten the text")
    if sum(tokens) > CALL_TOKENS:
        found, next_step = f"{sum(tokens):,}", "send fewer texts at once, or a job: POST /v1/jobs"
        raise BadQuery(f"at most {CALL_TOKENS:,} tokens in a request", found, next_step)
    return max(1, sum(tokens))


def _cut(call: Call, tokens: list[int], budget: int) -> list[Piece]:
    """Cut a request into pieces that fit a pass, in the order of its texts."""
    ends, size = [], 0
    for i, n in enumerate(tokens):
        if size and size + n > budget:
            ends.append(i)
            size = 0
        size += n
    ends.append(len(tokens))
    starts = [0, *ends[:-1]]
    return [Piece(call, call.texts[a:b], sum(tokens[a:b]), b == len(tokens)) for a, b in zip(starts, ends, strict=True)]
