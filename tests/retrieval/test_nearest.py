"""Nearest neighbours that leave nobody out."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.retrieval.nearest import nearest, widening


def test_every_memory_is_reached_where_all_are_asked_for(tmp_path: Path) -> None:
    """Chroma alone finds 116 of these 120."""
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:
        for number in range(119):
            memory.add(f"otter number {number}")
        memory.add_fact("Ana", "keeps", "an otter")
        memory.catch_up()
        parts, vector = memory.indexes, memory.indexes.embedder.embed(["otter"])[0]

        def search(limit: int) -> dict[str, float]:
            return nearest(memory.ledger, parts.vectors, parts.embedder, memory.namespace, vector, limit)

        everything = search(200)
        assert len(everything) == 120
        scores = list(everything.values())
        assert scores == sorted(scores, reverse=True)
        texts = {record.id: record.text for record in memory.list(limit=200)}
        exact = parts.embedder.embed([texts[id] for id in everything]) @ vector
        assert scores == pytest.approx([float(score) for score in exact], abs=1e-5)
        assert len(search(7)) == 7


def test_the_search_widens_until_enough_is_admitted() -> None:
    pools: list[int] = []

    def search(pool: int) -> dict[str, float]:
        pools.append(pool)
        return {f"m{number}": 1 - number / 5000 for number in range(min(pool, 5000))}

    def admit(scores: dict[str, float]) -> list[str]:
        return [id for id in scores if int(id[1:]) % 1000 == 999]

    assert widening(search, admit, 2) == ["m999", "m1999", "m2999"]
    assert pools == [200, 800, 3200]
    assert len(widening(search, admit, 9)) == 5
