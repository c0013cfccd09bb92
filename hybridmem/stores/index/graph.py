"""Which memory mentions which entity, one file per namespace: derived from the ledger, and rebuilt from it when lost.

The graph is bipartite: entities on one side, memories on the other. A fact is the memory that ties its subject to its
object. A query walks it by personalised PageRank (Haveliwala 2002), as HippoRAG (2405.14831) does: restarts go to the
entities that the question names, the rarer the more.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from hybridmem.core.errors import CorruptStore, ReadOnlyMemory, StoreBusy, StoreFull
from hybridmem.core.namespace import Namespace, namespace_digest
from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.mentions import Mentions, entity
from hybridmem.stores.index.base import Neighbourhood
from hybridmem.stores.index.graph_walk import Walk
from hybridmem.stores.index.mention_graph import edges, memory_mentions

BUSY_SECONDS = 30.0
_FORMAT = 1


class GraphIndex:
    """The protocol's `GraphIndex` in `folder`; several processes may use it at once.

    A file has a header and then one JSON line for each memory: its id and the names in it, no other text. New memories
    are appended; a change or a deletion writes the file anew and replaces it in one step, so that no byte of what is
    gone stays, and an entity that no other memory mentions is gone too.

    Raises `CorruptStore`, `StoreBusy`, `StoreFull` or `ReadOnlyMemory`.
    """

    def __init__(self, folder: Path) -> None:
        self.location = self._folder = folder
        self._guard = threading.RLock()
        self._files: dict[Namespace, _File] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def upsert(self, namespace: Namespace, memories: Sequence[Episode | Fact]) -> None:
        found = {memory.id: memory_mentions(memory) for memory in memories}
        with self._writing(), self._file(namespace) as file:
            new = {id: mention for id, mention in found.items() if id not in file.memories}
            if any(file.memories[id] != mention for id, mention in found.items() if id not in new):
                file.replace({**file.memories, **found})
            elif new:
                file.append(new)

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        with self._writing(), self._file(namespace) as file:
            gone = file.memories.keys() & set(ids)
            if gone:
                file.replace({id: mention for id, mention in file.memories.items() if id not in gone})
            return len(gone)

    def query(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, float]]:
        with self._file(namespace) as file:
            return file.walk.from_text(text, limit)

    def neighbourhood(self, namespace: Namespace, entity: str | None, limit: int) -> Neighbourhood:
        with self._file(namespace) as file:
            return file.walk.neighbourhood(entity, limit)

    def mentioning(self, namespace: Namespace, entity: str, limit: int) -> list[str]:
        with self._file(namespace) as file:
            return file.walk.mentioning(entity, limit)

    def matching(self, namespace: Namespace, text: str, limit: int) -> list[tuple[str, int]]:
        with self._file(namespace) as file:
            return file.walk.matching(entity(text), limit)

    def count(self, namespace: Namespace) -> int:
        with self._file(namespace) as file:
            return len(file.memories)

    def ids(self, namespace: Namespace) -> Iterator[str]:
        with self._file(namespace) as file:
            return iter(sorted(file.memories))

    def entities(self, namespace: Namespace) -> dict[str, list[str]]:
        """Each memory's entities, in lower case."""
        with self._file(namespace) as file:
            return edges(file.memories)

    def clear(self) -> None:
        with self._writing(), self._guard:
            for path in self._folder.glob("*.jsonl"):
                path.unlink()
            self._files.clear()

    def close(self) -> None:
        with self._guard:
            self._files.clear()

    @contextmanager
    def _file(self, namespace: Namespace) -> Iterator[_File]:
        """The namespace's file as it is on disk now."""
        with self._guard:
            if namespace not in self._files:
                name = namespace_digest(namespace, 40)
                self._files[namespace] = _File(self._folder / f"{name}.jsonl", namespace)
            self._files[namespace].refresh()
            yield self._files[namespace]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(self._folder / "lock").acquire(timeout=BUSY_SECONDS):
                yield
        except Timeout:
            raise StoreBusy(f"another process holds {self._folder}: try again when it has finished") from None
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StoreFull(f"the disk that holds {self._folder} is full: make room and try again") from error
            if error.errno in {errno.EACCES, errno.EROFS}:
                raise ReadOnlyMemory(f"{self._folder} cannot be written to: check its permissions") from error
            raise


class _File:
    """One namespace's mentions, in memory and on disk."""

    def __init__(self, path: Path, namespace: Namespace) -> None:
        self._path = path
        self._namespace = namespace
        self._generation = b""
        self._stamp: tuple[int, int, int] | None = None
        self._end = 0
        self._walk: Walk | None = None
        self.memories: dict[str, Mentions] = {}
        self._lines: dict[str, tuple[Mentions, bytes]] = {}

    @property
    def walk(self) -> Walk:
        if self._walk is None:
            self._walk = Walk(self.memories)
        return self._walk

    def refresh(self) -> None:
        """Read what other processes wrote: all of a replaced file, only the end of a longer one."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._forget()
            return
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp == self._stamp:
            return
        with self._path.open("rb") as stream:
            header = stream.readline()
            if header != self._generation:
                self._forget()
                self._check(header)
                self._generation, self._end = header, len(header)
            stream.seek(self._end)
            self._read(stream)
        self._stamp = stamp

    def append(self, new: Mapping[str, Mentions]) -> None:
        if not self._generation:
            self.replace(new)
            return
        with self._path.open("r+b") as stream:
            # A writer that was killed may have left half a line.
            stream.truncate(self._end)
            stream.seek(self._end)
            self._finish(stream, new)
        self._take_in(new)

    def replace(self, memories: Mapping[str, Mentions]) -> None:
        """Write the whole file beside the old one and put it in its place."""
        self._generation = _line(
            {"format": _FORMAT, "namespace": list(self._namespace), "generation": secrets.token_hex(8)}
        )
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as stream:
            stream.write(self._generation)
            self._finish(stream, memories)
        beside.replace(self._path)
        _sync_folder(self._path.parent)
        self.memories = dict(memories)
        self._lines = {id: self._lines[id] for id in memories}
        self._walk = None

    def _take_in(self, new: Mapping[str, Mentions]) -> None:
        if self._walk is not None:
            self._walk.add(new)
        self.memories.update(new)

    def _finish(self, stream: BinaryIO, memories: Mapping[str, Mentions]) -> None:
        stream.writelines(self._line(id, mention) for id, mention in memories.items())
        stream.flush()
        os.fsync(stream.fileno())
        self._end = stream.tell()
        self._stamp = None

    def _line(self, id: str, mention: Mentions) -> bytes:
        """The memory's line; kept, because a change writes all of them anew."""
        kept = self._lines.get(id)
        if kept is None or kept[0] != mention:
            line = _line({"id": id, "names": sorted(mention.names), "maybe": sorted(mention.maybe)})
            kept = self._lines[id] = (mention, line)
        return kept[1]

    def _forget(self) -> None:
        self._generation, self._stamp, self._end, self._walk = b"", None, 0, None
        self.memories, self._lines = {}, {}

    def _read(self, stream: BinaryIO) -> None:
        new: dict[str, Mentions] = {}
        for line in stream:
            if not line.endswith(b"\n"):
                break
            try:
                row = json.loads(line)
                new[row["id"]] = Mentions(frozenset(row["names"]), frozenset(row["maybe"]))
            except (ValueError, KeyError, TypeError) as error:
                raise self._corrupt(error) from error
            self._end += len(line)
        self._take_in(new)

    def _check(self, header: bytes) -> None:
        try:
            wrong = json.loads(header)["format"] != _FORMAT
        except (ValueError, KeyError, TypeError) as error:
            raise self._corrupt(error) from error
        if wrong:
            raise self._corrupt("its format is another")

    def _corrupt(self, why: object) -> CorruptStore:
        return CorruptStore(f"{self._path} cannot be read ({why}): delete it and run `hybridmem reindex`")


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` outlast a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
