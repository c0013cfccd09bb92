"""How far a long job is, told to whoever wants to see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

EVERY_SECONDS = 5.0
"""Between two lines about the same step."""


class Progress(Protocol):
    """Called with a step's name, the units of it that are done and the units in all."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


def quiet(step: str, done: int, total: int) -> None:
    """The progress of a caller who does not look."""


class ProgressLines:
    """A progress for a log: a line when a step begins, one every `every` seconds with what is done and the time that is
    left at the step's rate so far, and one at its end. `write` takes each line. A total of 0 is not known yet.

    >>> report = ProgressLines(print, every=0, clock=iter([0, 0, 30, 30, 40, 40]).__next__)
    >>> for done in (0, 3, 4):
    ...     report("train", done, 4)
    train ...
    train 3/4, about 10 s left
    train 4/4 in 40 s
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._every, self._clock = write, every, clock
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._ended: set[str] = set()

    def __call__(self, step: str, done: int, total: int) -> None:
        now = self._clock()
        if step not in self._began:
            self._began[step] = self._last[step] = now
            self._write(f"{step} ...")
        elapsed = self._clock() - self._began[step]
        if total and done >= total:
            if step not in self._ended:
                self._ended.add(step)
                self._write(f"{step} {done:,}/{total:,} in {in_words(elapsed)}")
        elif done and now - self._last[step] >= self._every:
            self._last[step] = now
            left = f"/{total:,}, about {in_words(elapsed / done * (total - done))} left" if total else ""
            self._write(f"{step} {done:,}{left}")


def in_words(seconds: float) -> str:
    """A length of time as a person reads it.

    >>> in_words(0.4), in_words(75), in_words(600), in_words(7300)
    ('1 s', '75 s', '10 min', '2 h 2 min')
    """
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
