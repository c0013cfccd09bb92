"""Many clients at once on a real server: nothing fails, nothing is lost, nothing is shown to the wrong one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.suites.serve import run
from hybridmem.evaluation.suites.serve_client import OPERATIONS, Client, Connection, Tally, tag


def test_a_mixed_load_loses_and_leaks_nothing() -> None:
    report = run(memories=80, namespaces=4, clients=12, requests=96, embedder="hashing")
    assert (report.errors, report.leaks, report.lost) == (0, 0, 0), report.failures
    assert report.operations.keys() == OPERATIONS.keys()
    assert sum(spread.requests for spread in report.operations.values()) == 96


@pytest.mark.slow
def test_ten_thousand_requests_of_fifty_clients_lose_and_leak_nothing() -> None:
    report = run()
    assert report.clean, report.failures


@pytest.mark.slow
def test_a_search_at_a_steady_rate_takes_less_than_fifty_milliseconds() -> None:
    report = run(requests=2000, rate=20)
    assert report.clean, report.failures
    assert report.operations["search"].p95_ms < 50


class Wrong(Connection):
    """A server that shows one memory of a tenant's whatever it was told before, or fails."""

    def __init__(self, status: int, namespace: int) -> None:
        self._status = status
        self._namespace = namespace

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        memory = {"id": "e1", "text": f"note 1 of {tag(self._namespace)}", "namespace": ["bench", tag(self._namespace)]}
        whole = {**memory, "memories": [memory], "hits": [memory]}
        return self._status, json.loads(json.dumps(whole))


@pytest.mark.parametrize(
    ("status", "namespace", "leaks", "error"),
    [(200, 1, True, "e1 is 'note 1"), (200, 0, False, "e1 is 'note 1"), (500, 0, False, ": 500")],
)
def test_the_checker_sees_what_is_wrong(status: int, namespace: int, leaks: bool, error: str) -> None:
    tally = Tally()
    client = Client(Wrong(status, namespace), 0, 0, ["e1"], tally, seed=1)

    async def several() -> None:
        for _ in range(8):
            await client.act()

    asyncio.run(several())
    assert bool(tally.leaks) is leaks
    assert any(error in line for line in tally.errors)


def test_a_load_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"clients": 2, "namespaces": 3}, {"requests": 3, "clients": 4}, {"rate": 0.0}, {"memories": 0}):
        with pytest.raises(InvalidInput, match="load needs"):
            run(**{"memories": 10, "namespaces": 1, "clients": 1, "requests": 4, **wrong})  # type: ignore[arg-type]
