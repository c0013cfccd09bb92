"""How many facts wait for a person's word, for pages that are opened again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from hybridmem.core.namespace import Namespace
from hybridmem.memory import HybridMemory

EVERY_SECONDS = 60.0


class ReviewCounts:
    """The number of items of `HybridMemory.review`, counted anew once in a minute: a count looks at every fact. Threads
    may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: dict[Namespace, tuple[float, int]] = {}

    def __call__(self, memory: HybridMemory) -> int:
        counted, found = self._counted.get(memory.namespace, (float("-inf"), 0))
        if self._clock() - counted >= EVERY_SECONDS:
            found = len(memory.review())
            self._counted[memory.namespace] = (self._clock(), found)
        return found
