from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.records import AdapterRecord, Audit, Episode, Fact, Hit, Kind
from hybridmem.models.base import Generation
from hybridmem.router import signals
from hybridmem.router.calibration import Calibration, Graded, Observation, fit
from hybridmem.router.signals import (
    BIAS,
    SIGNALS,
    Evidence,
    Signal,
    evidence,
    prior_heads,
    supported,
    vector,
)
from tests.dreaming.nights import ANA, NIGHT, fact

LISBON = fact("f1", "Ana", "Lisbon")
ACME = fact("f2", "Ana", "Acme", "works at")
OSLO = fact("f3", "Ben", "Oslo")
ACTIVE = AdapterRecord("v1", ANA, "base", "0" * 64, None, "active", NIGHT, "d", facts=("f1", "f3"))
AUDITS = {"f1": Audit("v1", "f1", "dev", 4, 3)}
QUESTION = "Where does Ana live?"
DREAMT = NIGHT.timestamp()
DAY = NIGHT.date()


def nothing(fact: str) -> list[str]:
    """The exercises of a fact that has none."""
    return []


def hit(record: Fact | Episode, score: float = 1.0, **why: float) -> Hit:
    kind: Kind = "fact" if isinstance(record, Fact) else "episode"
    return Hit(record.id, record.text, score, kind, why or {"dense": score}, raw={"dense": score / 2})


def told(after: float = 0.0, id: str = "e1") -> Episode:
    at = NIGHT + timedelta(seconds=after)
    return Episode(id, ANA, "Ana moved to Riga.", at=at, recorded_at=at)


def seen(
    *records: Fact | Episode, active: AdapterRecord | None = ACTIVE, question: str = QUESTION, **given: Any
) -> Evidence:
    """Evidence from hits in this order, each half as good as the one before."""
    scores = given.pop("scores", [2.0**-n for n in range(len(records))])
    hits = [hit(record, score) for record, score in zip(records, scores, strict=True)]
    by_id = {r.id: r for r in records}
    return evidence(
        question, hits, by_id, active, given.pop("audits", AUDITS), DREAMT, DAY, given.pop("asked", nothing)
    )


def test_without_a_fact_there_is_no_evidence() -> None:
    assert seen() == Evidence()
    assert seen(told()) == Evidence()
    assert not Evidence().weights_may_answer


def test_a_consolidated_and_audited_fact_lets_the_weights_answer() -> None:
    found = seen(LISBON, OSLO)
    assert (found.fact, found.value, found.names_subject, found.consolidated) == ("f1", "Lisbon", True, True)
    assert (found.audited, found.fresh, found.similarity, found.margin) == (0.75, True, 0.5, 0.5)
    assert found.weights_may_answer


@pytest.mark.parametrize(
    "given",
    [
        {"active": None},
        {"active": replace(ACTIVE, tainted=("f1",))},
        {"active": replace(ACTIVE, facts=("f3",))},
        {"audits": {}},
        {"audits": {"f1": Audit("v1", "f1", "dev", 4, 0)}},
        {"question": "Where does Eve live?"},
    ],
    ids=["no adapter", "tainted", "not held", "not audited", "failed its audit", "about somebody else"],
)
def test_anything_less_does_not(given: dict[str, Any]) -> None:
    assert not seen(LISBON, **given).weights_may_answer


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("Where does Ana live?", 1.0),
        ("In which town is Ana at home?", 1.0),
        ("I have a letter for Ana: which town goes on the envelope?", 1 / 3),
        ("Who is Ana's dentist?", 0.0),
        ("What do you know of Ana?", 1.0),
    ],
)
def test_weights_are_asked_what_the_fact_or_an_exercise_on_it_is_about(question: str, share: float) -> None:
    found = seen(LISBON, question=question, asked=lambda fact: ["Which town is Ana's home?"] if fact == "f1" else [])
    assert found.wording == pytest.approx(share)
    assert found.weights_may_answer is (share > 0)


@pytest.mark.parametrize(
    ("question", "then"),
    [
        ("Where does Ana live now?", True),
        ("Where did Ana live in 2019?", False),
        ("Where did Ana live before the 3rd of March 2026?", True),
        ("Where did Ana live on 20 February 2026?", False),
        ("Where did Ana live on 5 March 2026?", True),
        ("Where will Ana live in 2030?", True),
    ],
)
def test_weights_are_not_asked_of_a_time_at_which_the_fact_did_not_hold(question: str, then: bool) -> None:
    known = replace(LISBON, valid_from=datetime(2026, 3, 1, tzinfo=UTC))
    assert seen(known, question=question).holds_then is then
    assert seen(known, question=question).weights_may_answer is then
    ended = replace(known, valid_to=datetime(2026, 3, 4, tzinfo=UTC))
    assert seen(ended, question="Where did Ana live on 5 March 2026?").holds_then is False


def test_the_fact_about_the_named_subject_goes_before_a_nearer_one() -> None:
    assert seen(OSLO, LISBON).fact == "f1"
    assert seen(OSLO, LISBON, question="Where is everybody?").fact == "f3"


def test_a_named_fact_far_down_is_not_looked_at() -> None:
    others = [fact(f"o{n}", f"Eve{n}", "Bern") for n in range(3)]
    assert seen(*others, LISBON).fact == "o0"


@pytest.mark.parametrize(
    ("after", "score", "text", "fresh"),
    [
        (1, 1.0, "It is Riga now.", False),
        (1, 0.9, "It is Riga now.", True),
        (1, 0.1, "Ana moved to Riga.", False),
        (0, 1.0, "Ana moved to Riga.", True),
        (-1, 2.0, "Ana moved to Riga.", True),
    ],
    ids=["the better hit", "the worse hit", "the worse hit but of the subject", "told as it began", "read"],
)
def test_what_no_dream_has_read_is_news(after: float, score: float, text: str, fresh: bool) -> None:
    episode = replace(told(after), text=text)
    assert seen(LISBON, episode, scores=[1.0, score]).fresh is fresh


@pytest.mark.parametrize(
    ("subject", "question", "text", "speaker", "fresh"),
    [
        ("I", "Where do I live?", "I've got a flat in Riga.", None, False),
        ("I", "Where do I live?", "It is raining.", None, True),
        ("Ana", "Where does Ana live?", "I moved to Riga.", "Ana", False),
        ("Ana", "Where does Ana live?", "I moved to Riga.", "Ben", True),
    ],
)
def test_what_a_speaker_says_is_news_about_the_speaker(
    subject: str, question: str, text: str, speaker: str | None, fresh: bool
) -> None:
    known = fact("f1", subject, "Lisbon")
    turn = replace(told(1), text=text, speaker=speaker)
    hits = [hit(known), replace(hit(turn, 0.1), speaker=speaker)]
    found = evidence(question, hits, {"f1": known, "e1": turn}, ACTIVE, AUDITS, DREAMT, DAY, nothing)
    assert found.fresh is fresh


def test_a_turn_beside_a_hit_is_no_news() -> None:
    fact, beside = hit(LISBON), hit(told(1), 0.5, neighbour=0.5)
    found = evidence(QUESTION, [fact, beside], {"f1": LISBON, "e1": told(1)}, ACTIVE, AUDITS, DREAMT, DAY, nothing)
    assert found.fresh


def test_the_margin_is_over_facts_of_other_slots() -> None:
    again = replace(LISBON, id="f9", object="Porto")
    assert seen(LISBON, again, ACME, scores=[1.0, 0.9, 0.25]).margin == 0.75
    assert seen(LISBON, scores=[0.5]).margin == 0.5


@pytest.mark.parametrize(
    ("question", "answer", "borne"),
    [
        ("Where does Ana live?", "Lisbon", True),
        ("Where does Eve live?", "Lisbon", False),
        ("where does ben live", "oslo", True),
        ("In which town is the mail server?", "Lisbon", False),
        ("Where does Ana live?", "Riga", True),
        ("Where does Eve live?", "Riga", False),
        ("Where is it?", "Riga", True),
    ],
)
def test_an_answer_is_borne_out_by_what_is_about_the_subject(question: str, answer: str, borne: bool) -> None:
    memories = ["Ana lives in Lisbon.", "Ben lives in Oslo.", "Ana was in Riga."]
    assert supported(question, answer, memories, [LISBON, OSLO]) is borne


SAID = Generation("Lisbon", 10, 2, -0.1, 0.9, 1.0, 0.1)
FINITE = st.floats(-1e6, 1e6)


@given(
    audited=st.floats(0, 1),
    margin=FINITE,
    probability=st.floats(0, 1),
    logprob=st.floats(-1e6, 0),
    spread=st.floats(0, 1e9) | st.just(math.inf),
    named=st.booleans(),
)
def test_features_are_bounded_and_those_of_the_heads(
    audited: float, margin: float, probability: float, logprob: float, spread: float, named: bool
) -> None:
    said = Generation("Lisbon", 10, 2, logprob, probability, spread, 0.1)
    found = vector(Evidence(audited=audited, margin=margin, names_subject=named), said)
    assert all(-2 <= value <= 2 for value in found.values())
    assert all({*found, "bias"} == set(head) for head in prior_heads().values())


def test_every_signal_says_what_it_measures_and_has_a_weight_in_every_head() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    for signal in SIGNALS:
        assert signal.text.endswith(".")
        assert set(signal.prior) == set(BIAS)
        assert signal.low < signal.high


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_no_prior_goes_against_its_signals_direction(signal: Signal) -> None:
    assert all(weight >= 0 if signal.higher_is_better else weight <= 0 for weight in signal.prior.values())


def test_a_value_outside_its_range_is_cut_to_it() -> None:
    found = vector(Evidence(margin=9.0), replace(SAID, logprob=-99.0))
    assert (found["margin"], found["logprob"]) == (2.0, -2.0)
    assert vector(Evidence(margin=-9.0), SAID)["margin"] == -2.0


def test_what_is_no_number_is_the_least_sure() -> None:
    found = vector(Evidence(), replace(SAID, min_probability=math.nan, logprob=math.nan))
    assert (found["certainty"], found["logprob"]) == (-1.0, -2.0)


def test_a_new_signal_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured, has its prior, is fitted, and joins what was calibrated before it was there."""
    before = fit([]).to_json()
    length = Signal(
        "brevity",
        "How short the answer is.",
        lambda known, said, supported: 4 - said.tokens,
        {"weights": 0.7, "retrieval": 0.2},
        low=0.0,
        high=3.0,
    )
    monkeypatch.setattr(signals, "SIGNALS", (*SIGNALS, length))
    assert vector(Evidence(), SAID)["brevity"] == 2.0
    assert vector(Evidence(), replace(SAID, tokens=50))["brevity"] == 0.0
    assert [head["brevity"] for head in prior_heads().values()] == [0.7, 0.2]
    joined = Calibration.from_json(before)
    assert joined.heads == prior_heads()
    long, short = vector(Evidence(), replace(SAID, tokens=9)), vector(Evidence(), SAID)
    assert joined.confidence("weights", short) > joined.confidence("weights", long)
    wrong = [Graded(Observation(short, False))] * 20 + [Graded(Observation(long, True))] * 20
    assert fit(wrong).heads["weights"]["brevity"] < 0
    assert Calibration.from_json(fit(wrong).to_json()).heads["weights"]["brevity"] < 0
