"""The adapter versions of one namespace: files in a folder, records in the ledger, and the alias `active`."""

from __future__ import annotations

import builtins
import dataclasses
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.adapters import files
from hybridmem.adapters.card import AdapterCard
from hybridmem.core.clock import Clock
from hybridmem.core.errors import AdapterError, CorruptAdapter, UnknownAdapter
from hybridmem.core.namespace import Namespace, adapter_folder
from hybridmem.core.records import AdapterRecord

if TYPE_CHECKING:
    from hybridmem.stores.ledger.base import Ledger
    from hybridmem.stores.ledger.lineage import AdapterSummary

_VERSION = re.compile(r"v(\d{4,})")


@dataclass(frozen=True, slots=True)
class AdapterDiff:
    """The changes from version `before` to version `after`."""

    before: str
    after: str
    gained: tuple[str, ...]
    """Ids of the facts that only `after` holds."""
    lost: tuple[str, ...]
    """Ids of the facts that only `before` holds."""
    scores: Mapping[str, tuple[float | None, float | None]]
    """(before, after) of each score that either version has."""


class AdapterRegistry:
    """Versions, promotion and rollback. `folder` is the memory's ``adapters``; each namespace has its own within."""

    def __init__(self, ledger: Ledger, folder: Path, namespace: Namespace, clock: Clock) -> None:
        self._ledger = ledger
        self._namespace = namespace
        self._clock = clock
        self._folder = folder / adapter_folder(namespace)

    def list(self) -> builtins.list[AdapterRecord]:
        """Every version, oldest first."""
        return self._ledger.adapters(self._namespace)

    def summaries(self) -> builtins.list[AdapterSummary]:
        """Every version without its list of facts, oldest first."""
        return self._ledger.adapter_summaries(self._namespace)

    def active(self) -> AdapterRecord | None:
        """The active version; None while the bare base answers."""
        return self._ledger.active(self._namespace)

    def get(self, version: str) -> AdapterRecord:
        """Raises `UnknownAdapter`."""
        record = self._ledger.adapter(self._namespace, version)
        if record is None:
            names = sorted(each.version for each in self.summaries())
            there = f"it has {', '.join(names)}" if names else "it has none yet"
            raise UnknownAdapter(
                f"{self._namespace_name} has no adapter {version!r}: {there}", "" if names else "run `hybridmem dream`"
            )
        return record

    def path(self, version: str) -> Path:
        """The folder of a version's files."""
        return self._folder / version

    def card(self, version: str) -> AdapterCard:
        """Raises `UnknownAdapter` or `CorruptAdapter`."""
        return AdapterCard.read(self.path(self.get(version).version))

    def next_version(self) -> str:
        """The name after the highest in the ledger and on disk: no name is used twice."""
        names = [record.version for record in self.list()] + [path.name for path in self._versions_on_disk()]
        numbers = [int(match[1]) for name in names if (match := _VERSION.fullmatch(name))]
        return f"v{max(numbers, default=0) + 1:04d}"

    def register(self, candidate: Path, record: AdapterRecord, card: AdapterCard | None = None) -> AdapterRecord:
        """Store a finished training's folder as the next version: first the files, then the ledger's record.

        The record and the card get the version and the hashes of the files. A crash between the two steps leaves a
        folder that `prune` removes; `candidate` is removed at the end. Returns the record as the ledger has it. Raises
        `CorruptAdapter` for a folder without weights."""
        version = self.next_version()
        hashes = files.hashes(candidate) if candidate.is_dir() else {}
        if not hashes:
            raise CorruptAdapter(f"the training left no files in {str(candidate)!r}: dream again")
        stored = dataclasses.replace(record, version=version, namespace=self._namespace, files=hashes)
        if card is not None:
            dataclasses.replace(card, version=version, files=hashes).write(candidate)
        files.move_into_place(candidate, self.path(version))
        self._ledger.save_adapter(stored)
        shutil.rmtree(candidate)
        return self.get(version)

    def promote(self, version: str | None, *, force: bool = False, learned: Sequence[str] = ()) -> AdapterRecord | None:
        """Move the alias `active` to `version`, or to no adapter for None; where one of `learned` (ids of facts and
        training items) is not in the ledger any more, raise `ErasedMeanwhile`.

        Raises `UnknownAdapter`; `CorruptAdapter` for damaged or removed files; `AdapterError` for a version that
        its gate rejected, unless `force`."""
        if version is None:
            self._ledger.activate(self._namespace, None, self._clock())
            return None
        record = self.verify(version)
        if record.status == "rejected" and not force:
            raise AdapterError(f"{version} was rejected by its gate: its scores say why, and force promotes it")
        self._ledger.activate(self._namespace, version, self._clock(), learned=learned)
        return self.get(version)

    def rollback(self) -> AdapterRecord | None:
        """Move the alias back to the version that was active before; a second call goes further back.

        Versions without weights are skipped. Returns None for the bare base. Raises `UnknownAdapter` if nothing was
        active before."""
        active = self.active()
        if active is None:
            raise UnknownAdapter(f"no adapter of {self._namespace_name} is active: there is nothing to roll back")
        removed = {record.version for record in self.list() if not record.files}
        earlier = [
            version for version in trail(self._ledger.activations(self._namespace))[:-1] if version not in removed
        ]
        if not earlier:
            raise UnknownAdapter(
                f"nothing was active before {active.version} in {self._namespace_name}: "
                f"promote another version, or none for the bare base"
            )
        return self.promote(earlier[-1], force=True)

    def verify(self, version: str, *, base: str = "", base_sha256: str | None = None) -> AdapterRecord:
        """Read every file again and compare it with its hash, and the base with its own if one is passed.

        Raises `UnknownAdapter`, `CorruptAdapter` or `WrongBase` (naming both hashes)."""
        record = self.get(version)
        files.check(record, self.path(version))
        if base_sha256 is not None:
            files.check_base(record, base or "another", base_sha256)
        return record

    def diff(self, before: str, after: str) -> AdapterDiff:
        """Raises `UnknownAdapter`."""
        old, new = self.get(before), self.get(after)
        facts_before, facts_after = set(old.facts), set(new.facts)
        return AdapterDiff(
            before=before,
            after=after,
            gained=tuple(fact for fact in new.facts if fact not in facts_before),
            lost=tuple(fact for fact in old.facts if fact not in facts_after),
            scores={name: (old.scores.get(name), new.scores.get(name)) for name in sorted({*old.scores, *new.scores})},
        )

    def export(self, version: str, destination: Path) -> Path:
        """Copy a verified version into a new folder that `PeftModel.from_pretrained` loads, its card beside it.

        Raises `InvalidInput` if the folder is not empty."""
        record = self.verify(version)
        files.require_new(destination)
        files.copy_plain(self.path(version), destination, record.files)
        return destination

    def remove(self, version: str) -> tuple[str, ...]:
        """Delete the files of a version that is not active, for example to unlearn its memories; its record stays.

        Returns the names of the files. Raises `UnknownAdapter`, or `AdapterError` for the active version."""
        record, active = self.get(version), self.active()
        if active is not None and active.version == version:
            raise AdapterError(f"{version} is active: promote another version, or roll back, before you remove it")
        # The record first: a crash in between leaves files that no record names, which `prune` removes.
        self._ledger.save_adapter(dataclasses.replace(record, files={}))
        folder = self.path(version)
        if not folder.is_dir():
            return ()
        names = tuple(sorted(file.name for file in folder.iterdir()))
        shutil.rmtree(folder)
        return names

    def orphans(self) -> tuple[Path, ...]:
        """Folders that a crash left: copied in part, or with weights that no record names."""
        known = {record.version for record in self.list() if record.files}
        left = self._folder.glob(f"{files.UNFINISHED}*")
        return tuple(sorted([*left, *(path for path in self._versions_on_disk() if path.name not in known)]))

    def prune(self) -> tuple[Path, ...]:
        """Remove the `orphans`. Do not call it during a dream of this namespace, whose folder may have no record
        yet."""
        found = self.orphans()
        for path in found:
            shutil.rmtree(path)
        return found

    @property
    def _namespace_name(self) -> str:
        return "/".join(self._namespace)

    def _versions_on_disk(self) -> tuple[Path, ...]:
        if not self._folder.is_dir():
            return ()
        return tuple(path for path in self._folder.iterdir() if path.is_dir() and _VERSION.fullmatch(path.name))


def trail(activations: Iterable[tuple[datetime, str | None]]) -> list[str | None]:
    """The versions that led to the present one, which comes last.

    Going back to a version removes the later ones from the trail: two rollbacks go two versions back.

    >>> now = datetime(2026, 3, 1)
    >>> trail([(now, "v0001"), (now, "v0002"), (now, "v0003"), (now, "v0002")])
    ['v0001', 'v0002']
    """
    path: list[str | None] = []
    for _, version in activations:
        if version in path:
            del path[path.index(version) + 1 :]
        else:
            path.append(version)
    return path
