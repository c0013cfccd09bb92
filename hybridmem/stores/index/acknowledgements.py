"""How far each index has followed the ledger's outbox.

For an index that is kept somewhere, that stands in the ledger, and ``locations.json`` in the memory's index folder says
which place it is for, where that is not the default: an index in another place follows everything again. Beside it,
``followed.json`` says which ledger the indexes of the folder follow, and how far: a folder whose indexes were removed,
or whose ledger was put back from a copy, is found by the two not agreeing. Folders that share a ledger follow it each
for itself, under the name that ``follower.json`` gives the folder. For an index in the memory of this process, which is
empty when the process starts, it stands here, and neither it nor the ledger's consumers know of each other.
"""

from __future__ import annotations

import bisect
import json
import secrets
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.outbox import OutboxEntry
from hybridmem.stores.registry import LOCAL

_NOBODY = "nobody"
"""A consumer that never acknowledges anything, and so gets the whole outbox."""


class Acknowledgements:
    """Of the indexes with these names, at these `locations` (None for one in the memory of this process). `shared`:
    whether other folders may follow the ledger, too."""

    def __init__(
        self, ledger: Ledger, locations: Mapping[str, Path | str | None], folder: Path, *, shared: bool = False
    ) -> None:
        self._ledger = ledger
        self._file = folder / "locations.json"
        self._marks = folder / "followed.json"
        self._made_by = folder / "embedding.json"
        self._agreed = False
        self._places = {name: _place(at, folder) for name, at in locations.items() if at is not None}
        self._durable = list(self._places)
        mark = f"@{_follower_id(folder)}" if shared and self._durable else ""
        self._consumers = {name: name + mark for name in self._durable}
        """The name under which each index acknowledges in the ledger."""
        self._here = {name: 0 for name, at in locations.items() if at is None}
        """The position that each index in the memory of this process has reached."""

    def outbox(self) -> Sequence[OutboxEntry]:
        """All of it, where an index has its position here; else nothing, for then `pending` does without."""
        return self._ledger.pending(_NOBODY, limit=sys.maxsize) if self._here else []

    def pending(self, name: str, limit: int, outbox: Sequence[OutboxEntry]) -> Sequence[OutboxEntry]:
        """The next entries for an index; `outbox` is what the method of that name returned."""
        if name not in self._here:
            return self._ledger.pending(self._consumers.get(name, name), limit=limit)
        start = bisect.bisect_right(outbox, self._here[name], key=lambda entry: entry.position)
        return outbox[start:][:limit]

    def waiting(self) -> Iterator[OutboxEntry]:
        """Every entry that an index has yet to follow, once for each such index."""
        outbox = self.outbox()
        moved = self.moved()
        for name in (*self._durable, *self._here):
            consumer = _NOBODY if name in moved else name
            yield from self.pending(consumer, sys.maxsize, outbox)

    def last_pending(self, of: Namespace | None) -> int:
        """The last position of an entry (of the namespace `of`) that some index has not followed, or 0."""
        last = self._ledger.last_pending(self._in_ledger, of) if self._durable else 0
        if self._here:
            newest = self._ledger.last_pending([_NOBODY], of)
            last = max(last, newest if newest > min(self._here.values()) else 0)
        return last

    def waits(self, name: str, of: Namespace) -> bool:
        """Whether the index has yet to follow an entry of the namespace `of`."""
        if name in self._here:
            return self._ledger.last_pending([_NOBODY], of) > self._here[name]
        return self._ledger.last_pending([self._consumers[name]], of) > 0

    def up_to(self) -> int:
        """The position up to which every index has followed everything."""
        return min([*self._reached().values(), *self._here.values()])

    def acknowledge(self, name: str, position: int) -> None:
        """The index has followed everything up to `position`."""
        if name in self._here:
            self._here[name] = max(position, self._here[name])
        else:
            self._ledger.acknowledge(self._consumers[name], position)

    def reset(self, name: str) -> None:
        """Have the index told everything again."""
        if name in self._here:
            self._here[name] = 0
        else:
            self._ledger.reset_consumer(self._consumers[name])

    def agree(self, *, again: bool = False) -> bool:
        """Whether the indexes are where this ledger says that they are. Found out once, or `again`."""
        if not self._agreed or again:
            self._agreed = not self._durable or self._compare()
        return self._agreed

    def _compare(self) -> bool:
        # The file first: who follows meanwhile announces in it what the ledger is going to say.
        marks = json.loads(self._marks.read_text("utf-8")) if self._marks.exists() else None
        reached = self._reached()
        if marks is None:
            # A folder of an earlier version, or one whose indexes are gone.
            return not any(reached.values()) or self._made_by.exists()
        here = marks["ledger"] == self._ledger.identity()
        return here and all(position in marks["indexes"].get(name, [0]) for name, position in reached.items())

    def announce(self, going_to: Mapping[str, int]) -> None:
        """Write down where the indexes are, and the positions that some of them are about to acknowledge."""
        if not self._durable:
            return
        indexes = {name: sorted({at, going_to.get(name, at)}) for name, at in self._reached().items()}
        write_json(self._marks, {"ledger": self._ledger.identity(), "indexes": indexes})
        self._agreed = True

    @property
    def _in_ledger(self) -> list[str]:
        return list(self._consumers.values())

    def _reached(self) -> dict[str, int]:
        """The position that each index outside this process has acknowledged."""
        positions = self._ledger.acknowledged(self._in_ledger) if self._durable else {}
        return {name: positions[self._consumers[name]] for name in self._durable}

    def moved(self) -> set[str]:
        """The indexes that lie elsewhere than where the acknowledgements in the ledger are for."""
        recorded = LOCAL | self._recorded()
        return {name for name, place in self._places.items() if place != recorded[name]}

    def note_places(self, names: Collection[str]) -> None:
        """From now on the ledger's acknowledgements are for where these indexes lie; they must have been `reset`."""
        if names:
            write_json(self._file, {**self._recorded(), **{name: self._places[name] for name in names}})

    def _recorded(self) -> dict[str, str]:
        return dict(json.loads(self._file.read_text("utf-8"))) if self._file.exists() else {}


def _follower_id(folder: Path) -> str:
    """The name under which this folder's indexes follow a ledger that others follow, too. A copy of the folder gets
    another: what either follows, the other has not."""
    file, place = folder / "follower.json", str(folder.resolve())
    recorded = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if recorded.get("place") != place:
        recorded = {"id": secrets.token_hex(8), "place": place}
        folder.mkdir(parents=True, exist_ok=True)
        write_json(file, recorded)
    return str(recorded["id"])


def _place(location: Path | str, folder: Path) -> str:
    """A name for where an index lies that stays the same when the whole memory folder is moved."""
    if isinstance(location, Path) and location.resolve().is_relative_to(folder.resolve()):
        return location.resolve().relative_to(folder.resolve()).as_posix()
    return str(location)


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Write `file` whole or not at all."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(values), encoding="utf-8")
    beside.replace(file)
