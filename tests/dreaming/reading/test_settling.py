"""Superseding by reading: a newer value takes the older one's slot, and nothing else ends a fact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.records import Episode, Fact
from hybridmem.dreaming.reading.propositions import Proposition
from hybridmem.dreaming.reading.questions import Question
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.dreaming.reading.settling import Settled, settle
from hybridmem.dreaming.reading.source import Source
from hybridmem.models.fake import FakeModel
from hybridmem.models.jobs import EVERY
from hybridmem.models.prompts import Mood
from tests.dreaming.nights import ANA, NIGHT, ScriptedModel, fact

LATER = NIGHT + timedelta(days=3)


def said(text: str, mood: Mood = "asserted", **values: Any) -> Proposition:
    given: dict[str, Any] = {"at": LATER, "recorded_at": LATER}
    return Proposition(text, mood, Source(Episode("e9", ANA, text, **given | values), text))


def settled(standing: list[Fact], *propositions: Proposition, asked: dict[str, str] | None = None) -> Settled:
    questions = [Question(propositions[0], text, text, answer) for text, answer in (asked or {}).items()]
    believed = [each for each in propositions if each.mood != "denied"]
    denied = [each for each in propositions if each.mood == "denied"]
    return settle(FakeModel(jobs=EVERY), believed, denied, questions, standing, ReadingSettings())


def believed(question: str, object: str, text: str, **values: Any) -> Fact:
    return fact("f1", object=object, text=text, question=question, **values)


HOME = believed("Ana lives in what?", "Lisbon", "Ana lives in Lisbon.")


def test_a_newer_value_takes_the_older_ones_question() -> None:
    (new,) = settled([HOME], said("Ana moved to Porto.")).facts
    assert (new.slot, new.object, new.text) == (HOME.slot, "Porto", "Ana moved to Porto.")
    assert (new.valid_from, new.sources) == (LATER, ("e9",))


def test_a_bare_triple_gives_its_own_slot() -> None:
    (new,) = settled([fact("f1")], said("Ana moved to Porto.")).facts
    assert (new.slot, new.question, new.object) == (("ana", "lives in"), "", "Porto")


def test_a_value_that_its_own_message_does_not_give_replaces_nothing() -> None:
    """ "Size 43, I wrongly ordered 42" can be read as a proposition on 42, and then says it of itself."""
    shoes = believed("What size are my shoes?", "43", "The user's shoes are size 43.")
    source = Source(
        Episode("e9", ANA, "Size 43, I wrongly ordered 42.", at=LATER, recorded_at=LATER), "size 43, not 42"
    )
    wrong = Proposition("The user's shoes are size 42.", "asserted", source)

    def say(content: str) -> str:
        return "43" if "43" in content and "shoes are size 42" not in content else "42"

    found = settle(ScriptedModel(say), [wrong], [], [], [shoes], ReadingSettings())
    assert found.facts == []


def test_what_was_only_meant_or_nearly_done_replaces_nothing() -> None:
    assert [new.object for new in settled([HOME], said("Ana moved to Porto.")).facts] == ["Porto"]
    assert not settled([HOME], said("Ana moved to Porto, nearly.")).facts


def test_a_pull_request_replaces_no_dentist() -> None:
    appointment = believed("When is my dentist appointment?", "Friday", "The user's dentist appointment is on Friday.")
    assert settled([appointment], said("PR 4127 was delayed to Monday.")).facts == []


def test_what_is_said_of_somebody_else_replaces_nothing() -> None:
    found = settled([HOME], said("Ben lives in Porto."), asked={"Where does Ben live?": "Porto"})
    assert [(each.question, each.object) for each in found.facts] == [("Where does Ben live?", "Porto")]


def test_the_same_again_is_evidence_and_no_second_fact() -> None:
    (again,) = settled([HOME], said("Ana lives in Lisbon."), asked={"Where does Ana live?": "Lisbon"}).facts
    assert (again.slot, again.object) == (HOME.slot, HOME.object)


def test_what_was_said_earlier_arrives_late_and_ends_nothing() -> None:
    early = said("Ana lives in Rome.", at=NIGHT - timedelta(days=9))
    (late,) = settled([HOME], early).facts
    assert (late.slot, late.object, late.valid_from < HOME.valid_from) == (HOME.slot, "Rome", True)


def test_a_denial_ends_the_value_that_it_names_and_states_none() -> None:
    found = settled([HOME], said("Ana does not live in Lisbon any more.", "denied"))
    assert (found.facts, found.ended) == ([], {"f1": "e9"})
    assert settled([HOME], said("Ana does not live in Porto.", "denied")).ended == {}


def test_a_denial_of_somebody_else_ends_nothing() -> None:
    told = said("Ana does not live in Lisbon any more.", "denied", role="assistant", trust="agent")
    assert settled([HOME], told).ended == {}


def test_a_question_that_an_older_fact_answers_is_no_slot_of_another_statement() -> None:
    """The reader does not take the new statement for the older one's new value, so its question would only confuse."""
    pet = believed("What is it called?", "Rex", "The dog is called Rex.")
    found = settled([pet], said("The boat has a name, Zora."), asked={"What is it called?": "Zora"})
    assert (found.facts, dict(found.left_out)) == ([], {"ambiguous": 1})


def test_a_plan_ends_with_the_day_that_it_is_for() -> None:
    planned = said("The user will fly to Oslo on 2026-05-17.", "planned")
    (flight,) = settled([], planned, asked={"Where will I fly?": "Oslo"}).facts
    assert flight.valid_to is not None
    assert f"{flight.valid_to:%Y-%m-%d %H:%M}" == "2026-05-18 00:00"


def test_subject_and_relation_come_from_the_text_where_it_has_them() -> None:
    (found,) = settled([], said("Ben lives in Porto."), asked={"Where does Ben live?": "Porto"}).facts
    assert (found.subject, found.relation) == ("Ben", "lives in")
    (odd,) = settled(
        [], said("At the kiln room, nine is closing."), asked={"When is the kiln room closed?": "nine"}
    ).facts
    assert (odd.subject, odd.relation) == ("kiln room", "When is the kiln room closed?")


PEOPLE, TOWNS = ("Ana", "Ben", "Cara", "Dan"), ("Lisbon", "Porto", "Oslo", "Riga")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TOWNS)), min_size=1, max_size=6))
def test_a_statement_never_takes_the_slot_of_another_person(moves: list[tuple[str, str]]) -> None:
    standing = [
        fact(f"f{n}", subject=who, object="Rome", text=f"{who} lives in Rome.", question=f"{who} lives in what?")
        for n, who in enumerate(PEOPLE)
    ]
    propositions = [
        said(f"{who} moved to {town}.", at=LATER + timedelta(hours=n)) for n, (who, town) in enumerate(moves)
    ]
    for each in settled(standing, *propositions).facts:
        assert each.question.split()[0] == each.text.split()[0]
        assert each.object in each.text


def test_of_two_questions_for_one_answer_grammars_is_preferred_where_they_are_close() -> None:
    contact = said("Ingrid is the contact for Nordvik.")

    def chosen(logprob: float) -> str:
        by_grammar = Question(contact, "", "Who is the contact for Nordvik?", "Ingrid", logprob, is_certain=True)
        own = Question(contact, "", "Who contacts Nordvik?", "Ingrid", -3.9)
        (found,) = settle(FakeModel(jobs=EVERY), [contact], [], [own, by_grammar], [], ReadingSettings()).facts
        return found.question

    assert (chosen(-4.0), chosen(-9.0)) == ("Who is the contact for Nordvik?", "Who contacts Nordvik?")
