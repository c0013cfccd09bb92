"""When somebody last waited for this process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class RecentCalls:
    """The time of the last call that somebody waits for: what runs beside it in this process takes less of the machine.

    >>> calls = RecentCalls(iter([1.0, 2.0, 9.0]).__next__)
    >>> calls.note()
    >>> calls.since(calls.now() - 1.5), calls.since(calls.now() - 1.5)
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self.now = clock
        self._last = -math.inf

    def note(self) -> None:
        """Somebody calls now."""
        self._last = self.now()

    def since(self, moment: float) -> bool:
        """Whether the last call began after `moment`, in seconds of the clock."""
        return self._last > moment
