"""What the ledger acknowledged is there after `kill -9`, whole, and the folder opens again at once."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import threading
import time
from dataclasses import replace
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from hybridmem.core.records import Fact
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from hybridmem.testing.ledger_samples import ANA, day, episode, fact

KILLS = 12


def _write_until_killed(path: Path, life: int, acknowledged: Connection) -> None:
    ledger = SqlLedger(path)
    number = 0
    while True:
        number += 1
        name = f"{life}-{number}"
        ledger.append([episode(f"e{name}")])
        acknowledged.send_bytes(f"e{name}".encode())
        if number % 3 == 0:
            moved = fact(f"f{name}", f"city {name}", life * 10_000 + number, (f"e{name}",))
            moved = replace(moved, recorded_at=moved.valid_from)
            ledger.put_fact(moved)
            acknowledged.send_bytes(f"f{name}".encode())


def _received(pipe: Connection) -> list[str]:
    ids = []
    while True:
        try:
            ids.append(pipe.recv_bytes().decode())
        except EOFError:
            return ids


@pytest.mark.timeout(60)
def test_acknowledged_writes_survive_kills_at_random_times(tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.sqlite3", random.Random(20260301)
    context = multiprocessing.get_context("fork")
    acknowledged: list[str] = []
    for life in range(KILLS):
        receiving, sending = context.Pipe(duplex=False)
        child = context.Process(target=_write_until_killed, args=(path, life, sending))
        child.start()
        sending.close()
        if life % 2:  # the others may be killed as they open the ledger
            receiving.poll(None)
        time.sleep(chance.uniform(0.01, 0.2))
        child.kill()
        child.join()
        assert child.exitcode == -9
        acknowledged += _received(receiving)
        receiving.close()

    ledger = SqlLedger(path)
    assert len(acknowledged) > KILLS
    assert set(ledger.get_many(ANA, acknowledged)) == set(acknowledged)
    assert ledger.check() == []
    facts = {f.id: f for f in ledger.facts(ANA, include_retired=True)}
    ordered: list[Fact] = sorted(facts.values(), key=lambda f: f.position)
    assert [f.current for f in ordered] == [False] * (len(ordered) - 1) + [True]
    for old, new in pairwise(ordered):
        assert (old.superseded_by, old.valid_to) == (new.id, new.valid_from)
        assert ledger.history(ANA, old.id)[-1].by == new.id
        assert ledger.get(ANA, old.sources[0]).superseded_by == new.id
    assert ledger.facts(ANA, as_of=day(10**6)) == ordered[-1:]
    assert {entry.memory for entry in ledger.pending("new", limit=10**6)} >= set(acknowledged)
    ledger.close()


def test_a_new_ledger_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself gives up at once when it is to turn the write-ahead log on and somebody is about to write."""
    maker = sqlite3.connect(tmp_path / "new.sqlite3", isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: maker.execute("ROLLBACK")).start()
    ledger = SqlLedger(tmp_path / "new.sqlite3")
    ledger.append([episode("e1")])
    ledger.close()
    maker.close()
