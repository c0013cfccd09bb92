"""What reads whole memories takes time by their length, not by its square: one long memory must not stop a search."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hybridmem.core.text import moods
from hybridmem.core.text.questions import asks, only_asks

LONG = 100_000
"""Characters, for which a pattern that goes over the rest of the text from each of its characters takes minutes."""
SECONDS = 0.6


def of_processor(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started


@pytest.mark.parametrize("read", [asks, only_asks, moods.opens_unreal, moods.retraction])
@pytest.mark.parametrize("unit", ["and on ", " ", "?", "...", 'A "B '])
def test_a_long_run_of_anything_is_read_at_once(read: Callable[[str], object], unit: str) -> None:
    assert of_processor(read, "I went home " + unit * (LONG // len(unit)) + "x") < SECONDS
