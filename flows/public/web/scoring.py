"""People who ask at the same time, scored together: many of one round cost little more than one.

A process takes those who wait; those who come meanwhile are next.  A process that dies is replaced,
and the people it was working for are told to ask again.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from starlette.exceptions import HTTPException

from flows.public.web.jobs import Failed, Reply, begin, score_all, work_out

# seconds.  People who ask again at once after a common answer are scored together again.  While others are
# being scored, one waits a little for more to come, since two processes cost twice what one does
GATHERED_FOR = 0.005
PATIENCE = 0.05
MOST_TOGETHER, MOST_BYTES_TOGETHER = 32, 1 << 18
MOST_WAITING = 256
BUSY = 503


@dataclass
class Asked:
    """Somebody who waits: for an answer alone, which is given to many at once, or for more."""

    future: asyncio.Future[Any]
    text: bytes = b""
    alone: tuple[Callable[..., Any], Sequence[Any]] | None = None
    since: float = field(default_factory=time.monotonic)


@dataclass
class Scoring:
    """The processes and those who wait for them."""

    processes: int = field(default_factory=lambda: max(2, os.cpu_count() or 2))
    waiting: deque[Asked] = field(default_factory=deque)
    pool: Executor | None = None
    free: int = 0

    async def start(self) -> None:
        """Start the processes; done when they are ready."""
        os.environ.setdefault("POLARS_MAX_THREADS", "1")  # theirs: the processes share the cores
        self.pool, ready = self.new_pool()
        self.free = self.processes
        await asyncio.gather(*map(asyncio.wrap_future, ready))

    def new_pool(self) -> tuple[Executor, list[Future[None]]]:
        """As many processes as there are cores, and when they are ready.

        All come up at once: a pool alone starts another only when somebody waits for it.
        """
        pool = ProcessPoolExecutor(self.processes, get_context("spawn"), initializer=begin)
        return pool, [pool.submit(begin) for _ in range(self.processes)]

    def stop(self) -> None:
        """Stop them."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    async def score(self, text: bytes) -> Reply:
        """The answer to somebody's facts."""
        reply: Reply = await self.ask(Asked(self.promise(), text))
        return reply

    async def work_out(
        self, text: bytes, growth: int | None, parts: frozenset[str]
    ) -> dict[str, Any]:
        """What a page shows of somebody."""
        found: dict[str, Any] = await self.ask(
            Asked(self.promise(), alone=(work_out, (text, growth, parts)))
        )
        return found

    async def make(self, job: Callable[..., bytes], *given: Any) -> bytes:
        """A file that takes a while to make."""
        made: bytes = await self.ask(Asked(self.promise(), alone=(job, given)))
        return made

    def promise(self) -> asyncio.Future[Any]:
        """What somebody waits for."""
        return asyncio.get_running_loop().create_future()

    async def ask(self, asked: Asked) -> Any:
        """Wait for one's turn; raises HTTPException where too many wait."""
        if len(self.waiting) >= MOST_WAITING:
            raise busy()
        self.waiting.append(asked)
        for seconds in (GATHERED_FOR, PATIENCE):
            asyncio.get_running_loop().call_later(seconds, self.hand_out)
        return await asked.future

    def hand_out(self) -> None:
        """Give those who wait to the processes that are free."""
        while self.free and self.is_time() and (some := self.next_ones()):
            self.free -= 1
            task = asyncio.get_running_loop().create_task(self.carry_out(some))
            task.add_done_callback(lambda _: self.hand_out())

    def is_time(self) -> bool:
        """Whether the one who has waited longest need wait no longer."""
        if not self.waiting or self.free == self.processes:
            return True
        first = self.waiting[0]
        return first.alone is not None or time.monotonic() - first.since >= PATIENCE

    def next_ones(self) -> list[Asked]:
        """The first who waits, and who can be scored together with them; none who went away."""
        some: list[Asked] = []
        size, left = 0, deque[Asked]()
        while self.waiting and len(some) < MOST_TOGETHER:
            asked = self.waiting.popleft()
            if asked.future.cancelled():
                continue
            size += len(asked.text)
            fits = not some or (size <= MOST_BYTES_TOGETHER and not (asked.alone or some[0].alone))
            (some if fits else left).append(asked)
        self.waiting.extendleft(reversed(left))
        return some

    async def carry_out(self, some: list[Asked]) -> None:
        """Have a process answer them."""
        loop = asyncio.get_running_loop()
        pool = self.pool
        try:
            if some[0].alone:
                job, given = some[0].alone
                found = [await loop.run_in_executor(pool, job, *given)]
            else:
                texts = [each.text for each in some]
                found = await loop.run_in_executor(pool, score_all, texts)
            for asked, result in zip(some, found, strict=True):
                if isinstance(result, Failed):
                    fail([asked], result)
                elif not asked.future.done():
                    asked.future.set_result(result)
        except BrokenProcessPool:
            if self.pool is pool:  # the first of those it concerns
                self.pool, _ = self.new_pool()
            fail(some, busy())
        except Exception as error:  # noqa: BLE001 (those who wait get it, or wait for ever)
            fail(some, error)
        finally:
            self.free += 1


def busy() -> HTTPException:
    """What is answered where too many wait, or where a process died."""
    return HTTPException(BUSY, "too busy; try again", {"retry-after": "5"})


def fail(some: list[Asked], error: Exception) -> None:
    """Give the error to those who wait."""
    for asked in some:
        if not asked.future.done():
            asked.future.set_exception(error)
