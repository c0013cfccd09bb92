from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.router.calibration import (
    DEFAULT_THRESHOLD,
    PRIOR,
    Calibration,
    Observation,
    conformal_threshold,
    fit,
)

NAMES = [name for name in PRIOR["weights"] if name != "bias"]


def features(value: float = 0.0, **given: float) -> dict[str, float]:
    return {**dict.fromkeys(NAMES, value), **given}


def observed(count: int, *, seed: int = 0) -> list[Observation]:
    """Answers that are right when the model was certain, however often they were audited."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        certainty = chance.uniform(-1, 1)
        noise = {name: chance.uniform(-1, 1) for name in NAMES}
        made.append(Observation({**noise, "certainty": certainty}, certainty + chance.gauss(0, 0.1) > 0))
    return made


def test_without_data_the_prior_decides() -> None:
    found = fit({})
    assert found.heads == PRIOR
    assert (found.threshold, found.feasible, found.observations) == (DEFAULT_THRESHOLD, False, 0)
    assert found == fit({"weights": [], "retrieval": []})


def test_the_prior_trusts_a_sure_audited_answer_and_doubts_an_unsure_one() -> None:
    for route in PRIOR:
        assert Calibration().confidence(route, features(1.0)) > 0.8
        assert Calibration().confidence(route, features(-1.0)) < 0.2


def test_a_few_answers_move_the_prior_a_little() -> None:
    wrong = [Observation(features(0.5), False)] * 2
    prior, found = Calibration(), fit({"weights": wrong})
    before, after = (c.confidence("weights", features(0.5)) for c in (prior, found))
    assert before - 0.3 < after < before
    assert found.heads["retrieval"] == PRIOR["retrieval"]


def test_a_fitted_head_separates_right_from_wrong() -> None:
    head = fit({"weights": observed(400)})
    confidences = [(head.confidence("weights", o.features), o.right) for o in observed(400, seed=1)]
    assert sum((c > 0.5) == right for c, right in confidences) > 0.9 * len(confidences)
    assert head.heads["weights"]["certainty"] > 2 * abs(head.heads["weights"]["audited"])


@pytest.mark.parametrize("right", [True, False])
def test_answers_that_are_all_alike_are_fitted_without_running_off(right: bool) -> None:
    head = fit({"weights": [Observation(features(1.0), right)] * 500}).heads["weights"]
    assert all(abs(weight) < 10 for weight in head.values())
    told = fit({"weights": [Observation(features(1.0), right)] * 500}).confidence("weights", features(1.0))
    assert told > 0.95 if right else told < 0.05


def test_enough_audits_make_the_risk_feasible() -> None:
    found = fit({"weights": observed(200), "retrieval": observed(200, seed=2)}, risk=0.1)
    assert (found.feasible, found.risk, found.observations) == (True, 0.1, 400)
    few = fit({"weights": observed(5)}, risk=0.1)
    assert (few.feasible, few.threshold) == (False, DEFAULT_THRESHOLD)


def test_it_comes_back_from_json() -> None:
    found = fit({"weights": observed(50)})
    assert Calibration.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


SCORED = st.lists(
    st.tuples(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.9, 1.0])), st.booleans()), max_size=60
)
RISKS = st.floats(0.01, 1.0)


def threshold_of(scored: list[tuple[float, bool]], risk: float) -> float | None:
    return conformal_threshold([c for c, _ in scored], [wrong for _, wrong in scored], risk)


@given(SCORED, RISKS)
def test_the_guarantees_inequality_holds(scored: list[tuple[float, bool]], risk: float) -> None:
    threshold = threshold_of(scored, risk)
    n = len(scored)
    if threshold is None:
        assert 1 / (n + 1) > risk
        return
    errors = sum(wrong for confidence, wrong in scored if confidence >= threshold)
    assert (errors + 1) / (n + 1) <= risk + 1e-12


@given(SCORED, RISKS)
def test_no_lower_threshold_would_do(scored: list[tuple[float, bool]], risk: float) -> None:
    threshold = threshold_of(scored, risk)
    below = [confidence for confidence, _ in scored if threshold is not None and confidence < threshold]
    if below:
        errors = sum(wrong for confidence, wrong in scored if confidence >= max(below))
        assert (errors + 1) / (len(scored) + 1) > risk - 1e-12


@given(SCORED, RISKS, RISKS)
def test_more_risk_never_raises_the_threshold(scored: list[tuple[float, bool]], one: float, other: float) -> None:
    careful, bold = threshold_of(scored, min(one, other)), threshold_of(scored, max(one, other))
    if careful is not None:
        assert bold is not None
        assert bold <= careful


@pytest.mark.parametrize(("n", "risk", "feasible"), [(8, 0.1, False), (9, 0.1, True), (0, 0.5, False), (0, 1.0, True)])
def test_too_few_audits_promise_nothing(n: int, risk: float, feasible: bool) -> None:
    assert (threshold_of([(0.9, False)] * n, risk) is not None) == feasible


def test_even_the_surest_answer_can_be_one_error_too_many() -> None:
    threshold = threshold_of([(1.0, True)] * 20, 0.1)
    assert threshold is not None
    assert threshold > 1.0
