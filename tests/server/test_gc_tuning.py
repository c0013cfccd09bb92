"""Full garbage collections stay short, whatever the server keeps in memory."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from hybridmem.server import gc_tuning as garbage
from hybridmem.server.gc_tuning import short_collections

ALONE = """
import gc
from hybridmem.server.gc_tuning import short_collections
with short_collections():
    assert gc.get_freeze_count() > 0
assert gc.get_freeze_count() == 0
"""


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


def test_nothing_stays_frozen_behind_it() -> None:
    subprocess.run([sys.executable, "-c", ALONE], check=True)


def test_what_the_program_froze_before_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with short_collections():
        pass
    assert gc.get_freeze_count() >= frozen > 0
