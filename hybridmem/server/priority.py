"""Searches and reads go first: who writes, erases or indexes gives way to them, and never for long."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator

WAY_SECONDS = 0.05
"""The longest that one step of the others gives way: searches that never end do not hold up the writes."""
SPACING_SECONDS = 0.005
"""Between two writes that are answered: what their clients ask for next, all at once, would wait for one another."""


class Precedence:
    """Counts those who go first. Make it, and enter `first`, within the event loop; any thread may give way."""

    def __init__(self) -> None:
        self._under_way = 0
        self._none = asyncio.Event()
        self._none_for_threads = threading.Event()
        self._tell()

    @contextlib.contextmanager
    def first(self) -> Generator[None]:
        """While within, the others give way."""
        self._under_way += 1
        self._tell()
        try:
            yield
        finally:
            self._under_way -= 1
            self._tell()

    def give_way(self) -> None:
        """In a thread, between two steps."""
        self._none_for_threads.wait(WAY_SECONDS)

    async def give_way_and_space(self) -> None:
        """In the event loop, before each of several answers."""
        await asyncio.sleep(SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), WAY_SECONDS)

    def _tell(self) -> None:
        for none in (self._none, self._none_for_threads):
            if self._under_way:
                none.clear()
            else:
                none.set()
