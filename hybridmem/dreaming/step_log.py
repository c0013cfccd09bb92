"""What a dream's steps did and cost, for its report."""

from __future__ import annotations

import time
from collections.abc import Callable

from hybridmem.core.records import ReaderUsage, Step


class StepLog:
    """The steps done so far, each timed from the end of the one before."""

    def __init__(self, reader: Callable[[], ReaderUsage] | None = None) -> None:
        """`reader` gives what a reader other than the memory's own model was asked since its last call."""
        self.steps: list[Step] = []
        self._reader = reader
        self._started = self._last = time.monotonic()

    def done(self, name: str, tokens: int = 0, **counts: int) -> None:
        """The step `name` is over."""
        now = time.monotonic()
        took = self._reader() if self._reader is not None else None
        self.steps.append(Step(name, now - self._last, tokens, counts, took if took and took.calls else None))
        self._last = now

    def add(self, step: Step) -> None:
        """A step that another process did."""
        self.steps.append(step)

    @property
    def seconds(self) -> float:
        """Since the dream began."""
        return time.monotonic() - self._started


def reader_usage(steps: list[Step] | tuple[Step, ...]) -> ReaderUsage | None:
    """What a reader took in all `steps` together; None where no other model read."""
    took = [step.reader for step in steps if step.reader is not None]
    return sum(took, start=ReaderUsage()) if took else None
