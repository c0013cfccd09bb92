"""Full garbage collections stay short, whatever the server keeps in memory."""

from __future__ import annotations

import gc

import pytest

from hybridmem.server import gc_tuning as garbage
from hybridmem.server.gc_tuning import short_collections


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
