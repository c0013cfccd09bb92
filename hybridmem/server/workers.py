"""The threads that do the work, while the event loop only waits. Slow writes and answers never delay a search."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeVar

from hybridmem.core.errors import HybridMemError
from hybridmem.server.limits import Limits
from hybridmem.server.priority import Priority

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory
    from hybridmem.stores.index.follower import Indexes

T = TypeVar("T")
Lane = Literal["search", "read", "write", "erase", "answer", "model", "jobs"]
"""Requests of one lane wait for one another, but not for other lanes."""
READS: frozenset[Lane] = frozenset({"search", "read"})
"""Lanes that go first."""
WRITES: frozenset[Lane] = frozenset({"write", "erase"})

NICENESS = 10
"""The nice value of the indexing thread."""
LOOK_SECONDS = 1.0
"""Longest time between two passes that index what other processes wrote."""

log = logging.getLogger("hybridmem.server")


class Workers:
    """Small thread pools, and one thread in which the indexes follow the writes. A write ends once it can be found, so
    that no search waits for it.

    Call `start` and `stop` within the event loop."""

    def __init__(self, limits: Limits, memory: HybridMemory) -> None:
        sizes: dict[Lane, int] = {
            "search": limits.searchers,
            "read": limits.readers,
            "write": limits.writers,
            "erase": limits.erasers,
            "answer": limits.answerers,
            "model": 1,
            "jobs": 2,
        }
        self._pools = {lane: ThreadPoolExecutor(size, f"hybridmem-{lane}") for lane, size in sizes.items()}
        self._indexing = ThreadPoolExecutor(1, "hybridmem-index", _lower_priority)
        self._memory = memory
        self._priority = Priority()
        self._written = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._found: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._written.set()
        self._tasks = [asyncio.create_task(self._keep_following()), asyncio.create_task(self._keep_answering())]

    async def stop(self) -> None:
        """Wait for running calls, and drop waiting ones."""
        for task in self._tasks:
            task.cancel()
        for pool in (*self._pools.values(), self._indexing):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def run(self, lane: Lane, call: Callable[[], T]) -> T:
        """Run `call` in a thread of `lane`. A call that is cancelled before a thread takes it is never run."""
        loop = asyncio.get_running_loop()
        if lane in READS:
            with self._priority.first():
                return await loop.run_in_executor(self._pools[lane], call)
        if lane not in WRITES:
            return await loop.run_in_executor(self._pools[lane], call)
        result = await loop.run_in_executor(self._pools[lane], self._giving_way, call)
        found = loop.create_future()
        self._waiting.append(found)
        self._written.set()
        await found
        return result

    def _giving_way(self, call: Callable[[], T]) -> T:
        self._priority.give_way()
        return call()

    async def _keep_following(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._written.wait(), LOOK_SECONDS)
            # The next pass follows everything written during this one.
            self._written.clear()
            waiting, self._waiting = self._waiting, []
            try:
                await asyncio.get_running_loop().run_in_executor(self._indexing, self._follow)
            finally:
                for found in waiting:
                    self._found.put_nowait(found)

    async def _keep_answering(self) -> None:
        while True:
            found = await self._found.get()
            if found.done():  # Its client has left.
                continue
            found.set_result(None)
            if not self._found.empty():
                await self._priority.give_way_and_space()

    def _follow(self) -> None:
        indexes: Indexes | None = None
        try:
            indexes = self._memory.indexes
            indexes.before_step = self._priority.give_way
            indexes.catch_up()
            indexes.kept_up = True
        except Exception as error:
            # The next search opens and follows the indexes itself, and reports the same error.
            if indexes is not None:
                indexes.kept_up = False
            known = isinstance(error, HybridMemError)
            log.warning("the indexes could not follow the ledger: %s", error, exc_info=not known)


def _lower_priority() -> None:
    """Lower the priority of this thread and of those that it starts; only Linux can."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
