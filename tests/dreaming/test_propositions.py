"""Nights that read by propositions: what becomes a fact, what does not, and what a night may do to what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.records import DreamReport, Fact
from hybridmem.dreaming import recipes
from hybridmem.dreaming.cycle import by_propositions
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.jobs import EVERY
from tests.dreaming.nights import ANA, ScriptedModel, open_memory

DEFAULT = recipes.load("default")
PROPOSITIONS = replace(DEFAULT, extract="propositions")
UNTRUE = (
    "I do not live in Porto.",
    "I never worked at Acme.",
    "If I lived in Rome, I'd surf.",
    "I wish I worked at Google.",
    "It is not true that I live in Oslo.",
    "Nobody in my family drinks coffee.",
    "Pretend that I live in Riga.",
    "I live in Paris. Just kidding!",
    'Ana said: "I live in Porto now, you know."',
    "What are the KPIs for user Christophe?",
    "My friend Jack said he does not like football, but his father enrolled him in a class.",
)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel(jobs=EVERY)) as opened:
        yield opened


def facts(memory: HybridMemory, **given: Any) -> list[Fact]:
    return memory.ledger.facts(ANA, **given)


def counts(report: DreamReport) -> dict[str, int]:
    return next(dict(step.counts) for step in report.steps if step.name == "extract")


def test_the_reader_decides_which_way_is_taken() -> None:
    assert by_propositions(FakeModel(jobs=EVERY), DEFAULT)
    assert not by_propositions(FakeModel(), DEFAULT)
    assert not by_propositions(ScriptedModel(lambda content: "none"), DEFAULT)
    assert by_propositions(FakeModel(), PROPOSITIONS)
    assert not by_propositions(FakeModel(jobs=EVERY), replace(DEFAULT, extract="triples"))


def test_a_fact_is_a_question_with_its_answer_and_its_sentence(memory: HybridMemory) -> None:
    (episode,) = memory.add("Ana lives in Lisbon.")
    report = memory.dream(recipe=DEFAULT)
    (fact,) = facts(memory)
    assert (fact.object, fact.text, fact.sources) == ("Lisbon", "Ana lives in Lisbon.", (episode.id,))
    assert fact.slot == ("", fact.question.lower().strip(".?"))
    assert (fact.subject, fact.relation) == ("Ana", "lives in")
    assert counts(report)["propositions"] == 1


def test_what_is_not_so_becomes_no_fact_and_ends_none(memory: HybridMemory) -> None:
    memory.add("I live in Lisbon.", at="2026-02-01")
    memory.dream(recipe=DEFAULT)
    (home,) = facts(memory)
    for day, text in enumerate(UNTRUE, start=2):
        memory.add(text, at=f"2026-02-{day:02}")
    memory.add([{"role": "assistant", "content": "I love recursion. I live in Berlin."}], at="2026-02-20")
    report = memory.dream(recipe=DEFAULT)
    of_user = [fact for fact in facts(memory) if fact.subject == "I"]
    assert of_user == [home]
    assert not any("Porto" in fact.object or "football" in fact.object for fact in facts(memory))
    left = {name: count for name, count in counts(report).items() if name.startswith("left_out_")}
    assert {"left_out_denied", "left_out_wished", "left_out_conditional", "left_out_joked", "left_out_asked"} <= set(
        left
    )


def test_the_only_name_of_the_user_is_read_as_i(memory: HybridMemory) -> None:
    memory.add("I live in Lisbon.", speaker="Ana", at="2026-02-01")
    memory.dream(recipe=DEFAULT)
    (home,) = facts(memory)
    assert (home.subject, home.object) == ("I", "Lisbon")
    memory.add("I live in Porto.", speaker="Ben", at="2026-02-02")
    memory.dream(recipe=DEFAULT)
    assert {fact.subject: fact.object for fact in facts(memory)} == {"I": "Lisbon", "Ben": "Porto"}


def test_dates_are_resolved_by_the_day_of_the_message(memory: HybridMemory) -> None:
    memory.add("I moved to Porto yesterday. My exam is next Friday.", at="2026-05-04T10:00:00Z")
    memory.dream(recipe=DEFAULT)
    texts = [fact.text for fact in facts(memory)]
    assert "The user's exam is on 2026-05-08." in texts
    assert not any("yesterday" in text or "Friday" in text for text in texts)


def test_a_change_takes_the_slot_and_the_old_value_stays_in_the_past(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-02-01")
    memory.dream(recipe=DEFAULT)
    (old,) = facts(memory)
    memory.add("Ana moved to Porto.", at="2026-02-05")
    report = memory.dream(recipe=DEFAULT)
    (new,) = facts(memory)
    assert (new.object, new.question, counts(report)["superseded"]) == ("Porto", old.question, 1)
    assert [fact.object for fact in memory.ledger.facts(ANA, as_of=old.valid_from)] == ["Lisbon"]
    assert memory.ledger.get(ANA, old.id).superseded_by == new.id


def test_a_denial_ends_the_value_that_it_names(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-02-01")
    memory.dream(recipe=DEFAULT)
    memory.add("Ana does not live in Lisbon any more.", at="2026-02-05")
    report = memory.dream(recipe=DEFAULT)
    assert (facts(memory), counts(report)["ended"]) == ([], 1)
    assert len(facts(memory, include_retired=True)) == 1


def test_what_is_said_and_denied_in_one_night_is_over(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-02-01")
    memory.dream(recipe=DEFAULT)
    memory.add("Ana moved to Porto.", at="2026-02-05")
    memory.add("Ana does not live in Porto any more.", at="2026-02-07")
    memory.dream(recipe=DEFAULT)
    assert facts(memory) == []
    assert [fact.object for fact in facts(memory, include_retired=True)] == ["Lisbon", "Porto"]


def test_what_the_web_says_is_not_read_and_quarantined_episodes_wait(memory: HybridMemory) -> None:
    memory.add("Ana lives in Mordor.", trust="web")
    (aside,) = memory.add("Ana lives in Oslo.")
    memory.quarantine(aside.id)
    memory.dream(recipe=DEFAULT)
    assert facts(memory) == []
    memory.release(aside.id)
    memory.dream(recipe=DEFAULT)
    assert [fact.object for fact in facts(memory)] == ["Oslo"]


def test_a_night_that_would_retire_too_much_is_refused_and_retires_nothing(memory: HybridMemory) -> None:
    people = ("Ana", "Ben", "Cara", "Dan", "Eva", "Finn", "Gus", "Hana")
    for number, person in enumerate(people):
        memory.add(f"{person} lives in Lisbon.", at=f"2026-02-{number + 1:02}")
    memory.dream(recipe=DEFAULT)
    before = facts(memory)
    assert len(before) == len(people)
    for number, person in enumerate(people):
        change = "moved to Porto" if number % 2 else "does not live in Lisbon any more"
        memory.add(f"{person} {change}.", at=f"2026-03-{number + 1:02}")
    report = memory.dream(recipe=replace(DEFAULT, max_retired_share=0.5))
    assert counts(report)["refused"] == len(people)
    assert facts(memory) == before
    assert len(memory.ledger.unextracted(ANA)) == len(people)


@pytest.mark.parametrize("extract", ["propositions", "triples"])
def test_a_night_hides_no_episode(memory: HybridMemory, extract: str) -> None:
    """What was said is found by its own exact words, whatever was extracted from it and from what came after."""
    texts = [
        f"{who} {what}." for who in ("Ana", "Ben") for what in ("lives in Lisbon", "lives in Porto", "works at Acme")
    ]
    for day, text in enumerate((*texts, *UNTRUE), start=1):
        memory.add(text, at=f"2026-02-{day:02}")
    said = list(memory.list(kind="episode"))

    def found() -> list[list[str]]:
        return [[hit.text for hit in memory.search(e.text, limit=1, kinds=("episode",))] for e in said]

    before = found()
    recipe = replace(DEFAULT, extract=extract)
    assert counts(memory.dream(recipe=recipe))["superseded"] >= 2
    assert any(episode.superseded_by for episode in memory.list(kind="episode") if episode.id)  # type: ignore[union-attr]
    assert found() == before == [[episode.text] for episode in said]


def test_a_person_who_replaces_a_value_still_hides_what_said_it(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-02-01")
    memory.dream(recipe=replace(DEFAULT, extract="triples"))
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2026-02-20")
    assert [hit.text for hit in memory.search("Ana lives in Lisbon.")] == ["Ana lives in Porto."]


def test_an_unknown_way_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extract = "sentences"\n')
    with pytest.raises(Exception, match="no extract = 'sentences'") as refused:
        recipes.load(path)
    assert "\n" not in str(refused.value)
