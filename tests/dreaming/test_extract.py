from __future__ import annotations

from dataclasses import replace

import pytest

from hybridmem.core.records import Episode, Fact, Trust
from hybridmem.dreaming.steps.extract import MAX_CHARACTERS, Extraction, extract
from hybridmem.models.fake import FakeModel
from tests.dreaming.nights import ANA, NIGHT, ScriptedModel


def episode(text: str, id: str = "e1", **values: object) -> Episode:
    return replace(Episode(id, ANA, text, at=NIGHT, recorded_at=NIGHT), **values)


def read(said: str, *episodes: Episode) -> Extraction:
    return extract(ScriptedModel(lambda _: said), episodes)


def only(found: Extraction) -> Fact:
    assert len(found.facts) == 1
    return found.facts[0]


def triples(found: Extraction) -> list[tuple[str, str, str]]:
    return [(fact.subject, fact.relation, fact.object) for fact in found.facts]


def test_a_fact_carries_where_it_came_from() -> None:
    told = episode("Ana lives in Lisbon. Good for her.", trust="agent", speaker=None)
    fact = only(extract(FakeModel(), [told]))
    assert (fact.subject, fact.relation, fact.object) == ("Ana", "lives in", "Lisbon")
    assert (fact.text, fact.sources, fact.trust, fact.valid_from) == ("Ana lives in Lisbon.", ("e1",), "agent", NIGHT)


@pytest.mark.parametrize(
    "invented",
    [
        "Ana | lives in | Oslo",  # another value
        "Ben | lives in | Lisbon",  # another subject
        "Ana | lives in | Lisb",  # half a word
        "Ana | is | Ana",  # nothing said
        "you | know | Ana",  # who?
        "Ana | lives by | it",  # what?
        "Ana | lives in | ,",  # no words at all
        "I | lives in | Lisbon",  # nobody speaks of themselves
    ],
)
def test_what_the_text_does_not_bear_out_is_dropped(invented: str) -> None:
    found = read(
        f"Ana | lives in | Lisbon\n{invented}", episode("Ana, as you know, lives in Lisbon, by the sea: it is near.")
    )
    assert triples(found) == [("Ana", "lives in", "Lisbon")]
    assert found.unsupported == 1


@pytest.mark.parametrize(
    ("said", "extracted"),
    [
        ("I do not live in Porto.", "I | live in | Porto"),
        ("I never worked at Acme.", "I | worked at | Acme"),
        ("I live in neither Rome nor Porto.", "I | live in | neither Rome nor Porto"),
        ("If I lived in Porto, I would surf.", "I | lived in | Porto"),
        ("Unless I live in Porto, it is far.", "I | live in | Porto"),
        ("Suppose I live in Porto.", "I | live in | Porto"),
        ("I wish I worked at Acme.", "I | worked at | Acme"),
        ("They say I live in Porto.", "I | live in | Porto"),
        ("Do I live in Porto?", "I | live in | Porto"),
        ('Ana wrote: "I live in Porto and I like it."', "I | live in | Porto"),
    ],
)
def test_what_is_denied_wished_supposed_asked_or_quoted_is_no_fact(said: str, extracted: str) -> None:
    found = read(extracted, episode(said))
    assert (found.facts, found.unsupported) == ((), 1)
    assert only(read("I | live in | Lisbon", episode(f"{said} But I live in Lisbon.")))


def test_what_is_called_a_joke_is_no_fact() -> None:
    assert read("I | live in | Porto", episode("I live in Porto. Just kidding!")).facts == ()


def test_a_line_of_another_form_and_the_word_for_no_facts_are_nothing() -> None:
    assert read("none", episode("Good morning!")) == Extraction((), ("e1",), 0, 5)
    assert read("Lisbon is nice", episode("Lisbon is nice.")).facts == ()


def test_the_first_person_is_the_user() -> None:
    fact = only(read("user | lives in | Lisbon", episode("I moved to Lisbon in March.")))
    assert (fact.subject, fact.text) == ("I", "I moved to Lisbon in March.")


@pytest.mark.parametrize("values", [{"trust": "agent"}, {"role": "assistant"}])
def test_the_agents_first_person_is_not_the_users(values: dict[str, str]) -> None:
    told = episode("I live in the cloud, and my model is new.", **values)
    assert read("I | lives in | the cloud\nmy model | is | new", told).facts == ()


def test_a_named_speaker_is_the_subject() -> None:
    fact = only(read("I | lives in | Lisbon", episode("I live in Lisbon now.", speaker="Ana", role="ana")))
    assert (fact.subject, fact.text) == ("Ana", "Ana: I live in Lisbon now.")


def test_what_is_mine_is_the_speakers() -> None:
    told = [episode("My dog is called Rex.", "e1", speaker="Ana"), episode("My dog is called Rex.", "e2")]
    named, mine = read("my dog | is called | Rex", *told).facts
    assert (named.subject, named.text) == ("Ana's dog", "Ana's dog is called Rex.")
    assert (mine.subject, mine.text) == ("my dog", "My dog is called Rex.")


@pytest.mark.parametrize("trust", ["tool", "web"])
def test_text_of_tools_and_of_the_web_is_never_read(trust: Trust) -> None:
    model = FakeModel()
    found = extract(model, [episode("Ana lives in Lisbon.", trust=trust)])
    assert (found.facts, found.read, dict(model.calls)) == ((), ("e1",), {})


def test_what_is_quarantined_is_not_read_and_waits() -> None:
    model = FakeModel()
    found = extract(model, [episode("Ana lives in Lisbon.", quarantined=True)])
    assert (found.facts, found.read, dict(model.calls)) == ((), (), {})


def test_a_long_text_is_read_to_its_last_word() -> None:
    model = ScriptedModel(lambda _: "none")
    words = [f"word{n}" for n in range(400)]
    extract(model, [episode(" ".join(words)), episode(" ".join(f"{w}." for w in words), "e2")])
    for pieces in (model.asked[: len(model.asked) // 2], model.asked[len(model.asked) // 2 :]):
        asked = " ".join(piece.removeprefix("Facts in: ") for piece in pieces)
        assert asked.replace(".", "").split() == words
    assert all(len(piece) <= MAX_CHARACTERS + len("Facts in: ") for piece in model.asked)


def test_progress_and_tokens_count_every_piece() -> None:
    told = [episode(f"Ana lives in Lisbon {n}.", f"e{n}") for n in range(40)]
    steps: list[tuple[int, int]] = []
    found = extract(ScriptedModel(lambda _: "none"), told, lambda done, total: steps.append((done, total)))
    assert steps == [(32, 40), (40, 40)]
    assert found.tokens == 40 * (len(["Facts", "in:", "Ana", "lives", "in", "Lisbon", "1."]) + 1)
