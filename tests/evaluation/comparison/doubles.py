"""Memories of a comparison that forget as much as their trial's strategy says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridmem.evaluation.comparison.runner import compare
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.evaluation.stream import Stream, make_stream
from tests.evaluation.double import DoubleMemory

STREAM = make_stream(1, 6, 4, changes=0, deletions=0)
KEPT = {"replay": 99, "naive": 1}
"""Nights that the weights hold a fact."""


def opener(stream: Stream = STREAM, opened: list[str] | None = None) -> Callable:
    """Opens a fresh double in a folder that a trial's name names; `opened` gets these names."""

    @contextmanager
    def open_memory(folder: Path) -> Iterator[DoubleMemory]:
        folder.mkdir(parents=True)
        if opened is not None:
            opened.append(folder.name)
        yield DoubleMemory(stream, keeps=KEPT.get(folder.name.split("_")[0], 99))

    return open_memory


def compared(folder: Path, *trials: Trial, stream: Stream = STREAM, opened: list[str] | None = None, **named):
    """What `compare` returns for `trials` over doubles."""
    return compare(stream, trials, folder, opener(stream, opened), **named)
