"""A lock for threads that come back for it again and again: the one that asked first gets it first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class FairLock:
    """Python's own lock may be taken again by the thread that has just let go of it, for as long as it likes.

    Not reentrant.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The lock, once all who asked before have had it."""
        turn = threading.Event()
        with self._guard:
            self._queue.append(turn)
            self._queue[0].set()
        try:
            turn.wait()
            yield
        finally:
            with self._guard:
                self._queue.remove(turn)
                if self._queue:
                    self._queue[0].set()
