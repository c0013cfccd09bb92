"""A write has ended when it can be found, and a search waits for none."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hybridmem.core.errors import StoreBusy
from hybridmem.memory import HybridMemory
from hybridmem.server.limits import Limits
from hybridmem.server.workers import Workers
from tests import scripts
from tests.server.conftest import Server


@pytest.fixture
def memory(tmp_path: Path) -> HybridMemory:
    return HybridMemory.open(tmp_path / "memory", embedder="hashing")


@contextlib.asynccontextmanager
async def working(memory: HybridMemory) -> AsyncIterator[Workers]:
    workers = Workers(Limits(), memory)
    workers.start()
    try:
        yield workers
    finally:
        await workers.stop()


def test_a_write_has_ended_when_the_indexes_hold_it(memory: HybridMemory) -> None:
    async def write() -> None:
        async with working(memory) as workers:
            for number in range(5):
                (added,) = await workers.run("write", lambda n=number: memory.add(f"Ulla saw {n} bees."))  # type: ignore[misc]
                assert memory.indexes.kept_up
                assert added.id in set(memory.indexes.lexical.ids(memory.namespace))

    asyncio.run(write())


def test_writes_at_once_are_followed_together(memory: HybridMemory) -> None:
    async def write() -> None:
        async with working(memory) as workers:
            writes = [workers.run("write", lambda n=n: memory.add(f"Ulla saw {n} bees.")) for n in range(20)]  # type: ignore[misc]
            await asyncio.gather(*writes)
            assert memory.indexes.lexical.count(memory.namespace) == 20

    asyncio.run(write())


def test_where_the_indexes_cannot_follow_the_write_is_answered_and_the_search_answers_for_it(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(*_: object, **__: object) -> int:
        raise StoreBusy("another process indexes: try again")

    async def write() -> None:
        async with working(memory) as workers:
            await workers.run("write", lambda: memory.add("Ulla saw bees."))
            assert memory.indexes.kept_up
            with monkeypatch.context() as patched:
                patched.setattr(memory.indexes, "catch_up", busy)
                (added,) = await workers.run("write", lambda: memory.add("Ulla keeps bees."))
                assert not memory.indexes.kept_up
                with pytest.raises(StoreBusy):
                    await workers.run("search", lambda: memory.search("bees"))
            hits = await workers.run("search", lambda: memory.search("Who keeps bees?"))
            assert added.id in {hit.id for hit in hits}

    asyncio.run(write())
    assert "could not follow" in caplog.text


def test_where_the_indexes_cannot_be_opened_writes_are_answered_all_the_same(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: HybridMemory) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(HybridMemory, "indexes", property(broken))

    async def write() -> None:
        async with working(memory) as workers, asyncio.timeout(10):
            for number in range(3):
                await workers.run("write", lambda n=number: memory.add(f"Ulla saw {n} bees."))  # type: ignore[misc]

    asyncio.run(write())
    assert "the disk is gone" in caplog.text


def test_a_write_of_another_process_is_found_soon(server: Server, ana: httpx.Client) -> None:
    ana.post("/v1/search", json={"query": "bees"})
    command = [sys.executable, "-m", "hybridmem.cli", "--memory", str(server.folder), "--namespace", "users/ana"]
    assert scripts.run_command([*command, "add", "Otto counts the pelicans of Brno."]).returncode == 0
    patience = time.monotonic() + 15
    while time.monotonic() < patience:
        hits = ana.post("/v1/search", json={"query": "Who counts pelicans?"}).json()["hits"]
        if any("pelicans of Brno" in hit["text"] for hit in hits):
            return
        time.sleep(0.2)
    pytest.fail("the server never found what another process wrote")
