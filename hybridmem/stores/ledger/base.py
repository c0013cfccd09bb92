"""What the rest of hybridmem asks of a ledger: the parts, together. `inmemory` is the plainest twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.archive import Archives
from hybridmem.stores.ledger.keyed_episodes import KeyedEpisodes
from hybridmem.stores.ledger.lineage import Lineage
from hybridmem.stores.ledger.memories import Memories
from hybridmem.stores.ledger.outbox import Outbox
from hybridmem.stores.ledger.standing import Standing
from hybridmem.stores.ledger.state import State


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """How much of each kind a namespace has."""

    episodes: int
    facts: int
    """Current ones."""
    retired_facts: int
    training_items: int
    adapters: int
    dreams: int
    outbox: int
    """Entries that some consumer has not acknowledged."""


class Ledger(Memories, KeyedEpisodes, Standing, Outbox, Lineage, State, Archives, Protocol):
    """The truth. Every method that writes is one transaction: it is done whole, and kept, when it returns.

    Reading methods see one namespace and nothing else. Code that needs one part names that part.
    """

    def namespaces(self) -> list[Namespace]:
        """Every namespace that holds a memory, a block, a standing question, an adapter or a dream, in order."""
        ...

    def counts(self, namespace: Namespace) -> LedgerCounts: ...

    def check(self) -> list[str]:
        """What is wrong with the database itself, one line each; empty when it is sound."""
        ...

    def close(self) -> None: ...
