from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.suites import beside_a_dream
from hybridmem.models.fake import FakeModel


def test_both_medians_and_their_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_a_dream, "PAUSE_SECONDS", 0.0)
    report = beside_a_dream.run(memories=3, turns=3, model=FakeModel(), embedder="hashing", folder=tmp_path)
    assert (report.idle_turns, report.dream_status) == (3, "promoted")
    assert report.dreaming_turns >= 1
    assert report.ratios == {
        "add": report.add.dreaming_ms / report.add.idle_ms,
        "search": report.search.dreaming_ms / report.search.idle_ms,
    }
    assert list(tmp_path.iterdir()) == []


def test_what_measures_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 3 turns"):
        beside_a_dream.run(turns=2)
