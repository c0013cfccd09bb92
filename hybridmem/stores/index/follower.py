"""Keeps the vector, full-text and graph indexes in step with the ledger, from which they can always be rebuilt.

What is indexed: every episode and fact that is not quarantined, the superseded and retired ones too, because a search
`as_of` a date wants them; the search asks the ledger which of its hits hold.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybridmem.core.errors import EmbeddingMismatch, StoreBusy, StoreError
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, MemoryRecord
from hybridmem.embedding.base import Embedder
from hybridmem.stores.index import chunks
from hybridmem.stores.index.acknowledgements import Acknowledgements, write_json
from hybridmem.stores.index.base import GraphIndex, LexicalIndex, VectorIndex, Vectors
from hybridmem.stores.index.fair_lock import FairLock
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.outbox import OutboxEntry

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps in all, one step for each memory in each index."""

BATCH = 256
"""Memories that are embedded, indexed and acknowledged at a time."""
STEP = 8
"""Texts that are embedded at a time where somebody may have to be given way to."""
BUSY_SECONDS = 600.0
"""How long to wait for another process that indexes, before `StoreBusy`."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Follower:
    """One index, and the name under which it acknowledges the ledger's outbox."""

    name: str
    index: VectorIndex | LexicalIndex | GraphIndex
    put: Callable[[Mapping[Namespace, Sequence[MemoryRecord]]], None]


class Indexes:
    """The three indexes of one memory folder. Only one process at a time writes to them.

    `folder` holds the lock, `embedding.json`, which names the model that made the vectors, and what `Acknowledgements`
    keeps. Vectors in the memory of this process need no such record. `shared`: whether other folders may follow the
    ledger, too.
    """

    def __init__(
        self,
        ledger: Ledger,
        vectors: VectorIndex,
        lexical: LexicalIndex,
        graph: GraphIndex,
        embedder: Embedder,
        folder: Path,
        *,
        shared: bool = False,
    ) -> None:
        self.vectors, self.lexical, self.graph, self.embedder = vectors, lexical, graph, embedder
        self._ledger = ledger
        self._folder = folder
        self._record = folder / "embedding.json"
        self._turn = FairLock()
        self._words = _Follower("full_text", lexical, self._put_texts)
        self._followers = (
            _Follower("vectors", vectors, self._put_vectors),
            self._words,
            _Follower("graph", graph, self._put_mentions),
        )
        locations = {follower.name: follower.index.location for follower in self._followers}
        self._followed = Acknowledgements(ledger, locations, folder, shared=shared)
        self.before_step: Callable[[], None] | None = None
        """Called between the steps of following the ledger, which are small then: to give way to what matters more."""
        self._chunked = False
        self.kept_up = False
        """Whether somebody in this process catches up after every write: a search need not look then."""

    @property
    def by_name(self) -> dict[str, VectorIndex | LexicalIndex | GraphIndex]:
        """Each index by the name under which a receipt counts what it held."""
        return {follower.name: follower.index for follower in self._followers}

    def require_same_embedder(self) -> None:
        """Raise `EmbeddingMismatch` if another model, or one of another dimension, made the vectors that are here."""
        if self.vectors.location is None or not self._record.exists() or "vectors" in self._followed.moved():
            return
        made_by = self._recorded()
        if any(made_by.get(key) != self._made_by()[key] for key in ("name", "dimension")):
            raise EmbeddingMismatch(
                f"the vectors were made by {made_by.get('name')} ({made_by.get('dimension')} dimensions) and not by "
                f"{self.embedder.name} ({self.embedder.dimension}): run `hybridmem reindex`, or name that model"
            )

    def catch_up(self, progress: Progress | None = None, *, of: Namespace | None = None) -> int:
        """Follow the ledger's outbox as far as it goes now; returns how many entries the index furthest behind
        followed. With `of`, only where something of that namespace waits, and nobody keeps the indexes up anyway.

        What is interrupted is simply done again: an entry only says which memory to look at, and the ledger says what
        becomes of it. Raises `EmbeddingMismatch` or `StoreBusy`.
        """
        if of is not None and self.kept_up:
            return 0
        last = self._followed.last_pending(of)
        if not last and self._followed.agree() and not self._followed.moved() and self._has_chunks():
            return 0
        with self._alone():
            self.require_same_embedder()
            if self._begin_anew_after_a_change() | self._begin_anew_where_moved():
                last = self._followed.last_pending(None)
            self._embed_chunks()
            # Another thread may have followed it meanwhile. What was written since is for those who come after it.
            if self._followed.up_to() >= last:
                return 0
            self.require_same_embedder()
            return self._follow(progress, last)

    def catch_up_words(self, *, of: Namespace) -> None:
        """Bring the full-text index alone up to the ledger, where something of the namespace waits for it: for a search
        by words, which is to load no embedding model and no vectors. The others follow at the next `catch_up`.

        Raises `StoreBusy`."""
        if self._followed.agree() and not self._followed.waits(self._words.name, of):
            return
        with self._alone():
            self._begin_anew_after_a_change()
            if self._words.name in self._followed.moved():
                self._begin_anew_where_moved()
            self._follow(None, sys.maxsize, (self._words,))

    def reindex(self, progress: Progress | None = None) -> int:
        """Rebuild every index from the ledger, with the present embedder; returns the entries followed."""
        with self._alone():
            self._begin_anew_where_moved()
            self._clear(self._followers)
            return self._follow(progress, sys.maxsize)

    def remove(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, int]:
        """Take `ids` out of every index now; returns how many each index held."""
        with self._alone():
            return {follower.name: self._delete(follower, namespace, ids) for follower in self._followers}

    def check(self, namespace: Namespace, *, tell_waiting: bool = True) -> list[str]:
        """Where an index and the ledger disagree about `namespace`, one line each; empty when all is well.

        Without `tell_waiting`, memories that the next search will index are well."""
        problems: list[str] = []
        try:
            self.require_same_embedder()
        except EmbeddingMismatch as error:
            problems.append(str(error))
        waiting = {entry.memory for entry in self._followed.waiting() if entry.namespace == namespace}
        if waiting and tell_waiting:
            problems.append(f"{len(waiting)} memories of {'/'.join(namespace)} wait to be indexed")
        expected = self._expected(namespace)
        for follower in self._followers:
            try:
                held = list(follower.index.ids(namespace))
                count = follower.index.count(namespace)
            except StoreError as error:
                problems.append(f"{follower.name}: {error}")
                continue
            problems += _differences(follower.name, namespace, expected - waiting, set(held) - waiting)
            if count != len(held):
                problems.append(
                    f"{follower.name} counts {count} memories and lists {len(held)}: run `hybridmem reindex`"
                )
        return problems

    def repair(self) -> int:
        """Catch up, then add what an index lacks and remove what it has too much; returns how many it was."""
        self.require_same_embedder()
        self.catch_up()
        repaired = 0
        with self._alone():
            for namespace in self._ledger.namespaces():
                expected = self._expected(namespace)
                for follower in self._followers:
                    held = set(follower.index.ids(namespace))
                    wrong = sorted(expected ^ held)
                    for start in range(0, len(wrong), BATCH):
                        some = wrong[start : start + BATCH]
                        shown = self._read(namespace, some)
                        self._bring_up_to_date(follower, {namespace: some}, {namespace: shown})
                    repaired += len(wrong)
        return repaired

    def close(self) -> None:
        for follower in self._followers:
            follower.index.close()

    def _follow(self, progress: Progress | None, last: int, followers: Sequence[_Follower] = ()) -> int:
        """Follow the outbox beyond the entry at `last`, or to its end, with all `followers` or with these."""
        followers = followers or self._followers
        total = sum(1 for _ in self._followed.waiting()) if progress else 0
        followed = {follower.name: 0 for follower in followers}
        reached = 0
        outbox = self._followed.outbox()
        while reached < last and (
            waiting := [
                (follower, entries)
                for follower in followers
                if (entries := self._followed.pending(follower.name, BATCH, outbox))
            ]
        ):
            reached = min(entries[-1].position for _, entries in waiting)
            self._followed.announce({follower.name: entries[-1].position for follower, entries in waiting})
            # The indexes mostly follow the same entries: their memories are read once for all of them.
            read = functools.cache(self._read)
            for follower, entries in waiting:
                wanted = _by_namespace(entries)
                shown = {namespace: read(namespace, tuple(ids)) for namespace, ids in wanted.items()}
                self._bring_up_to_date(follower, wanted, shown)
                self._followed.acknowledge(follower.name, entries[-1].position)
                followed[follower.name] += len(entries)
                if progress:
                    done = sum(followed.values())
                    progress(done, max(total, done))
        self._followed.announce({})
        return max(followed.values())

    def _read(self, namespace: Namespace, ids: Sequence[str]) -> list[MemoryRecord]:
        """Those of `ids` that an index should hold."""
        return [memory for memory in self._ledger.get_many(namespace, ids).values() if not memory.quarantined]

    def _bring_up_to_date(
        self,
        follower: _Follower,
        wanted: Mapping[Namespace, Sequence[str]],
        shown: Mapping[Namespace, Sequence[MemoryRecord]],
    ) -> None:
        """Have `follower` hold, of the ids that are `wanted` in each namespace, those that are `shown`, and no more."""
        follower.put({namespace: memories for namespace, memories in shown.items() if memories})
        for namespace, ids in wanted.items():
            kept = {memory.id for memory in shown[namespace]}
            if gone := [id for id in ids if id not in kept]:
                self._delete(follower, namespace, gone)

    def _delete(self, follower: _Follower, namespace: Namespace, ids: Sequence[str]) -> int:
        self._step()
        return follower.index.delete(namespace, ids)

    def _step(self) -> None:
        if self.before_step is not None:
            self.before_step()

    def _put_vectors(self, shown: Mapping[Namespace, Sequence[MemoryRecord]]) -> None:
        if not shown:
            return
        if self.vectors.location is not None and not self._record.exists():
            write_json(self._record, self._made_by())
        # All namespaces' texts at once: one by one they take three times as long.
        memories = [memory for own in shown.values() for memory in own]
        rows = iter(chunks.vectors_of(memories, self._embed, chunks.max_tokens(self.embedder)))
        for namespace, own in shown.items():
            self._step()
            made = [(memory.id, vectors) for memory, vectors in zip(own, rows, strict=False)]
            ids = [id for id, vectors in made for _ in vectors]
            self.vectors.upsert(namespace, ids, np.concatenate([vectors for _, vectors in made]))

    def _has_chunks(self) -> bool:
        """Whether the long memories have a vector for each part; in a folder of an earlier version they have one."""
        if not self._chunked:
            here = self.vectors.location is None or not self._record.exists()
            self._chunked = here or self._recorded().get("chunks") == chunks.FORMAT
        return self._chunked

    def _embed_chunks(self) -> None:
        """Give the long memories of a folder of an earlier version their vectors. Done again where it is stopped."""
        if self._has_chunks():
            return
        self.require_same_embedder()
        longest = chunks.max_tokens(self.embedder)
        for namespace in self._ledger.namespaces():
            indexed = set(self.vectors.ids(namespace))
            for memories in self._all(namespace):
                long = [m for m in memories if m.id in indexed and len(chunks.parts(m, longest)) > 1]
                if long:
                    self._put_vectors({namespace: long})
        write_json(self._record, self._made_by())
        self._chunked = True

    def _all(self, namespace: Namespace) -> Iterator[Sequence[MemoryRecord]]:
        """Every memory that an index should hold, some at a time."""
        yield [fact for fact in self._ledger.facts(namespace, include_retired=True) if not fact.quarantined]
        after = 0
        while page := self._ledger.episodes(namespace, after=after, limit=BATCH):
            yield [episode for episode in page if not episode.quarantined]
            after = page[-1].position

    def _embed(self, texts: Sequence[str]) -> Vectors:
        size = BATCH if self.before_step is None else STEP
        parts = []
        for start in range(0, len(texts), size):
            self._step()
            parts.append(self.embedder.embed(texts[start : start + size]))
        return np.concatenate(parts)

    def _put_texts(self, shown: Mapping[Namespace, Sequence[MemoryRecord]]) -> None:
        for namespace, memories in shown.items():
            self._step()
            self.lexical.upsert(namespace, dict(zip((each.id for each in memories), _texts(memories), strict=True)))

    def _put_mentions(self, shown: Mapping[Namespace, Sequence[MemoryRecord]]) -> None:
        for namespace, memories in shown.items():
            self._step()
            self.graph.upsert(namespace, memories)

    def _made_by(self) -> dict[str, str | int]:
        return {"name": self.embedder.name, "dimension": self.embedder.dimension, "chunks": chunks.FORMAT}

    def _recorded(self) -> dict[str, str | int]:
        """What was written down of the model that made the vectors, and of their form."""
        recorded: dict[str, str | int] = json.loads(self._record.read_text(encoding="utf-8"))
        return recorded

    def _begin_anew_after_a_change(self) -> bool:
        """Build the folder's indexes anew where they do not follow this ledger, or not this state of it."""
        if self._followed.agree(again=True):
            return False
        # On a server, other folders may follow into the same index: it is told everything, and keeps what it has.
        self._clear([follower for follower in self._followers if not isinstance(follower.index.location, str)])
        for follower in self._followers:
            self._followed.reset(follower.name)
        self._followed.announce({})
        return True

    def _clear(self, followers: Sequence[_Follower]) -> None:
        for follower in followers:
            # In this order: should it end between the two, the index follows everything again, and lacks nothing.
            self._followed.reset(follower.name)
            follower.index.clear()
        if self.vectors.location is not None and any(follower.index is self.vectors for follower in followers):
            self._record.unlink(missing_ok=True)

    def _begin_anew_where_moved(self) -> bool:
        """Have the indexes that lie elsewhere than before told everything; what they hold already stays in them."""
        moved = self._followed.moved()
        for name in moved:
            self._followed.reset(name)
        if "vectors" in moved:
            self._record.unlink(missing_ok=True)
        # Last: what is killed before is begun anew again.
        self._followed.note_places(moved)
        return bool(moved)

    def _expected(self, namespace: Namespace) -> set[str]:
        return {memory.id for memories in self._all(namespace) for memory in memories}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            # Threads wait for each other by a lock of theirs: a file lock is polled for, twenty times a second.
            with self._turn.held(), FileLock(self._folder / "indexing.lock").acquire(timeout=BUSY_SECONDS):
                yield
        except Timeout:
            raise StoreBusy(f"another process indexes {self._folder}: try again when it has finished") from None


def _texts(memories: Sequence[MemoryRecord]) -> list[str]:
    return [memory.quoted if isinstance(memory, Episode) else memory.text for memory in memories]


def _by_namespace(entries: Sequence[OutboxEntry]) -> dict[Namespace, list[str]]:
    """The memories that `entries` name, each once."""
    grouped: dict[Namespace, dict[str, None]] = {}
    for entry in entries:
        grouped.setdefault(entry.namespace, {})[entry.memory] = None
    return {namespace: list(ids) for namespace, ids in grouped.items()}


def _differences(name: str, namespace: Namespace, expected: set[str], held: set[str]) -> Iterator[str]:
    for verb, ids in (("lacks", expected - held), ("still has", held - expected)):
        if ids:
            some = ", ".join(sorted(ids)[:_SHOWN]) + (" ..." if len(ids) > _SHOWN else "")
            yield f"{name} {verb} {len(ids)} memories of {'/'.join(namespace)} ({some}): run `hybridmem reindex`"
