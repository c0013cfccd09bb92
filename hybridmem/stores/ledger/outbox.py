"""The part of a ledger that the derived indexes follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hybridmem.core.namespace import Namespace


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One change that the derived indexes still have to follow, in the order of the ledger."""

    position: int
    namespace: Namespace
    memory: str
    operation: Literal["upsert", "delete"]


class Outbox(Protocol):
    """The changes of all namespaces, in order, and how far each consumer has followed them."""

    def identity(self) -> str:
        """A name that no other ledger has; a copy of this one keeps it."""
        ...

    def pending(self, consumer: str, *, limit: int = 1000) -> list[OutboxEntry]:
        """The next entries that `consumer` has not acknowledged."""
        ...

    def changes(self, namespace: Namespace, *, after: int, limit: int = 1000) -> list[OutboxEntry]:
        """The entries of `namespace` behind the position `after`, in order: each memory that changed since, once."""
        ...

    def last_pending(self, consumers: Sequence[str], namespace: Namespace | None = None) -> int:
        """The last position of an entry (of `namespace`, where one is named) that one of `consumers` has not
        acknowledged; 0 for none."""
        ...

    def acknowledged(self, consumers: Sequence[str]) -> dict[str, int]:
        """The position up to which each of `consumers` has acknowledged everything; 0 for one that never did."""
        ...

    def acknowledge(self, consumer: str, position: int) -> None:
        """`consumer` has followed everything up to `position`."""
        ...

    def reset_consumer(self, consumer: str) -> None:
        """Forget what `consumer` acknowledged: everything that is there is pending again."""
        ...
