"""Searches go first; the others give way to them, and go on all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from hybridmem.memory import HybridMemory
from hybridmem.server import priority as precedence
from hybridmem.server.limits import Limits
from hybridmem.server.priority import Priority
from hybridmem.server.workers import Workers


def test_a_step_waits_until_nobody_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "WAY_SECONDS", 60)

    async def look() -> None:
        first = Priority()
        steps: list[str] = []

        def step() -> None:
            first.give_way()
            steps.append("step")

        with first.first(), first.first():
            thread = threading.Thread(target=step)
            thread.start()
            await asyncio.sleep(0.1)
            assert not steps
        thread.join(10)
        assert steps == ["step"]

    asyncio.run(look())


def test_nobody_gives_way_for_ever() -> None:
    async def look() -> None:
        first = Priority()
        with first.first():
            started = time.monotonic()
            await asyncio.to_thread(first.give_way)
            await first.give_way_and_space()
            assert time.monotonic() - started < 1.0

    asyncio.run(look())


def test_searches_without_end_do_not_hold_up_the_writes(tmp_path: Path) -> None:
    async def write() -> None:
        with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
            workers = Workers(Limits(), memory)
            workers.start()
            over = threading.Event()
            search = asyncio.create_task(workers.run("search", lambda: over.wait(60)))
            try:
                async with asyncio.timeout(20):
                    await asyncio.gather(
                        *(workers.run("write", lambda n=n: memory.add(f"Ulla saw {n} bees.")) for n in range(10))  # type: ignore[misc]
                    )
                assert not search.done()
                assert memory.indexes.lexical.count(memory.namespace) == 10
            finally:
                over.set()
                await search
                await workers.stop()

    asyncio.run(write())


def test_many_texts_are_embedded_in_steps_between_which_others_are_given_way_to(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", embedder="hashing") as memory:
        steps: list[None] = []
        memory.indexes.before_step = lambda: steps.append(None)
        memory.add([{"role": "user", "content": f"Ulla saw {number} bees."} for number in range(40)])
        memory.catch_up()
        assert len(steps) >= 5
        assert memory.indexes.check(memory.namespace) == []
        assert "39 bees" in memory.search("Who saw 39 bees?")[0].text
