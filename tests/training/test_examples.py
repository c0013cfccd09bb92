from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.records import TrainingItem
from hybridmem.dreaming.recipes import TrainSettings
from hybridmem.models.prompts import REFUSAL, Message
from hybridmem.training import examples as replay
from hybridmem.training.examples import (
    Example,
    ExamplePools,
    Sampler,
    build_examples,
    by_fact,
    steps_of,
    storage_policy,
)
from tests.dreaming.nights import fact, items_of


class Words:
    """Renders a word as its place in the list of words seen so far."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]:
        return self.ids(messages[-1]["content"]), [*self.ids(completion), -1]

    def ids(self, text: str) -> list[int]:
        for word in text.split():
            if word not in self.seen:
                self.seen.append(word)
        return [self.seen.index(word) for word in text.split()]

    def text(self, ids: Sequence[int]) -> str:
        return " ".join(self.seen[id] for id in ids if id >= 0)


NEW = [fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo")]
OLD = [fact("f3", "Cara", "Riga"), fact("f4", "Dan", "Porto"), fact("f5", "Eve", "Bern")]
ITEMS = [item for f in (*NEW, *OLD) for item in items_of(f)]
GENERAL = [tuple(range(n, n + 8)) for n in range(60)]


def made(words: Words | None = None, *, replayed: bool = True, seed: int = 0, **given: object) -> ExamplePools:
    values: dict[str, object] = {"new": NEW, "old": OLD, "items": ITEMS, "weak": {"f4": 2.0}, "general": GENERAL}
    return build_examples(words or Words(), **{**values, **given}, replay=replayed, seed=seed)  # type: ignore[arg-type]


def test_only_training_items_are_trained_on() -> None:
    words = Words()
    shown = {words.text(example.prompt) for example in made(words).every()}
    held_out = {f"Question: {item.question}" for item in ITEMS if item.split != "train"}
    assert not shown & held_out
    assert {f"Question: {item.question}" for item in ITEMS if item.split == "train"} <= shown


def test_naive_has_only_the_questions_on_new_facts() -> None:
    night = made(replayed=False)
    assert [len(group) for group in night.new] == [2, 2]
    assert (night.old, night.refusal, night.reading, night.general) == ((), (), (), ())


def test_the_teacher_reads_the_memory_and_the_student_does_not() -> None:
    words = Words()
    example = made(words).new[0][0]
    assert words.text(example.prompt) == "Question: Where does Ana live?"
    assert words.text(example.teacher_prompt) == "Memories: - Ana lives in Lisbon. Question: Where does Ana live?"
    assert words.text(example.completion) == "Lisbon"
    assert example.gold


def test_refusals_of_new_and_old_facts_are_replayed_and_of_others_not() -> None:
    words = Words()
    replaced = items_of(fact("f9", "Zoe", "Rome"))
    night = made(words, items=[*ITEMS, *replaced])
    assert {words.text(example.completion) for example in night.refusal} == {REFUSAL}
    assert len(night.refusal) == len(NEW) + len(OLD)
    assert not [example for example in night.every() if "Zoe" in words.text(example.prompt)]


def test_a_reading_exercise_without_its_fact_is_refused() -> None:
    words = Words()
    told = {words.text(e.prompt): words.text(e.completion) for e in made(words).reading}
    assert set(told.values()) > {REFUSAL}
    for prompt, answer in told.items():
        memories, _, question = prompt.removeprefix("Memories: - ").partition(" Question: ")
        [known] = [f for f in (*NEW, *OLD) if f.subject in question]
        assert (known.text in memories.split(" - ")) == (answer == known.object)


def test_what_the_last_audit_missed_weighs_more() -> None:
    assert made().old_weights == (1.0, 3.0, 1.0)


def test_the_same_seed_makes_the_same_pools_and_another_seed_others() -> None:
    assert made(seed=3) == made(seed=3)
    assert made(seed=3) != made(seed=4)


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=20),
    limit=st.integers(1, 200),
    seed=st.integers(0, 10**6),
)
def test_the_storage_policy_gives_equal_shares(sizes: list[int], limit: int, seed: int) -> None:
    item = ITEMS[0]
    grouped = {
        f"f{n}": [replace(item, id=f"{n}-{m}", fact=f"f{n}") for m in range(size)] for n, size in enumerate(sizes)
    }
    kept = storage_policy(grouped, limit, random.Random(seed))
    share = max(1, limit // len(sizes))
    assert {fact: len(items) for fact, items in kept.items()} == {
        fact: min(share, len(items)) for fact, items in grouped.items()
    }
    assert sum(map(len, kept.values())) <= max(limit, len(sizes))
    for fact_, items in kept.items():
        assert len({i.id for i in items}) == len(items)
        assert {i.fact for i in items} == {fact_}


def numbered(groups: int, size: int = 2) -> tuple[tuple[Example, ...], ...]:
    return tuple(tuple(Example((g, m), (g,), (g, m), gold=True) for m in range(size)) for g in range(groups))


SETTINGS = TrainSettings(new_rows=6, old_rows=4, refusal_rows=2, reading_rows=1, general_rows=1)


def test_the_sampler_is_a_pure_function_of_seed_and_step() -> None:
    night = made()
    one, other = Sampler(night, SETTINGS, 5), Sampler(night, SETTINGS, 5)
    forwards = [one.rows(step) for step in range(10)]
    backwards = [other.rows(step) for step in reversed(range(10))]
    assert forwards == backwards[::-1]
    assert forwards != [Sampler(night, SETTINGS, 6).rows(step) for step in range(10)]
    assert len({tuple(rows) for rows in forwards}) > 1


@settings(max_examples=50, deadline=None)
@given(facts=st.integers(1, 20), seed=st.integers(0, 10**6))
def test_every_new_fact_is_drawn_as_often_as_the_others(facts: int, seed: int) -> None:
    sampler = Sampler(ExamplePools(new=numbered(facts)), SETTINGS, seed)
    for step in range(3):
        rows = sampler.rows(step)
        drawn = [sum(row.completion == (g,) for row in rows) for g in range(facts)]
        assert sum(drawn) == SETTINGS.new_rows
        assert max(drawn) - min(drawn) <= 1


def test_every_new_fact_is_drawn_within_a_night() -> None:
    sampler = Sampler(ExamplePools(new=numbered(20)), SETTINGS, 0)
    steps = steps_of(20, SETTINGS)
    assert {row.completion for step in range(steps) for row in sampler.rows(step)} == {(g,) for g in range(20)}


def test_a_step_has_the_recipes_rows_and_none_of_an_empty_pool() -> None:
    night = made()
    assert len(Sampler(night, SETTINGS, 0).rows(0)) == 6 + 4 + 2 + 1 + 1
    assert len(Sampler(replace(night, refusal=(), general=()), SETTINGS, 0).rows(0)) == 6 + 4 + 1
    assert Sampler(ExamplePools(new=()), SETTINGS, 0).rows(0) == []


@pytest.mark.parametrize(("facts", "steps"), [(0, 24), (1, 24), (10, 50), (30, 150), (300, 150)])
def test_steps_give_every_fact_its_exposures_within_bounds(facts: int, steps: int) -> None:
    bounded = TrainSettings(exposures=120, new_rows=24, min_steps=24, max_steps=150)
    assert steps_of(facts, bounded) == steps


def test_grouping_keeps_the_training_split_and_the_kinds_asked_for() -> None:
    grouped: dict[str, list[TrainingItem]] = by_fact(ITEMS, ("refusal",))
    assert {len(items) for items in grouped.values()} == {1}
    assert replay.by_fact([], ("question",)) == {}
