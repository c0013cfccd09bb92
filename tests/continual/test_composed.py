from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.continual import registry
from hybridmem.continual.base import NightInput, Replayable
from hybridmem.continual.buffers import EqualShares
from hybridmem.core.records import Fact, TrainingItem
from hybridmem.models.prompts import REFUSAL, Message
from hybridmem.models.trainable import Example
from hybridmem.training.examples import ExamplePools, by_fact
from hybridmem.training.plan import TrainingPlan
from hybridmem.training.sampler import PoolSampler
from hybridmem.training.settings import TrainSettings
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


PARENT = Path("parent")


def planned(
    strategy: str = "replay",
    words: Words | None = None,
    *,
    new: Sequence[Fact] = NEW,
    old: Sequence[Fact] = OLD,
    items: Sequence[TrainingItem] = ITEMS,
    parent: Path | None = PARENT,
    seed: int = 0,
) -> TrainingPlan:
    """What `strategy` plans for a night on which f4 had missed two questions of its last audit."""
    given = night_input(new=tuple(new), old=tuple(old), items=tuple(items), parent=parent, seed=seed)
    return registry.get(strategy).plan(words or Words(), given, TrainSettings())


def night_input(**changes: Any) -> NightInput:
    return replace(NightInput(tuple(NEW), tuple(OLD), tuple(ITEMS), {"f4": 2.0}, tuple(GENERAL), PARENT, 0), **changes)


def made(
    words: Words | None = None, *, strategy: str = "replay", seed: int = 0, items: Sequence[TrainingItem] = ITEMS
) -> ExamplePools:
    sampler = planned(strategy, words, items=items, seed=seed).sampler
    assert isinstance(sampler, PoolSampler)
    return sampler.pools


def test_only_training_items_are_trained_on() -> None:
    words = Words()
    shown = {words.text(example.prompt) for example in made(words).every()}
    held_out = {f"Question: {item.question}" for item in ITEMS if item.split != "train"}
    assert not shown & held_out
    assert {f"Question: {item.question}" for item in ITEMS if item.split == "train"} <= shown


def test_naive_has_only_the_questions_on_new_facts() -> None:
    night = made(strategy="naive")
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
def test_the_replay_buffer_gives_equal_shares(sizes: list[int], limit: int, seed: int) -> None:
    item = ITEMS[0]
    grouped = {
        f"f{n}": [replace(item, id=f"{n}-{m}", fact=f"f{n}") for m in range(size)] for n, size in enumerate(sizes)
    }
    drawn = EqualShares().select(Replayable(grouped, {"f0": 2.0}, dict), limit, random.Random(seed))
    kept = {each.fact: each.items for each in drawn}
    assert [each.weight for each in drawn] == [3.0] + [1.0] * (len(sizes) - 1)
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
    one, other = PoolSampler(night, SETTINGS, 5), PoolSampler(night, SETTINGS, 5)
    forwards = [one.rows(step) for step in range(10)]
    backwards = [other.rows(step) for step in reversed(range(10))]
    assert forwards == backwards[::-1]
    assert forwards != [PoolSampler(night, SETTINGS, 6).rows(step) for step in range(10)]
    assert len({tuple(rows) for rows in forwards}) > 1


@settings(max_examples=50, deadline=None)
@given(facts=st.integers(1, 20), seed=st.integers(0, 10**6))
def test_every_new_fact_is_drawn_as_often_as_the_others(facts: int, seed: int) -> None:
    sampler = PoolSampler(ExamplePools(new=numbered(facts)), SETTINGS, seed)
    for step in range(3):
        rows = sampler.rows(step)
        drawn = [sum(row.completion == (g,) for row in rows) for g in range(facts)]
        assert sum(drawn) == SETTINGS.new_rows
        assert max(drawn) - min(drawn) <= 1


def test_every_new_fact_is_drawn_within_a_night() -> None:
    sampler = PoolSampler(ExamplePools(new=numbered(20)), SETTINGS, 0)
    steps = SETTINGS.steps_for(20)
    assert {row.completion for step in range(steps) for row in sampler.rows(step)} == {(g,) for g in range(20)}


def test_a_step_has_the_recipes_rows_and_none_of_an_empty_pool() -> None:
    night = made()
    assert len(PoolSampler(night, SETTINGS, 0).rows(0)) == 6 + 4 + 2 + 1 + 1
    assert len(PoolSampler(replace(night, refusal=(), general=()), SETTINGS, 0).rows(0)) == 6 + 4 + 1
    assert PoolSampler(ExamplePools(new=()), SETTINGS, 0).rows(0) == []


def test_the_base_rehearses_its_own_answers() -> None:
    given = night_input(unrelated=(("How many legs has a spider?", "Eight."), ("Who is Ana?", "I don't know.")))
    settings = replace(SETTINGS, unrelated_rows=3)
    sampler = registry.get("replay").plan(Words(), given, settings).sampler
    assert isinstance(sampler, PoolSampler)
    assert len(sampler.pools.unrelated) == 2
    for example in sampler.pools.unrelated:
        assert example.gold and example.prompt == example.teacher_prompt and not example.closed_book
    assert sum(row in sampler.pools.unrelated for row in sampler.rows(0)) == 3
    assert set(sampler.pools.unrelated) <= set(sampler.examples())
    naive = registry.get("naive").plan(Words(), given, settings).sampler
    assert isinstance(naive, PoolSampler) and naive.pools.unrelated == ()


def test_the_least_steps_win_over_the_most() -> None:
    assert TrainSettings(max_steps=10).steps_for(1) == TrainSettings().min_steps


@pytest.mark.parametrize(("facts", "steps"), [(0, 24), (1, 24), (10, 50), (30, 150), (300, 150)])
def test_steps_give_every_fact_its_exposures_within_bounds(facts: int, steps: int) -> None:
    bounded = TrainSettings(exposures=120, new_rows=24, min_steps=24, max_steps=150)
    assert bounded.steps_for(facts) == steps


def test_grouping_keeps_the_training_split_and_the_kinds_asked_for() -> None:
    grouped: dict[str, list[TrainingItem]] = by_fact(ITEMS, ("refusal",))
    assert {len(items) for items in grouped.values()} == {1}
    assert by_fact([], ("question",)) == {}


# ---- each strategy's own choices


def subjects(plan: TrainingPlan, words: Words, pool: str) -> set[str]:
    """Whose facts are asked for in `pool`."""
    found: set[str] = set()
    for group in getattr(plan.sampler.pools, pool):  # type: ignore[attr-defined]
        for example in group if isinstance(group, tuple) else [group]:
            found |= {f.subject for f in (*NEW, *OLD) if f.subject in words.text(example.prompt)}
    return found


def test_distil_only_differs_from_replay_in_the_older_facts_alone() -> None:
    words = Words()
    replay, without = planned("replay", words), planned("distil-only", words)
    assert subjects(replay, words, "old") == {"Cara", "Dan", "Eve"}
    assert subjects(without, words, "old") == set()
    for pool in ("new", "refusal", "reading", "general"):
        assert getattr(without.sampler.pools, pool), pool  # type: ignore[attr-defined]
    assert without.objectives == replay.objectives
    assert (without.parent, without.steps) == (replay.parent, replay.steps)
    assert without.sampler.pools.new == replay.sampler.pools.new  # type: ignore[attr-defined]


def test_replay_only_has_neither_a_teacher_nor_general_text() -> None:
    plan = planned("replay-only")
    assert [objective.name for objective in plan.objectives] == ["cross-entropy"]
    assert not any(objective.needs_teacher for objective in plan.objectives)
    pools = plan.sampler.pools  # type: ignore[attr-defined]
    assert (len(pools.old), len(pools.general)) == (len(OLD), 0)
    assert pools.refusal and pools.reading


def test_joint_learns_every_fact_anew_with_its_full_exposures() -> None:
    words = Words()
    plan = planned("joint", words)
    assert plan.parent is None
    assert subjects(plan, words, "new") == {"Ana", "Ben", "Cara", "Dan", "Eve"}
    many = [fact(f"g{n}", f"Sub{n}", f"Town{n}") for n in range(60)]
    plan = planned("joint", new=many, old=(), items=[item for f in many for item in items_of(f)])
    assert plan.steps == TrainSettings().steps_for(60, bounded=False) > TrainSettings().max_steps


@pytest.mark.parametrize(("strategy", "learned"), [("replay", 5), ("replay-only", 5), ("naive", 2), ("distil-only", 2)])
def test_a_rebuild_learns_everything_anew_where_the_strategy_replays(strategy: str, learned: int) -> None:
    plan = planned(strategy, parent=None)
    assert plan.parent is None
    assert len(plan.sampler.pools.new) == learned  # type: ignore[attr-defined]


def test_a_rebuild_of_many_facts_takes_the_steps_of_many_nights() -> None:
    """In one night's steps no gate would pass it, and what has to leave the weights would stay there."""
    many = [fact(f"g{n}", f"Sub{n}", f"Town{n}") for n in range(60)]
    items = [item for f in (*many, *NEW) for item in items_of(f)]
    settings = TrainSettings()
    rebuilt = planned("replay", old=many, items=items, parent=None)
    assert rebuilt.steps == 2 * settings.max_steps
    assert planned("replay", old=many, items=items).steps <= settings.max_steps
    never_told = planned("replay", new=(*many, *NEW), old=(), items=items, parent=None)
    assert never_told.steps == rebuilt.steps


def test_a_rebuild_with_nothing_new_learns_what_is_left_even_without_replay() -> None:
    plan = planned("naive", new=(), parent=None)
    assert len(plan.sampler.pools.new) == len(OLD)  # type: ignore[attr-defined]


@pytest.mark.parametrize("strategy", ["replay", "distil-only", "replay-only", "naive", "joint"])
def test_the_estimate_is_what_the_plan_takes(strategy: str) -> None:
    settings = TrainSettings()
    plan = planned(strategy)
    expected = registry.get(strategy).expect(len(NEW), len(OLD), settings)
    rows = plan.sampler.rows(0)
    assert expected.steps == plan.steps
    assert expected.rows == sum(row.gold for row in rows)
    assert expected.general_rows == sum(not row.gold for row in rows)
