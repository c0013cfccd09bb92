"""The training benchmark: every loop does the same training, and says how fast."""

from __future__ import annotations

import importlib.util

import pytest

pytest.importorskip("torch")

from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.evaluation.suites import training_loops
from hybridmem.evaluation.suites.training import OURS, run


def test_the_loops_train_alike_and_each_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.util.find_spec("trl") is not None
    report = run(model="bundled", facts=2, steps=2, rounds=1)
    assert list(report.loops) == [OURS, "transformers", *(["trl"] if installed else [])]
    ours = report.loops[OURS]
    assert ours.tokens_per_second > ours.items_per_second > 0
    for name, other in report.loops.items():
        assert other.loss == pytest.approx(ours.loss, abs=1e-4), f"{name} trains something else"
        if name != OURS:
            ratio = report.ratios[name]
            assert ratio.low == ratio.median == ratio.high > 0
            assert ratio.median == pytest.approx(ours.tokens_per_second / other.tokens_per_second)
    assert report.tokens_per_step > report.rows_per_step > 2


def test_what_is_not_installed_is_left_out_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loops, "LOOPS", {OURS: training_loops.hybridmem, "trl": training_loops.trl})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    report = run(model="bundled", facts=1, steps=2, rounds=1)
    assert set(report.loops) == {OURS}
    assert report.ratios == {}
    assert report.left_out == ("TRL's SFTTrainer is left out, trl is not installed: pip install 'hybridmem[bench]'",)


@pytest.mark.parametrize("given", [{"facts": 0}, {"steps": 1}, {"rounds": 0}])
def test_impossible_plans_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="the first warms up"):
        run(model="bundled", **given)  # type: ignore[arg-type]


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="has no weights to train"):
        run(model="fake")
