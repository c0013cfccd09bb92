"""The outbox in dictionaries: the plainest twin of `sql/outbox.py`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.outbox import OutboxEntry


class InMemoryOutbox:
    """The part of `InMemoryLedger` that the derived indexes follow, and its running number."""

    def __init__(self) -> None:
        super().__init__()
        self._position = 0
        self._identity = secrets.token_hex(8)
        self._outbox: dict[str, OutboxEntry] = {}
        self._consumers: dict[str, int] = {}

    def identity(self) -> str:
        return self._identity

    def pending(self, consumer: str, *, limit: int = 1000) -> list[OutboxEntry]:
        followed = self._consumers.get(consumer, 0)
        entries = sorted(self._outbox.values(), key=lambda entry: entry.position)
        return [entry for entry in entries if entry.position > followed][:limit]

    def changes(self, namespace: Namespace, *, after: int, limit: int = 1000) -> list[OutboxEntry]:
        entries = sorted(self._outbox.values(), key=lambda entry: entry.position)
        return [entry for entry in entries if entry.namespace == namespace and entry.position > after][:limit]

    def last_pending(self, consumers: Sequence[str], namespace: Namespace | None = None) -> int:
        entries = [entry for consumer in consumers for entry in self.pending(consumer, limit=len(self._outbox))]
        return max((entry.position for entry in entries if namespace in (None, entry.namespace)), default=0)

    def acknowledged(self, consumers: Sequence[str]) -> dict[str, int]:
        return {consumer: self._consumers.get(consumer, 0) for consumer in consumers}

    def acknowledge(self, consumer: str, position: int) -> None:
        self._consumers[consumer] = max(position, self._consumers.get(consumer, 0))

    def reset_consumer(self, consumer: str) -> None:
        if consumer in self._consumers:
            self._consumers[consumer] = 0

    def _announce(self, namespace: Namespace, id: str, operation: Literal["upsert", "delete"]) -> None:
        self._outbox[id] = OutboxEntry(self._next_position(), namespace, id, operation)

    def _unacknowledged(self, namespace: Namespace) -> int:
        acknowledged = min(self._consumers.values(), default=0)
        return sum(e.namespace == namespace and e.position > acknowledged for e in self._outbox.values())

    def _next_position(self) -> int:
        self._position += 1
        return self._position
