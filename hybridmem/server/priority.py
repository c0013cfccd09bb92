"""Searches and reads go first: writing, erasing and indexing give way to them, for a short time at most."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator

WAY_SECONDS = 0.05
"""Longest wait of one step of the others: endless searches do not block the writes."""
SPACING_SECONDS = 0.005
"""Time between the answers to two writes: their clients' next requests would come all at once."""


class Priority:
    """Counts the calls that go first. Make it and enter `first` in the event loop; any thread may `give_way`."""

    def __init__(self) -> None:
        self._running = 0
        self._none = asyncio.Event()
        self._none_for_threads = threading.Event()
        self._signal()

    @contextlib.contextmanager
    def first(self) -> Generator[None]:
        """Within the context, the others give way."""
        self._running += 1
        self._signal()
        try:
            yield
        finally:
            self._running -= 1
            self._signal()

    def give_way(self) -> None:
        """Wait for the calls that go first; called in a thread between two steps."""
        self._none_for_threads.wait(WAY_SECONDS)

    async def give_way_and_space(self) -> None:
        """Pause, then wait likewise in the event loop; called before each of several answers."""
        await asyncio.sleep(SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), WAY_SECONDS)

    def _signal(self) -> None:
        for none in (self._none, self._none_for_threads):
            if self._running:
                none.clear()
            else:
                none.set()
