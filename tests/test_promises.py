"""The promises, in a small form that can fail: learning, forgetting, refusing, changing and deleting, in the weights.

The bundled base lives through two nights of four facts, with fewer rows a step than by default. The full form is
`hybridmem bench forgetting` and the demo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hybridmem import HybridMemory
from hybridmem.dreaming import recipes
from hybridmem.metrics import is_correct
from hybridmem.models.prompts import is_refusal
from tests.promises import FACTS, STRANGERS, held

NIGHTS = FACTS[:4], FACTS[4:8]
DEFAULT = recipes.load("default")
SMALL = replace(
    DEFAULT,
    name="small",
    compose=replace(DEFAULT.compose, samples=12),
    train=replace(DEFAULT.train, exposures=40, min_steps=12, new_rows=16, old_rows=10, refusal_rows=7),
    eval=replace(DEFAULT.eval, drift_rows=6, calibration_questions=24),
)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path_factory.mktemp("promises") / "memory") as opened:
        for night in NIGHTS:
            for text, _, _ in night:
                opened.add(text)
            assert opened.dream(recipe=SMALL).status == "promoted"
        yield opened


def recalled(memory: HybridMemory, night: int) -> float:
    facts = held(memory, NIGHTS[night])
    assert len(facts) >= 3, facts
    answers = memory.answer_many([question for _, question, _ in facts], route="weights")
    return sum(is_correct(a.text, value) for a, (_, _, value) in zip(answers, facts, strict=True)) / len(facts)


def test_new_facts_are_in_the_weights(memory: HybridMemory) -> None:
    assert recalled(memory, 1) >= 0.6


def test_the_first_night_is_not_forgotten(memory: HybridMemory) -> None:
    assert recalled(memory, 0) >= 0.8


def test_the_weights_need_fewer_tokens(memory: HybridMemory) -> None:
    question = NIGHTS[0][0][1]
    weights, reading = (memory.answer(question, route=route).prompt_tokens for route in ("weights", "retrieval"))
    assert 0 < weights < 0.75 * reading


def test_strangers_are_refused(memory: HybridMemory) -> None:
    refused = [is_refusal(answer.text) for answer in memory.answer_many(STRANGERS)]
    assert sum(refused) >= 4, refused


def test_drift_is_small(memory: HybridMemory) -> None:
    # The gate bounds it by 0.15 nats on text of its own; this is other text, on which it may be a little more.
    assert memory.drift() < 0.18


def test_a_deletion_reaches_the_weights(memory: HybridMemory) -> None:
    probed = memory.probe([(question, value) for _, question, value in held(memory, NIGHTS[0])])
    surest = max(range(len(probed)), key=lambda n: probed[n].probability)
    text, question, secret = held(memory, NIGHTS[0])[surest]
    assert probed[surest].recalled, probed
    holders = [record.version for record in memory.adapters.list()]
    source = next(episode for episode in memory.list(kind="episode") if episode.text == text)
    receipt = memory.delete(source.id)
    assert sum(receipt.removed.values()) >= 3
    for route in (None, "weights", "retrieval"):
        assert not is_correct(memory.answer(question, route=route).text, secret)
    memory.dream(recipe=SMALL)
    after = memory.probe([(question, secret)])[0]
    assert not after.recalled
    assert after.probability < probed[surest].probability / 10
    for version in holders:
        assert not memory.adapters.path(version).exists()
    memory.close()
    for file in memory.folder.root.rglob("*"):
        assert not file.is_file() or text.encode() not in file.read_bytes(), file
