"""The threads that do the work: the event loop only waits. Slow writes and slow answers never hold up a search."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from hybridmem.errors import HybridMemError
from hybridmem.server.limits import Limits

T = TypeVar("T")
Lane = Literal["search", "read", "write", "model", "jobs"]
"""What may wait for what: requests of one lane wait for one another, and for nobody else."""

FOLLOW_SECONDS = 0.02
"""How long writes gather before the indexes follow them together; a search of the same namespace does not wait."""

log = logging.getLogger("hybridmem.server")


class Workers:
    """Small pools, and one thread in which the indexes follow the writes.

    Call `start` and `stop` within the event loop."""

    def __init__(self, limits: Limits, follow: Callable[[], object]) -> None:
        sizes: dict[Lane, int] = {
            "search": limits.searchers,
            "read": limits.readers,
            "write": limits.writers,
            "model": 1,
            "jobs": 2,
        }
        self._pools = {lane: ThreadPoolExecutor(size, f"hybridmem-{lane}") for lane, size in sizes.items()}
        self._behind = ThreadPoolExecutor(1, "hybridmem-index")
        self._follow = follow
        self._written = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._following = asyncio.create_task(self._keep_following())

    async def stop(self) -> None:
        """What runs is waited for; what only waits is dropped."""
        if self._following is not None:
            self._following.cancel()
        for pool in (*self._pools.values(), self._behind):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def run(self, lane: Lane, call: Callable[[], T]) -> T:
        """`call` in a thread of `lane`. One that is given up before a thread took it is never done."""
        result = await asyncio.get_running_loop().run_in_executor(self._pools[lane], call)
        if lane == "write":
            self._written.set()
        return result

    async def _keep_following(self) -> None:
        while True:
            await self._written.wait()
            await asyncio.sleep(FOLLOW_SECONDS)
            self._written.clear()
            try:
                await asyncio.get_running_loop().run_in_executor(self._behind, self._follow)
            except HybridMemError as error:
                # The next search meets the same, and answers for it.
                log.warning("the indexes could not follow the ledger: %s", error)
