"""Clients of a server under load: as little of the machine as can be, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

OPERATIONS = {"search": 30, "add": 25, "get": 15, "list": 10, "update": 10, "delete": 10}
"""Requests of each kind in a hundred."""
SUBJECTS = ("Mira", "Zane", "Lena", "Otto", "Nadia", "Tom", "Vera", "Ivo", "Petra", "Rolf", "Tove", "Wim")
THINGS = (
    "fern",
    "lemon tree",
    "cactus",
    "bonsai",
    "orchid",
    "fig",
    "rosemary",
    "aloe",
    "ivy",
    "tulip",
    "violin",
    "kite",
)
PLACES = ("Riga", "Oslo", "Porto", "Turin", "Ghent", "Basel", "Brno", "Graz", "Tartu", "Leeds", "Cadiz", "Siena")


def tag(tenant: int) -> str:
    """The word that stands in every memory of a tenant, and in none of another's."""
    return f"tenant{tenant:03d}x"


def statement(tenant: int, number: int, random: Random) -> str:
    """A short text of a tenant's."""
    return (
        f"{random.choice(SUBJECTS)} bought a {random.choice(THINGS)} in {random.choice(PLACES)}, "
        f"note {number} of {tag(tenant)}."
    )


def questions(random: Random, count: int = 50) -> list[str]:
    """What is searched for, again and again."""
    return [f"Where did {random.choice(SUBJECTS)} buy the {random.choice(THINGS)}?" for _ in range(count)]


@dataclass(slots=True)
class Tally:
    """What the clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in OPERATIONS})
    errors: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    alive: dict[str, str] = field(default_factory=dict)
    """The words of every memory that a client wrote and did not delete, by id."""
    deleted: set[str] = field(default_factory=set)


class Connection:
    """One HTTP/1.1 connection that is kept open."""

    def __init__(self, url: str, token: str) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._head = f"Host: {self._host}\r\nAuthorization: Bearer {token}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**24)
        data = b"" if body is None else json.dumps(body).encode()
        about = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{about}"
        self._writer.write(head.encode() + data)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return int(head.split(" ", 2)[1]), json.loads(await self._reader.readexactly(length))

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()


class Client:
    """One client of one tenant: it changes only what it wrote itself, so that it knows what must be there."""

    def __init__(
        self, connection: Connection, tenant: int, name: int, known: list[str], tally: Tally, seed: int
    ) -> None:
        self._connection = connection
        self._tenant = tenant
        self._name = name
        self._known = known
        """Ids of the tenant's memories that nobody deletes."""
        self._tally = tally
        self._random = Random(seed)  # noqa: S311
        self._questions = questions(Random(tenant))  # noqa: S311
        self._own: list[str] = []
        self._written = 0

    async def ask_all(self) -> list[float]:
        """The seconds of a search for each question, one by one. Its vector is in the cache from then on."""
        loop = asyncio.get_running_loop()
        seconds = []
        for question in self._questions:
            since = loop.time()
            await self._connection.ask("POST", "/v1/search", {"query": question})
            seconds.append(loop.time() - since)
        return seconds

    async def act(self, since: float | None = None) -> None:
        """One request of a random kind; its latency counts from `since` (loop time), or from now."""
        operation = self._random.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        if operation in ("update", "delete") and not self._own:
            operation = "add"
        loop = asyncio.get_running_loop()
        since = loop.time() if since is None else since
        status, body = await self._send(operation)
        self._tally.seconds[operation].append(loop.time() - since)
        if status >= 400:
            self._tally.errors.append(f"{operation}: {status} {json.dumps(body)[:200]}")

    async def _send(self, operation: str) -> tuple[int, Any]:
        if operation == "add":
            self._written += 1
            text = statement(self._tenant, self._name * 1_000_000 + self._written, self._random)
            status, body = await self._connection.ask(
                "POST", "/v1/memories", {"text": text, "session": f"c{self._name}"}
            )
            if status < 400:
                (memory,) = body["memories"]
                self._own.append(memory["id"])
                self._tally.alive[memory["id"]] = text
                self._check(body["memories"])
        elif operation == "search":
            status, body = await self._connection.ask(
                "POST", "/v1/search", {"query": self._random.choice(self._questions)}
            )
            if status < 400:
                self._check(body["hits"])
        elif operation == "list":
            after = self._random.randrange(1, 2000)
            status, body = await self._connection.ask("GET", f"/v1/memories?limit=20&after={after}")
            if status < 400:
                self._check(body["memories"])
        else:
            status, body = await self._one(operation)
        return status, body

    async def _one(self, operation: str) -> tuple[int, Any]:
        """A request about one memory."""
        if operation == "get":
            id = self._random.choice([*self._own[-3:], self._random.choice(self._known)])
            status, body = await self._connection.ask("GET", f"/v1/memories/{id}")
            if status < 400:
                self._check([body])
                expected = self._tally.alive.get(id)
                if body["id"] != id or expected not in (None, body["text"]):
                    self._tally.errors.append(f"get: {id} is {body['text']!r} and not {expected!r}")
            return status, body
        id = self._random.choice(self._own)
        if operation == "update":
            self._written += 1
            text = statement(self._tenant, self._name * 1_000_000 + self._written, self._random)
            status, body = await self._connection.ask("PATCH", f"/v1/memories/{id}", {"text": text})
            if status < 400:
                self._tally.alive[id] = text
                self._check([body])
            return status, body
        self._own.remove(id)
        status, body = await self._connection.ask("DELETE", f"/v1/memories/{id}")
        if status < 400:
            del self._tally.alive[id]
            self._tally.deleted.add(id)
        return status, body

    def _check(self, memories: list[dict[str, Any]]) -> None:
        """Every memory of every response is one of this tenant's."""
        for memory in memories:
            namespace = memory.get("namespace", ["bench", tag(self._tenant)])
            if tag(self._tenant) not in memory["text"] or namespace != ["bench", tag(self._tenant)]:
                self._tally.leaks.append(f"{tag(self._tenant)} was shown {json.dumps(memory)[:200]}")
