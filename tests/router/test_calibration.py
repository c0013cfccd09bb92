from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.router import calibration
from hybridmem.router.calibration import (
    DEFAULT_THRESHOLD,
    Calibration,
    Observation,
    conformal_threshold,
    fit,
)
from hybridmem.router.signals import prior_heads
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.state import encoded

PRIOR = prior_heads()
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


def test_a_few_audits_move_a_threshold_that_others_stand_behind_by_their_share() -> None:
    audits = {"weights": observed(50)}
    alone, among = fit(audits, risk=0.05), fit(audits, risk=0.05, pooled=150)
    assert alone.threshold > 0.5
    assert among.threshold == pytest.approx(0.5 + (alone.threshold - 0.5) / 4)
    assert (alone.feasible, among.feasible) == (True, False)
    assert among.heads == alone.heads


def test_it_comes_back_from_json() -> None:
    found = fit({"weights": observed(50)})
    assert Calibration.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


ANA = ("users", "ana")


def stored(**changes: object) -> dict[str, Any]:
    """A fitted calibration as a ledger keeps it, with a few changes."""
    return encoded(fit({"weights": observed(50)})) | changes


def loaded(raw: dict[str, Any]) -> Calibration:
    """What an answer takes from a ledger that keeps `raw`."""
    ledger = InMemoryLedger()
    ledger._write_json(ANA, Calibration.KEY, raw)
    return calibration.load(ledger, ANA)


def test_one_that_was_stored_without_a_version_is_read() -> None:
    raw = stored()
    assert raw.pop("version") == 1
    assert loaded(raw) == loaded(stored()) == fit({"weights": observed(50)}) != Calibration()


def test_a_signal_that_it_lacks_takes_its_prior() -> None:
    raw = stored()
    for head in raw["heads"].values():
        del head["supported"]
    found, whole = loaded(raw), loaded(stored())
    for route, head in found.heads.items():
        assert head["supported"] == PRIOR[route]["supported"]
        assert {**head, "supported": 0} == {**whole.heads[route], "supported": 0}
    assert 0 < found.confidence("retrieval", features(0.5)) < 1
    assert found.threshold == whole.threshold


def test_a_signal_that_no_longer_exists_is_dropped() -> None:
    raw = stored()
    for head in raw["heads"].values():
        head["moon"] = 5.0
    assert loaded(raw) == loaded(stored())


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": 99, "heads": [], "tree": [1, 2]},
        {"version": "1"},
        {"version": None},
        {"version": []},
        {"heads": None},
        {"heads": {}},
        {"heads": {"weights": {"bias": "high"}, "retrieval": {}}},
        {"heads": {"weights": {"bias": float("nan")}, "retrieval": {}}},
        {"heads": {"weights": [], "retrieval": []}},
        {"threshold": None},
        {"threshold": True},
        {"threshold": float("inf")},
        {"risk": "low"},
        {"observations": float("inf")},
        {"observations": 10**400},
    ],
    ids=repr,
)
def test_a_newer_or_a_damaged_one_is_the_prior(changes: dict[str, object]) -> None:
    assert loaded(stored(**changes)) == Calibration()


@pytest.mark.parametrize("key", ["heads", "threshold", "risk", "feasible", "observations"])
def test_one_that_lacks_a_figure_is_the_prior(key: str) -> None:
    raw = stored()
    del raw[key]
    assert loaded(raw) == Calibration()


def test_it_comes_back_from_a_ledger() -> None:
    ledger = InMemoryLedger()
    assert calibration.load(ledger, ANA) == Calibration()
    fitted = fit({"weights": observed(50)})
    ledger.put_state(ANA, fitted)
    assert calibration.load(ledger, ANA) == fitted
    assert calibration.load(ledger, ("users", "ben")) == Calibration()


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
