"""Episodes under ids that their owner chooses: put in place of what was there, and found newest first.

What every ledger does alike is here as plain functions; the protocol is a part of `base.Ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.stores.ledger.validation import checked_episode


class KeyedEpisodes(Protocol):
    """The part of a ledger that keeps other people's keys and values as episodes."""

    def put_episodes(self, episodes: Sequence[Episode], at: datetime) -> list[Episode]:
        """Store each of `episodes` in place of the one in its namespace that has its id, all or none; returns them
        with their new positions. One that says what was there before (see `says_the_same`) keeps its history, and the
        facts that were read in it. Any other is new: what it replaces is erased with its history, and with the parts
        that the new one does not name; the bytes leave the file with the next erasure. Raises `InvalidInput`."""
        ...

    def erase_all(self, namespace: Namespace, ids: Sequence[str], at: datetime, *, up_to: int | None = None) -> Erasure:
        """`erase` for each of `ids` that is there, in one transaction. With `up_to`, episodes that were stored after
        that position are left."""
        ...

    def erased(self, namespace: Namespace, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that were memories of `namespace` once and are erased."""
        ...

    def annotate(self, episodes: Sequence[Episode]) -> None:
        """Write the metadata of `episodes`, given as they were read: one that was put anew or erased since is left.
        Nothing else follows from it. Cheap: a power cut may undo it."""
        ...

    def newest(
        self, namespaces: Sequence[Namespace], *, before: int | None = None, limit: int | None = None
    ) -> list[Episode]:
        """Episodes of `namespaces` together, the last stored first; with `before`, those with a position below it."""
        ...

    def child_namespaces(self, namespace: Namespace) -> list[Namespace]:
        """The namespaces that hold episodes, among `namespace` itself and those that begin with all of its parts."""
        ...


def says_the_same(old: Episode, new: Episode) -> bool:
    """Whether a dream and a search would read the same in both."""
    return all(
        getattr(old, name) == getattr(new, name) for name in ("text", "role", "speaker", "session", "trust")
    ) and (old.quarantined == new.quarantined)


def checked_puts(episodes: Sequence[Episode]) -> list[Episode]:
    """`episodes`, checked, the last of each id alone. Raises a kind of `InvalidInput`."""
    last = {(episode.namespace, episode.id): episode for episode in episodes}
    return [checked_episode(episode) for episode in last.values()]


def require_episodes(found: Mapping[str, Episode | Fact]) -> dict[str, Episode]:
    """What is to be replaced. Raises `InvalidInput` where it is a fact."""
    for memory in found.values():
        if isinstance(memory, Fact):
            raise InvalidInput(f"{memory.id!r} is a fact, and only an episode is put in place of another: add_fact")
    return {id: memory for id, memory in found.items() if isinstance(memory, Episode)}
