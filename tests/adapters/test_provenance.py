"""The digests depend on the content, and on nothing else."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hybridmem.adapters.provenance import data_sha256, training_key
from hybridmem.core.records import Fact, TrainingItem
from tests.adapters.conftest import NOW, record

LATER = datetime(2027, 1, 1, tzinfo=UTC)
words = some.text(min_size=1, max_size=8)


def fact_of(id: str, text: str) -> Fact:
    return Fact(id, ("users", "ana"), "Ana", "lives in", "Riga", text, NOW)


@some.composite
def taught(draw: some.DrawFn) -> tuple[list[Fact], list[TrainingItem]]:
    """Facts of different texts, each with its items."""
    facts = [fact_of(f"f{n}", text) for n, text in enumerate(draw(some.lists(words, unique=True, max_size=4)))]
    items = []
    for fact in facts:
        for question, answer, context in draw(
            some.lists(some.tuples(words, words, some.lists(words, max_size=2)), max_size=3)
        ):
            kind = draw(some.sampled_from(["question", "reverse", "refusal"]))
            split = draw(some.sampled_from(["train", "dev", "test"]))
            items.append(
                TrainingItem(f"i{len(items)}", fact.namespace, fact.id, kind, question, answer, tuple(context), split)
            )
    return facts, items


def renamed(facts: list[Fact], items: list[TrainingItem]) -> tuple[list[Fact], list[TrainingItem]]:
    """The same content under other ids, in another namespace, at another time."""
    return (
        [replace(f, id=f"other-{f.id}", namespace=("b",), valid_from=LATER, recorded_at=LATER) for f in facts],
        [replace(i, id=f"other-{i.id}", namespace=("b",), fact=f"other-{i.fact}") for i in items],
    )


def key(facts: list[Fact], items: list[TrainingItem], **values: Any) -> str:
    given = {"base_sha256": "b" * 64, "recipe": {"rank": 4}, "seed": 0, "parent": None, **values}
    return training_key(facts=facts, items=items, **given)


@given(taught(), some.randoms(use_true_random=False))
def test_the_same_content_has_the_same_digest_in_any_order_under_any_ids(
    data: tuple[list[Fact], list[TrainingItem]], rng: random.Random
) -> None:
    facts, items = renamed(*data)
    rng.shuffle(facts)
    rng.shuffle(items)
    assert data_sha256(facts, items) == data_sha256(*data)


@given(taught(), words, some.data())
def test_any_other_text_has_another_digest(
    data: tuple[list[Fact], list[TrainingItem]], word: str, draw: some.DataObject
) -> None:
    facts, items = data
    before = data_sha256(facts, items)
    if facts:
        at = draw.draw(some.integers(0, len(facts) - 1))
        other = [replace(f, text=f.text + word) if n == at else f for n, f in enumerate(facts)]
        if sorted(f.text for f in other) != sorted(f.text for f in facts):
            assert data_sha256(other, items) != before
        assert data_sha256(facts[1:], items) != before
    if items:
        at = draw.draw(some.integers(0, len(items) - 1))
        item = items[at]
        for changed in (
            replace(item, question=item.question + word),
            replace(item, answer=item.answer + word),
            replace(item, context=(*item.context, word)),
            replace(item, kind="question" if item.kind != "question" else "refusal"),
            replace(item, split="train" if item.split != "train" else "dev"),
        ):
            others = [*items[:at], changed, *items[at + 1 :]]
            assert data_sha256(facts, others) != before
            assert key(facts, others) != key(facts, items)
        assert data_sha256(facts, items[1:]) != before


def test_an_item_belongs_to_its_fact() -> None:
    facts = [fact_of("f1", "Ana lives in Riga."), fact_of("f2", "Ben lives in Oslo.")]
    item = TrainingItem("i", ("users", "ana"), "f1", "question", "Where?", "Riga", (), "train")
    assert data_sha256(facts, [item]) != data_sha256(facts, [replace(item, fact="f2")])
    stray = replace(item, fact="another")
    assert data_sha256(facts, [item, stray]) == data_sha256(facts, [item])
    assert key(facts, [item, stray]) == key(facts, [item])


def test_a_reader_can_compute_the_digest_by_hand() -> None:
    import hashlib

    item = TrainingItem("i", ("users", "ana"), "f1", "question", "Where?", "Riga", ("Ana lives in Riga.",), "train")
    entries = [["Ana lives in Riga.", [["question", "Where?", "Riga", ["Ana lives in Riga."], "train"]]]]
    by_hand = hashlib.sha256(json.dumps(entries, separators=(",", ":")).encode()).hexdigest()
    assert data_sha256([fact_of("f1", "Ana lives in Riga.")], [item]) == by_hand


@given(taught())
def test_a_training_is_known_by_its_content_under_any_ids(data: tuple[list[Fact], list[TrainingItem]]) -> None:
    assert key(*renamed(*data)) == key(*data)


@pytest.mark.parametrize(
    "change",
    [
        {"base_sha256": "c" * 64},
        {"recipe": {"rank": 8}},
        {"seed": 1},
        {"parent": record(version="v0001", files={"adapter_model.safetensors": "a" * 64})},
    ],
)
def test_whatever_decides_a_training_is_in_its_key(change: dict[str, Any]) -> None:
    facts = [fact_of("f1", "Ana lives in Riga."), fact_of("f2", "Ben lives in Oslo.")]
    assert key(facts, [], **change) != key(facts, [])
    assert key(facts[::-1], []) != key(facts, []), "the sampler draws by position"


def test_the_parent_counts_by_its_weights() -> None:
    files = {"adapter_model.safetensors": "a" * 64}
    one = record(version="v0001", files=files)
    assert key([], [], parent=one) == key([], [], parent=replace(one, version="v0007", dream="another"))
    assert key([], [], parent=one) != key([], [], parent=replace(one, files={"adapter_model.safetensors": "b" * 64}))
