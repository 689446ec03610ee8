"""One thread runs the model; requests that arrive together share a pass, and what does not fit is refused at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, TypeVarTuple

from .errors import Busy

QUEUE = 96  # texts waiting or being read; more are refused
BATCH = 32  # texts in one pass

Answer = Mapping[str, Any]  # one prediction, as the service words it
Texts = tuple[list[str], asyncio.Future[list[Answer]]]  # what one request asks, and where its answer goes
T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Workers:
    """A bounded queue in front of the model."""

    def __init__(
        self, predict: Callable[[list[str], float | None], Sequence[Answer]], queue: int = QUEUE, batch: int = BATCH
    ) -> None:
        self.predict, self.queue, self.batch = predict, queue, batch
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.held = 0  # texts between acceptance and answer
        self.waiting: deque[tuple[list[str], float | None, asyncio.Future[list[Answer]]]] = deque()
        self.worker: asyncio.Task[None] | None = None

    async def read(self, texts: list[str], max_error: float | None) -> list[Answer]:
        """Predictions of `texts`; raises `Busy` where the queue is full."""
        self._take(len(texts))
        done: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self.waiting.append((texts, max_error, done))
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self._work())
        try:
            return await done
        finally:  # also when the caller has gone away: the permit comes back, the text is skipped
            self.held -= len(texts)

    async def call(self, function: Callable[[*Arguments], T], *arguments: *Arguments, cost: int = 8) -> T:
        """Run something else on the model's thread; it takes the room of `cost` texts."""
        self._take(cost)
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)
        finally:
            self.held -= cost

    def _take(self, cost: int) -> None:
        if self.held and self.held + cost > self.queue:
            raise Busy()
        self.held += cost

    def _next(self) -> tuple[list[Texts], float | None]:
        """Requests for one pass: the oldest, and those behind it that ask for the same error limit and fit."""
        batch: list[Texts] = []
        size, limit = 0, None
        while self.waiting:
            texts, max_error, done = self.waiting[0]
            if done.done():
                self.waiting.popleft()
                continue
            if batch and (max_error != limit or size + len(texts) > self.batch):
                break
            self.waiting.popleft()
            batch.append((texts, done))
            size, limit = size + len(texts), max_error
        return batch, limit

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting:
            batch, limit = self._next()
            if not batch:
                continue
            try:
                answers = iter(
                    await loop.run_in_executor(self.pool, self.predict, [t for ts, _ in batch for t in ts], limit)
                )
                results = [[next(answers) for _ in texts] for texts, _ in batch]
            except Exception as error:  # every request of the pass hears of it
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), result in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result)

    def close(self) -> None:
        """Stop the thread after what it is doing."""
        self.pool.shutdown(wait=True, cancel_futures=True)
