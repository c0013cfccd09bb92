"""The questions of other memories that stand behind a young namespace's threshold."""

from __future__ import annotations

import json

import pytest

from hybridmem.models.names import BUNDLED, SMOLLM2
from hybridmem.router import pooled
from hybridmem.router.calibration import Calibration, Graded, Observation
from hybridmem.router.risk import DEFAULT_THRESHOLD

GRADED = (
    Graded(Observation({"certainty": 0.5}, True), Observation({"margin": -0.25, "certainty": 1.0}, False), "", "a"),
    Graded(None, Observation({"certainty": 0.75}, True), "", "b"),
    Graded(Observation({"certainty": 0.5}, True), Observation({"certainty": 0.5}, True), "both", "a"),
    Graded(group="c"),
)


def test_a_table_holds_figures_and_who_belongs_together() -> None:
    back = pooled.from_table(json.loads(json.dumps(pooled.to_table(GRADED))))
    assert [each.better for each in back] == ["", "", "both", ""]
    assert back[0].group == back[2].group != back[1].group
    assert back[0].retrieval == Observation({"margin": -0.25, "certainty": 1.0}, False)
    assert back[0].weights == Observation({"margin": 0.0, "certainty": 0.5}, True)
    assert back[3].weights is None is back[3].retrieval


@pytest.mark.parametrize("base", [BUNDLED, SMOLLM2])
def test_the_bases_have_questions_that_promise_the_usual_risk(base: str) -> None:
    assert len(pooled.questions(base)) > 100
    usual = pooled.calibration(base)
    assert usual.feasible and usual.heads == Calibration().heads
    assert DEFAULT_THRESHOLD <= usual.threshold <= usual.at(0.05).threshold < 1
    assert not usual.at(0.001).feasible


@pytest.mark.parametrize("base", ["fake", "", "/etc/passwd", "../calibration", "org/model"])
def test_another_base_has_none(base: str) -> None:
    assert pooled.questions(base) == ()
    assert pooled.calibration(base) == Calibration()
