"""What a night makes of what was said never hides it: the weeks of `lab/weeks`, each message by its own words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.core.records import Fact, new_id
from hybridmem.dreaming import recipes
from hybridmem.evaluation import week
from hybridmem.models.fake import FakeModel

WEEKS = sorted(Path(__file__).parents[2].glob("lab/weeks/week_*.py"))


def lived(memory: HybridMemory, file: Path) -> list[str]:
    """Says the week's messages to `memory`; returns them."""
    messages = week.read(file).messages
    for at, text in messages:
        memory.add(text, at=at)
    return [text for _, text in messages]


def found(memory: HybridMemory, texts: list[str]) -> list[list[str]]:
    """The episodes that each text finds as a query, all of them, best first."""
    return [[hit.id for hit in memory.search(text, limit=500, kinds=("episode",))] for text in texts]


def assert_none_is_hidden(before: list[list[str]], after: list[list[str]]) -> None:
    """Facts may move an episode up or down the list: none is gone, and each is first for its own words."""
    assert [ids[0] for ids in after] == [ids[0] for ids in before]
    assert [set(ids) for ids in after] == [set(ids) for ids in before]


@pytest.mark.parametrize("file", WEEKS[:1], ids=lambda file: file.stem)
def test_search_finds_what_was_said_after_a_night_as_before(tmp_path: Path, file: Path) -> None:
    with HybridMemory.open(tmp_path / "m", ledger="memory", embedder="hashing", model=FakeModel()) as memory:
        texts = lived(memory, file)
        before = found(memory, texts)
        memory.dream(recipe=replace(recipes.load("default"), gate=None))
        assert_none_is_hidden(before, found(memory, texts))


@pytest.mark.parametrize("file", WEEKS[2:3], ids=lambda file: file.stem)
def test_not_even_the_worst_extraction_hides_what_was_said(tmp_path: Path, file: Path) -> None:
    """Every message is taken to replace the one before: each is still found first by its own words."""
    with HybridMemory.open(tmp_path / "m", ledger="memory", embedder="hashing") as memory:
        texts = lived(memory, file)
        episodes = memory.ledger.episodes(memory.namespace)
        before = found(memory, texts)
        for episode in episodes:
            memory.ledger.put_fact(
                Fact(
                    new_id("fa"), memory.namespace, "I", "works at", episode.text[-20:], episode.text, episode.at,
                    recorded_at=memory.clock(), sources=(episode.id,),
                )
            )  # fmt: skip
        marked = [episode.superseded_by for episode in memory.ledger.episodes(memory.namespace)]
        assert sum(by is not None for by in marked) >= len(episodes) - 2
        assert_none_is_hidden(before, found(memory, texts))
