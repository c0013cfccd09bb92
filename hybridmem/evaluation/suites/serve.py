"""A server under the load of many clients: what it loses, what it shows to the wrong one, and how long it takes.

The server runs in a process of its own; every response is checked, and afterwards the ledger against what was
acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hybridmem.core.errors import HybridMemError, InvalidInput
from hybridmem.core.progress import Progress, quiet
from hybridmem.evaluation.suites.serve_client import OPERATIONS, Client, Connection, Tally, statement, tag

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

SHOWN = 5
"""Lines of each kind of what went wrong."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one kind of request, in milliseconds, as its client saw it."""

    requests: int
    p50_ms: float
    p95_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class ServeReport:
    """Figures of one run on one machine."""

    memories: int
    namespaces: int
    clients: int
    requests: int
    rate: float | None
    """Requests a second that were sent, whatever became of those before; None: each client sends when it has its
    answer."""
    embedder: str
    seconds: float
    per_second: float
    alone: Spread
    """Of searches, when nothing else is asked: how fast the machine is just now."""
    operations: dict[str, Spread]
    errors: int
    leaks: int
    """Memories that a response showed to another namespace."""
    lost: int
    """Acknowledged writes that the ledger does not hold, or holds otherwise."""
    failures: tuple[str, ...]
    """The first of what went wrong."""
    machine: str

    @property
    def clean(self) -> bool:
        return not (self.errors or self.leaks or self.lost)


def run(
    *,
    memories: int = 10_000,
    namespaces: int = 10,
    clients: int = 50,
    requests: int = 10_000,
    rate: float | None = None,
    embedder: str | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Progress = quiet,
) -> ServeReport:
    """Fill a temporary memory (within `folder`, or the system's), serve it, and send `requests` requests of the kinds
    of `serve_client.OPERATIONS`. Raises `InvalidInput`."""
    from hybridmem import embedding
    from hybridmem.memory import HybridMemory

    if not 0 < namespaces <= clients or memories < namespaces or requests < clients or (rate is not None and rate <= 0):
        raise InvalidInput("the load needs a client and a memory for each namespace, and a request for each client")
    named = embedder or embedding.DEFAULT
    with tempfile.TemporaryDirectory(prefix="hybridmem-serve-", dir=folder) as temporary:
        place = Path(temporary)
        with HybridMemory.open(place / "memory", namespace="bench", embedder=named) as memory:
            known = _fill(memory, memories, namespaces, seed, progress)
        tally = Tally()
        with _server(place, named, namespaces) as url:
            load = _Load(url, clients, requests, rate, known, tally, seed, progress)
            seconds, alone = asyncio.run(load.run())
        with HybridMemory.open(place / "memory", namespace="bench", embedder=named) as memory:
            lost = _lost(memory, tally, known)
    return ServeReport(
        memories=memories,
        namespaces=namespaces,
        clients=clients,
        requests=requests,
        rate=rate,
        embedder=named,
        seconds=seconds,
        per_second=requests / seconds,
        alone=_spread(alone),
        operations={name: _spread(tally.seconds[name]) for name in OPERATIONS if tally.seconds[name]},
        errors=len(tally.errors),
        leaks=len(tally.leaks),
        lost=len(lost),
        failures=(*tally.errors[:SHOWN], *tally.leaks[:SHOWN], *lost[:SHOWN]),
        machine=f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}",
    )


@dataclass(frozen=True, slots=True)
class _Load:
    url: str
    clients: int
    requests: int
    rate: float | None
    known: Sequence[list[str]]
    tally: Tally
    seed: int
    progress: Progress

    async def run(self) -> tuple[float, list[float]]:
        """Send everything; returns (the seconds that it took, those of searches by one client, before and after)."""
        connections = [Connection(self.url, _token(number % len(self.known))) for number in range(self.clients)]
        made = [
            Client(
                connection,
                number % len(self.known),
                number,
                self.known[number % len(self.known)],
                self.tally,
                self.seed + number,
            )
            for number, connection in enumerate(connections)
        ]
        tenants = made[: len(self.known)]
        for client in tenants:
            await client.ask_all()
        alone = await tenants[0].ask_all()
        loop = asyncio.get_running_loop()
        started = loop.time()
        left = iter(range(self.requests))
        await asyncio.gather(*(self._work(client, left, started) for client in made))
        taken = loop.time() - started
        alone += await tenants[0].ask_all()
        for connection in connections:
            await connection.close()
        return taken, alone

    async def _work(self, client: Client, left: Iterator[int], started: float) -> None:
        loop = asyncio.get_running_loop()
        for number in left:
            due = None
            if self.rate is not None:
                due = started + number / self.rate
                await asyncio.sleep(max(0.0, due - loop.time()))
            await client.act(due)
            if number % 100 == 0:
                self.progress("serve", number, self.requests)


def _fill(memory: HybridMemory, count: int, namespaces: int, seed: int, progress: Progress) -> list[list[str]]:
    """Write and index `count` memories; returns the ids of each namespace."""
    random = Random(seed)  # noqa: S311
    known: list[list[str]] = []
    for tenant in range(namespaces):
        texts = [statement(tenant, number, random) for number in range(count // namespaces)]
        messages = [
            {"role": "user", "content": text, "session": f"s{number // 20}"} for number, text in enumerate(texts)
        ]
        known.append([episode.id for episode in memory.at(("bench", tag(tenant))).add(messages)])
        progress("add", tenant + 1, namespaces)
    memory.catch_up(progress=progress)
    return known


@contextlib.contextmanager
def _server(place: Path, embedder: str, namespaces: int) -> Iterator[str]:
    """`hybridmem serve` in a process of its own; its URL."""
    grants = [
        {"sha256": sha256(_token(tenant).encode()).hexdigest(), "namespaces": [f"bench/{tag(tenant)}"]}
        for tenant in range(namespaces)
    ]
    tokens = place / "tokens.json"
    tokens.write_text(json.dumps({"tokens": grants}), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "hybridmem.cli", "--memory", str(place / "memory"), "--embedder", embedder]
    command += ["serve", "--port", "0", "--token-file", str(tokens), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                raise HybridMemError("the server did not start: run `hybridmem serve` to see why")
            yield json.loads(line)["url"]
        finally:
            process.send_signal(signal.SIGTERM)


def _token(tenant: int) -> str:
    return f"a-token-for-the-bench-{tag(tenant)}"


def _lost(memory: HybridMemory, tally: Tally, known: Sequence[list[str]]) -> list[str]:
    """What the ledger and the indexes should hold and do not, or hold and should not."""
    wrong: list[str] = []
    stored: dict[str, str] = {}
    for tenant in range(len(known)):
        namespace = ("bench", tag(tenant))
        stored.update((episode.id, episode.text) for episode in memory.ledger.episodes(namespace))
        memory.catch_up()
        wrong += memory.indexes.check(namespace)
    kept = [id for ids in known for id in ids]
    wrong += [f"{id} is gone" for id in kept if id not in stored]
    wrong += [f"{id} is {stored.get(id)!r}, not {text!r}" for id, text in tally.alive.items() if stored.get(id) != text]
    wrong += [f"{id} was deleted and is there" for id in tally.deleted if id in stored]
    if len(stored) != len(kept) + len(tally.alive):
        wrong.append(f"the ledger holds {len(stored)} memories, and {len(kept) + len(tally.alive)} were acknowledged")
    return wrong


def _spread(seconds: Sequence[float]) -> Spread:
    ordered = sorted(seconds)
    return Spread(
        requests=len(ordered),
        p50_ms=1000 * ordered[len(ordered) // 2],
        p95_ms=1000 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        max_ms=1000 * ordered[-1],
    )
