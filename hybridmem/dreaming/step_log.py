"""What a dream's steps did and cost, for its report."""

from __future__ import annotations

import time

from hybridmem.core.records import Step


class StepLog:
    """The steps done so far, each timed from the end of the one before."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._started = self._last = time.monotonic()

    def done(self, name: str, tokens: int = 0, **counts: int) -> None:
        """The step `name` is over."""
        now = time.monotonic()
        self.steps.append(Step(name, now - self._last, tokens, counts))
        self._last = now

    @property
    def seconds(self) -> float:
        """Since the dream began."""
        return time.monotonic() - self._started
