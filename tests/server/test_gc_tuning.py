"""Full garbage collections stay short, whatever the server keeps in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from hybridmem.server import gc_tuning as garbage
from hybridmem.server.gc_tuning import short_collections


@pytest.fixture
def thawed() -> Iterator[None]:
    """Nothing frozen, until the test is over: what this process has loaded is frozen for all tests."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("thawed")
def test_what_survived_a_long_collection_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "LONG_SECONDS", 0.0)
    with short_collections():
        before = gc.get_freeze_count()
        kept = [[number] for number in range(10_000)]
        gc.collect()
        assert gc.get_freeze_count() >= before + len(kept)
        monkeypatch.setattr(garbage, "LONG_SECONDS", 60.0)
        before = gc.get_freeze_count()
        kept += [[number] for number in range(10_000)]
        gc.collect()
        assert gc.get_freeze_count() == before
    assert gc.get_freeze_count() == 0


def test_what_the_program_froze_before_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with short_collections():
        pass
    assert gc.get_freeze_count() >= frozen > 0
