"""Which of two different answers is believed: time and trust tell, and how sure they are does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hybridmem.core.records import Episode, Hit, Trust
from hybridmem.router.decision import Better, decide
from hybridmem.router.precedence import better
from tests.dreaming.nights import ANA, NIGHT, fact
from tests.router.test_decision import reading

LISBON = replace(fact("f1", "Ana", "Lisbon"), valid_from=NIGHT)


def believed(
    text: str,
    at: datetime,
    *,
    says: str = "Oslo",
    weights: str = "Lisbon",
    trust: Trust = "user",
    gone: str | None = None,
) -> Better:
    told = Episode("e1", ANA, text, at=at, recorded_at=at, trust=trust, superseded_by=gone)
    return better(LISBON, weights, says, [Hit("e1", text, 1.0, "episode", {})], {"e1": told, "f1": LISBON})


LATER, EARLIER = NIGHT + timedelta(days=1), NIGHT - timedelta(days=1)
OSLO = "Ana lives in Oslo now."


def test_what_was_said_later_is_believed() -> None:
    assert believed(OSLO, LATER) == "retrieval"
    assert believed(OSLO, EARLIER) == "weights"
    assert believed(OSLO, NIGHT) == ""


def test_nobody_of_less_trust_takes_back_what_was_said() -> None:
    assert believed(OSLO, LATER, trust="web") == "weights"
    assert believed(OSLO, LATER, trust="agent") == "weights"


def test_only_a_memory_that_says_it_word_for_word_and_still_stands_is_evidence() -> None:
    assert believed("Ana likes it there.", LATER) == ""
    assert believed(OSLO, LATER, gone="e2") == ""


def test_time_tells_of_values_of_one_kind_and_of_what_was_learned() -> None:
    assert believed("Ana has 3 cats.", LATER, says="3") == "retrieval"
    assert believed("Ana moved in on Friday.", LATER, says="Friday", weights="Porto") == ""
    number = replace(LISBON, object="12")
    hit, told = Hit("e1", OSLO, 1.0, "episode", {}), Episode("e1", ANA, OSLO, at=LATER, recorded_at=LATER)
    assert better(number, "12", "Oslo", [hit], {"e1": told}) == ""
    assert better(None, "Lisbon", "Oslo", [hit], {"e1": told}) == ""


def test_the_one_that_is_believed_answers_or_nobody() -> None:
    loud, quiet = reading("Lisbon", 0.75), reading("Oslo", 0.6)
    assert decide(loud, quiet, 0.5).route == "weights"
    assert decide(loud, quiet, 0.5, "retrieval").route == "retrieval"
    assert decide(loud, quiet, 0.7, "retrieval").route == "abstain"
