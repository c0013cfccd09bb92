from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hybridmem.router import calibration
from hybridmem.router.calibration import Calibration, Graded, Observation
from hybridmem.router.calibration import fit as fit_on
from hybridmem.router.risk import DEFAULT_THRESHOLD
from hybridmem.router.signals import prior_heads
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.state import encoded

PRIOR = prior_heads()
NAMES = [name for name in PRIOR["weights"] if name != "bias"]


def features(value: float = 0.0, **given: float) -> dict[str, float]:
    return {**dict.fromkeys(NAMES, value), **given}


def graded(observed: Mapping[str, Sequence[Observation]]) -> list[Graded]:
    """Each answer to a question of its own."""
    return [
        Graded(**{head: answer}, group=f"{head}-{number}")
        for head, answers in observed.items()
        for number, answer in enumerate(answers)
    ]


def fit(observed: Mapping[str, Sequence[Observation]], risk: float = 0.1) -> Calibration:
    return fit_on(graded(observed), risk)


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


def test_another_risk_is_another_threshold_at_once() -> None:
    found = Calibration(levels=tuple((level / 100, 1.0) for level in range(99, 79, -1)), asked=300).at(0.05)
    assert found.at(0.1).threshold < found.threshold < found.at(0.01).threshold
    assert found.at(0.05) == found
    assert (found.at(0.001).feasible, found.at(0.001).threshold) == (False, DEFAULT_THRESHOLD)
    assert found.at(0.9).threshold == DEFAULT_THRESHOLD


def test_others_questions_stand_in_while_a_namespace_is_young() -> None:
    """Others are answered wrongly where the namespace's own few are all right."""
    wrong = [Graded(retrieval=Observation(features(0.6), False), group=f"other-{n}") for n in range(100)]
    own = graded({"retrieval": [Observation(features(0.6), True)] * 400})
    young = fit_on(own[:10], pooled=wrong)
    old, older = fit_on(own[:100], pooled=wrong), fit_on(own, pooled=wrong)
    assert not fit_on(own[:8]).feasible and fit_on(own[:8], pooled=wrong).feasible
    at = [each.confidence("retrieval", features(0.6)) for each in (young, old, older, fit_on(own))]
    assert at == sorted(at)


def test_a_question_is_judged_by_heads_that_did_not_see_its_fact() -> None:
    """One fact's wordings are all wrong, with a signal that nothing else has: heads that saw it would know."""
    right = [Graded(retrieval=Observation(features(0.5, first=-1), True), group=f"right-{n}") for n in range(60)]
    wrong = [Graded(retrieval=Observation(features(0.5, first=1), False), group="one fact") for _ in range(20)]
    found = fit_on([*right, *wrong], risk=0.1)
    known = found.confidence("retrieval", features(0.5, first=1))
    assert known < max(level for level, _ in found.levels) - 0.3
    assert found.threshold > known + 0.3


def test_it_comes_back_from_json() -> None:
    found = replace(fit({"weights": observed(50)}), above=1.5)
    assert found.levels
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


@pytest.mark.parametrize("version", [None, 1])
def test_one_of_an_older_release_keeps_its_heads_and_promises_nothing(version: int | None) -> None:
    raw = stored()
    assert raw.pop("version") == 2
    for name in ("levels", "asked", "above"):
        del raw[name]
    found = loaded(raw if version is None else raw | {"version": version})
    assert found.heads == fit({"weights": observed(50)}).heads != PRIOR
    assert (found.threshold, found.feasible) == (DEFAULT_THRESHOLD, False)


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
        {"version": 3},
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
        {"levels": None},
        {"levels": [0.5]},
        {"levels": [[0.5, "x"]]},
        {"above": float("nan")},
        {"observations": float("inf")},
        {"observations": 10**400},
    ],
    ids=repr,
)
def test_a_newer_or_a_damaged_one_is_the_prior(changes: dict[str, object]) -> None:
    assert loaded(stored(**changes)) == Calibration()


@pytest.mark.parametrize("key", ["heads", "threshold", "risk", "feasible", "observations", "asked"])
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
