from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL
from hybridmem.router.decision import SURE, Reading, decide, settles

CONFIDENCES = st.floats(0, 1)
READINGS = st.none() | st.builds(
    lambda text, confidence: reading(text, confidence), st.sampled_from(["Riga", "Oslo", REFUSAL]), CONFIDENCES
)


def reading(text: str, confidence: float) -> Reading:
    return Reading(Generation(text, 5, 1, -0.1, 0.9, 1.0, 0.1), confidence, {})


@given(READINGS, READINGS, CONFIDENCES)
def test_what_is_answered_was_said_and_what_was_not_is_refused(
    weights: Reading | None, memories: Reading | None, threshold: float
) -> None:
    found = decide(weights, memories, threshold)
    answers = [each for each in (weights, memories) if each and not each.refuses]
    assert 0 <= found.confidence <= 1
    if found.route == "abstain":
        assert all(each.confidence < threshold for each in answers)
        return
    assert found.confidence >= threshold
    assert found.reading in answers
    assert found.reading is {"weights": weights, "retrieval": memories, "both": weights}[found.route]
    if found.route == "both":
        assert found.confidence >= max(each.confidence for each in answers) - 1e-12
    else:
        assert found.confidence == max(each.confidence for each in answers)


@given(CONFIDENCES, CONFIDENCES)
def test_weights_settle_a_question_where_they_are_sure_and_above_the_threshold(said: float, threshold: float) -> None:
    assert settles(reading("Riga", said), threshold) == (said >= SURE and said >= threshold)
    assert not settles(reading(REFUSAL, said), threshold) and not settles(None, threshold)


def test_a_doubted_answer_says_how_likely_it_was_wrong() -> None:
    found = decide(reading("Riga", 0.25), None, 0.5)
    assert (found.route, found.confidence) == ("abstain", 0.75) and found.reading is not None
    assert decide(reading(REFUSAL, 0.9), None, 0.5).confidence == 1.0
    assert decide(None, None, 0.5).reading is None
