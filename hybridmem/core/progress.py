"""How far a long job is, told to whoever wants to see it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with a step's name, the units of it that are done and the units in all."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


def quiet(step: str, done: int, total: int) -> None:
    """The progress of a caller who does not look."""
