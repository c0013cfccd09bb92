from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.models.base import Generation
from hybridmem.router.decision import Reading, decide, settles
from hybridmem.router.risk import MOST_ABOVE, NEVER, Judged, counted, raised, threshold_for

CONFIDENCES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.8, 0.9, 1.0]))
SAID = st.none() | st.tuples(CONFIDENCES, st.booleans())
LEVELS = st.lists(st.one_of(CONFIDENCES, st.just(NEVER)), max_size=60)
RISKS = st.floats(0.01, 0.99)


def decided_wrongly(judged: Judged, threshold: float) -> bool:
    """By the router's own decision, on readings made for it."""

    def reading(said: tuple[float, bool] | None, text: str) -> Reading | None:
        return Reading(Generation(text, 5, 1, -0.1, 0.9, 1.0, 0.1), said[0], {}) if said else None

    weights = reading(judged.weights, "Riga")
    memories = reading(judged.memories, "Riga" if judged.better == "both" else "Oslo")
    decision = decide(weights, None if settles(weights, threshold) else memories, threshold)
    if decision.route == "abstain":
        return False
    said = judged.memories if decision.reading is memories else judged.weights
    assert said is not None
    return not said[1]


@given(SAID, SAID, st.booleans(), CONFIDENCES)
def test_a_question_is_judged_as_the_router_decides(
    weights: tuple[float, bool] | None, memories: tuple[float, bool] | None, agreed: bool, threshold: float
) -> None:
    if agreed and weights and memories:
        memories = (memories[0], weights[1])
    judged = Judged(weights, memories, "both" if agreed and weights and memories else "")
    assert judged.is_wrong(threshold) == decided_wrongly(judged, threshold)
    if judged.is_wrong(threshold):
        assert judged.level >= threshold
    if judged.level > NEVER:
        assert judged.is_wrong(judged.level)


@given(LEVELS, RISKS)
def test_the_guarantees_inequality_holds_and_no_lower_threshold_would_do(levels: list[float], risk: float) -> None:
    n = len(levels)
    threshold = threshold_for([(level, 1.0) for level in levels], n, risk)
    if threshold is None:
        assert 1 / (n + 1) > risk - 1e-9
        return
    assert (sum(level >= threshold for level in levels) + 1) / (n + 1) <= risk + 1e-9
    lower = [level for level in levels if level < threshold]
    if threshold > 0 and lower:
        assert (sum(level >= max(lower) for level in levels) + 1) / (n + 1) > risk - 1e-9


@given(LEVELS, RISKS, RISKS)
def test_more_risk_never_raises_the_threshold(levels: list[float], one: float, other: float) -> None:
    weighed = [(level, 0.7) for level in levels]
    careful, bold = (threshold_for(weighed, 0.7 * len(levels), risk) for risk in sorted((one, other)))
    if careful is not None:
        assert bold is not None
        assert bold <= careful


@pytest.mark.parametrize(("asked", "risk", "feasible"), [(8, 0.1, False), (9, 0.1, True), (18, 0.05, False)])
def test_too_few_questions_promise_nothing(asked: int, risk: float, feasible: bool) -> None:
    assert (threshold_for([], asked, risk) is not None) == feasible


def test_even_the_surest_answer_can_be_one_error_too_many() -> None:
    threshold = threshold_for([(1.0, 1.0)] * 20, 20, 0.1)
    assert threshold is not None
    assert threshold > 1.0


def questions(chance: random.Random, count: int, known: float) -> Iterator[Judged]:
    """Of which a share of about `known` has an answer; the confidences of wrong answers overlap those of right ones."""
    for _ in range(count):
        is_right = chance.random() < known
        yield Judged(memories=(chance.betavariate(6, 2) if is_right else chance.betavariate(3, 3), is_right))


def threshold_of(calibrated: Sequence[Judged], risk: float) -> float:
    found = threshold_for([(each.level, 1.0) for each in calibrated], len(calibrated), risk)
    assert found is not None
    return found


def most(risk: float, n: int) -> float:
    """Three binomial standard deviations above `risk`."""
    return float(risk + 3 * (risk * (1 - risk) / n) ** 0.5)


@pytest.mark.parametrize("risk", [0.05, 0.1])
def test_the_risk_holds_on_questions_like_those_that_it_was_set_on(risk: float) -> None:
    chance = random.Random(0)
    wrong = answered = 0
    for _ in range(100):
        threshold = threshold_of([*questions(chance, 100, 0.6)], risk)
        (asked,) = questions(chance, 1, 0.6)
        wrong += asked.is_wrong(threshold)
        answered += asked.memories is not None and asked.memories[0] >= threshold
    assert wrong / 100 <= most(risk, 100)
    assert answered > 30


@pytest.mark.parametrize("seed", range(5))
def test_on_a_mix_that_shifts_the_risk_holds_with_feedback_and_not_without(seed: int) -> None:
    """Ten nights at the named risk of 5 %: from the fourth on, most of what is asked was never told."""
    risk, chance = 0.05, random.Random(seed)
    fixed = threshold_of([*questions(chance, 200, 0.9)], risk)
    stream = [*questions(chance, 200, 0.9), *questions(chance, 400, 0.2)]
    above, with_feedback, without = 0.0, 0, 0
    for asked in stream:
        is_wrong = asked.is_wrong(raised(fixed, above))
        above = counted(above, is_wrong, risk)
        with_feedback += is_wrong
        without += asked.is_wrong(fixed)
    assert with_feedback / len(stream) <= most(risk, len(stream)) < without / len(stream)
    assert with_feedback <= risk * len(stream) + MOST_ABOVE + 1


@given(st.lists(st.tuples(CONFIDENCES, st.booleans()), max_size=80), RISKS, st.floats(0, 1))
def test_whatever_is_asked_feedback_bounds_what_goes_wrong(
    said: list[tuple[float, bool]], risk: float, threshold: float
) -> None:
    above, wrong = 0.0, 0
    for each in said:
        is_wrong = Judged(memories=each).is_wrong(raised(threshold, above))
        above = counted(above, is_wrong, risk)
        wrong += is_wrong
    assert wrong <= risk * len(said) + MOST_ABOVE + 1
