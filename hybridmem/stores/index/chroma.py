"""The vector index on Chroma: a folder on this machine, or a Chroma server.

Chroma's embedded database keeps its search graph in the memory of each process. A second process that writes to the
same folder is not noticed, and what the first one then writes to disk silently drops the second one's vectors
(measured with chromadb 1.5.9). So every use of a folder holds a lock file, and a process whose view is older than
the last writer's opens the folder again.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from hybridmem.core.errors import CorruptStore, EmbeddingMismatch, StoreBusy, StoreError
from hybridmem.core.namespace import Namespace, namespace_digest
from hybridmem.stores.index.base import Vectors, require_a_vector_each

log = logging.getLogger(__name__)

BUSY_SECONDS = 60.0
"""How long to wait for another process before `StoreBusy`."""
_POLL_SECONDS = 0.002
_PAGE = 10_000
_OWN_NAME = re.compile("-[0-9a-f]{40}")
"""What follows the prefix in the name of a collection."""
_SEPARATOR = "\x1f"
"""Between a memory's id and the number of its part, in what Chroma takes for an id; the first part has the bare id."""
_COUNT, _NUMBER = "chunks", "chunk"
"""In Chroma's metadata: how many parts a memory has, at its first; the number of each further one."""
_WIDER = 4
_AHEAD = 1.25
"""How many more parts than the last query took are asked for."""
_CONFIGURATION = {"hnsw": {"space": "cosine", "ef_search": 200}}
_HEADER = struct.Struct("<i4Q")
"""How a graph's `header.bin` begins: version, offset, room for how many vectors, how many there are, bytes of each."""
_HEADER_VERSION = 1
_LENGTH_BYTES = 4
"""Of each vector in `length.bin`."""


class ChromaIndex:
    """A `VectorIndex` in the folder, or on the server at the `http://` or `https://` URL, that `location` names.

    One collection per namespace, named after the sha256 of it; ids and vectors only, never a text. Nothing is ever
    downloaded and nothing reported (no embedding function, telemetry off). Memories that share a server need
    different values of `prefix`. `headers` go with every request to a server, which may ask for a token there.
    Several processes and threads may use one folder at once.

    `delete` hides a vector for good but Chroma may keep its bytes in its file; `clear` removes the files.

    Raises `StoreBusy`, `CorruptStore`, `EmbeddingMismatch` (vectors of another dimension) or `StoreError` (no server).
    """

    def __init__(
        self, location: Path | str, *, prefix: str = "hybridmem", headers: Mapping[str, str] | None = None
    ) -> None:
        self._prefix = prefix
        self._database: _Database
        self.location: Path | str
        if isinstance(location, str) and location.startswith(("http://", "https://")):
            self.location = f"{location}#{prefix}"
            self._database = _Server(location, prefix, headers or {})
        else:
            self.location = Path(location)
            self._database = _Folder.shared(self.location)
        self._parts_each: dict[Namespace, float] = {}
        """How many parts it took for one memory, in the last query of each namespace."""

    def upsert(self, namespace: Namespace, ids: Sequence[str], vectors: Vectors) -> None:
        require_a_vector_each(ids, vectors)
        rows: dict[str, list[int]] = {}
        for row, id in enumerate(ids):
            rows.setdefault(id, []).append(row)
        if not rows:
            return
        with self._database.use(writing=True) as client, _chroma_errors():
            # Looked up first: to ask Chroma to create one that is there costs as much as to write to it.
            collection = self._database.collection(self._name(namespace)) or client.get_or_create_collection(
                self._name(namespace),
                metadata={"namespace": "/".join(namespace)},
                configuration=_CONFIGURATION,
                embedding_function=None,
            )
            most = client.get_max_batch_size()
            counted = _counted(collection, list(rows), most)
            if gone := [_part(id, n) for id, own in rows.items() for n in range(len(own), counted.get(id, 1))]:
                _delete(collection, gone, most)
            plain = {id: own[0] for id, own in rows.items() if len(own) == 1 and counted.get(id, 1) == 1}
            _put(collection, list(plain), vectors[list(plain.values())], None, most)
            # The first part says how many there are, and comes first: what is interrupted is still deleted whole.
            long = {id: own for id, own in rows.items() if id not in plain}
            firsts: list[Any] = [{_COUNT: len(own)} for own in long.values()]
            _put(collection, list(long), vectors[[own[0] for own in long.values()]], firsts, most)
            further = [(id, n, row) for id, own in long.items() for n, row in enumerate(own) if n]
            numbers: list[Any] = [{_NUMBER: n} for _, n, _ in further]
            parts = [_part(id, n) for id, n, _ in further]
            _put(collection, parts, vectors[[row for _, _, row in further]], numbers, most)

    def delete(self, namespace: Namespace, ids: Sequence[str]) -> int:
        unique = list(dict.fromkeys(ids))
        removed = 0
        with self._collection(namespace, writing=True) as (client, collection):
            if collection is None:
                return 0
            most = client.get_max_batch_size()
            for start in range(0, len(unique), most):
                # A deletion of nothing costs as much as one of something, and a look next to nothing: what an erasure
                # took out at once is told to the index again later.
                there = _counted(collection, unique[start : start + most], most)
                if there:
                    _delete(collection, [_part(id, n) for id, count in there.items() for n in range(count)], most)
                    removed += len(there)
        return removed

    def query(self, namespace: Namespace, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        with self._collection(namespace) as (_, collection):
            if collection is None or limit <= 0:
                return []
            # A query costs little more for more parts, and twice as much where it is put again.
            wanted = int(limit * min(self._parts_each.get(namespace, 1.0), _WIDER)) + 1
            while True:
                near = collection.query(query_embeddings=vector.reshape(1, -1), n_results=wanted, include=["distances"])
                parts, distances = near["ids"][0], near["distances"][0]
                best: dict[str, float] = {}
                looked = 0
                for part, distance in zip(parts, distances, strict=True):
                    if len(best) == limit:
                        break
                    looked += 1
                    best.setdefault(_whole(str(part)), 1.0 - float(distance))
                # The parts of one long memory may be the nearest of all.
                if len(best) == limit or len(parts) < wanted:
                    if best:
                        self._parts_each[namespace] = _AHEAD * looked / len(best)
                    return list(best.items())
                wanted *= _WIDER

    def count(self, namespace: Namespace) -> int:
        with self._collection(namespace) as (_, collection):
            if collection is None:
                return 0
            return int(collection.count()) - len(collection.get(where={_NUMBER: {"$gte": 1}}, include=[])["ids"])

    def ids(self, namespace: Namespace) -> Iterator[str]:
        found: list[str] = []
        with self._collection(namespace) as (_, collection):
            if collection is not None:
                while page := collection.get(limit=_PAGE, offset=len(found), include=[])["ids"]:
                    found.extend(page)
        return iter(sorted(id for id in found if _whole(id) == id))

    def digests(self) -> list[str]:
        """The first 40 digits of the sha256 of each namespace that has a collection."""
        return [name.removeprefix(f"{self._prefix}-") for name in self._database.names(self._prefix)]

    def clear(self) -> None:
        self._database.clear()

    def close(self) -> None:
        self._database.close()

    def _name(self, namespace: Namespace) -> str:
        return f"{self._prefix}-{namespace_digest(namespace, 40)}"

    @contextmanager
    def _collection(self, namespace: Namespace, *, writing: bool = False) -> Iterator[tuple[Any, Any]]:
        """Chroma's client, and the namespace's collection or None."""
        with self._database.use(writing=writing) as client, _chroma_errors():
            yield client, self._database.collection(self._name(namespace))


class _Database(Protocol):
    def use(self, *, writing: bool) -> AbstractContextManager[Any]:
        """A Chroma client that sees what every other process wrote."""
        ...

    def collection(self, name: str) -> Any:
        """A collection, or None; within `use`."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Of all own collections under `prefix`."""
        ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


class _Folder:
    """Chroma's embedded database in ``folder/database``, one for all indexes of this process on that folder."""

    _open: ClassVar[dict[Path, _Folder]] = {}
    _open_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._database = folder / "database"
        self._mark = folder / "last-write"
        self._lock = FileLock(folder / "lock")
        # Threads wait for each other here: a file lock is polled for, and the last to come may be the first to get it.
        self._turn = threading.RLock()
        self._client: Any = None
        self._collections: dict[str, Any] = {}
        self._loading = False
        """Whether a graph that this client has not loaded yet is in use."""
        self._zeroed: dict[str, int] = {}
        """By the folder of a graph: when it was last written, of those that are known to be zeroed."""
        self._seen = b""
        self._users = 0

    @classmethod
    def shared(cls, folder: Path) -> _Folder:
        with cls._open_lock:
            opened = cls._open.setdefault(folder.resolve(), cls(folder.resolve()))
            opened._users += 1
            return opened

    @contextmanager
    def use(self, *, writing: bool) -> Iterator[Any]:
        with self._locked():
            mark = self._mark.read_bytes() if self._mark.exists() else b""
            if self._client is None or mark != self._seen:
                self._reopen()
                self._seen = mark
            if writing:
                # Before the write: should this process be killed in it, the others must look again all the same.
                self._tell_others()
            try:
                yield self._client
            finally:
                if self._loading:
                    self._loading = False
                    _zero_unused(self._database, self._zeroed)

    def collection(self, name: str) -> Any:
        """The collection of the client in use, or None. Looking it up costs as much as a query."""
        if (found := self._collections.get(name)) is None:
            self._loading = True
            if (found := _existing(self._client, name)) is not None:
                self._collections[name] = found
        return found

    def names(self, prefix: str) -> list[str]:
        if not self._database.exists():
            return []
        with self.use(writing=False) as client:
            return _own_names(client, prefix)

    def clear(self) -> None:
        with self._locked():
            self._tell_others()
            self._disconnect()
            if self._database.exists():
                shutil.rmtree(self._database)

    def close(self) -> None:
        with self._open_lock:
            self._users -= 1
            if self._users > 0:
                return
            self._open.pop(self._folder, None)
        with self._locked():
            self._disconnect()

    def _tell_others(self) -> None:
        self._seen = secrets.token_hex(8).encode()
        self._mark.write_bytes(self._seen)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import Timeout

        with self._turn:
            try:
                held = self._lock.acquire(timeout=BUSY_SECONDS, poll_interval=_POLL_SECONDS)
            except Timeout:
                raise StoreBusy(f"another process holds {self._folder}: try again when it has finished") from None
            with held:
                yield

    def _reopen(self) -> None:
        import chromadb

        self._disconnect()
        try:
            self._client = chromadb.PersistentClient(path=str(self._database), settings=_settings())
        except (ValueError, chromadb.errors.ChromaError) as error:
            raise CorruptStore(
                f"the vector index in {self._folder} cannot be opened ({error}): delete it and run `hybridmem reindex`"
            ) from error

    def _disconnect(self) -> None:
        self._collections.clear()
        if self._client is not None:
            self._client.close()
            self._client = None


class _Server:
    """A Chroma server: it keeps its own processes in step."""

    def __init__(self, url: str, prefix: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._prefix = prefix
        self._headers = dict(headers)
        self._client: Any = None

    @contextmanager
    def use(self, *, writing: bool) -> Iterator[Any]:
        import httpx

        try:
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except httpx.TransportError as error:
            raise StoreError(f"the Chroma server at {self._url} does not answer ({error}): start it") from error

    def collection(self, name: str) -> Any:
        return _existing(self._client, name)

    def names(self, prefix: str) -> list[str]:
        with self.use(writing=False) as client:
            return _own_names(client, prefix)

    def clear(self) -> None:
        with self.use(writing=True) as client:
            for name in _own_names(client, self._prefix):
                client.delete_collection(name)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self) -> Any:
        import chromadb
        import httpx
        from chromadb.errors import ChromaError

        address = urlsplit(self._url)
        secure = address.scheme == "https"
        try:
            return chromadb.HttpClient(
                host=address.hostname or "localhost",
                port=address.port or (443 if secure else 8000),
                ssl=secure,
                headers=self._headers,
                settings=_settings(),
            )
        except (ValueError, ChromaError) as error:
            # Chroma's own message is the same for a server that is not there and for one that lets nobody in.
            cause = error.__context__ or error
            if isinstance(cause, httpx.TransportError):
                raise StoreError(
                    f"no Chroma server answers at {self._url}: start one with `chroma run`, or correct the URL"
                ) from error
            raise StoreError(
                f"the Chroma server at {self._url} refuses ({' '.join(str(cause).split())[:120]}): correct the URL, or "
                f"set HYBRIDMEM_CHROMA_TOKEN to the token that it asks for"
            ) from error


@cache
def _defaults() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _settings() -> Any:
    """Settings for a new client, which writes into them. To make them anew costs as much as the rest of opening."""
    return _defaults().model_copy()


def _part(id: str, number: int) -> str:
    return f"{id}{_SEPARATOR}{number}" if number else id


def _whole(part: str) -> str:
    return part.partition(_SEPARATOR)[0]


def _counted(collection: Any, ids: Sequence[str], most: int) -> dict[str, int]:
    """Those of `ids` that are there, with the number of their parts."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), most):
        there = collection.get(ids=list(ids[start : start + most]), include=["metadatas"])
        for id, metadata in zip(there["ids"], there["metadatas"] or (), strict=True):
            found[str(id)] = int((metadata or {}).get(_COUNT, 1))
    return found


def _delete(collection: Any, parts: Sequence[str], most: int) -> None:
    # From the end: should it stop midway, the first part still says how many there are.
    for end in range(len(parts), 0, -most):
        collection.delete(ids=list(parts[max(0, end - most) : end]))


def _put(collection: Any, parts: Sequence[str], vectors: Vectors, metadatas: list[Any] | None, most: int) -> None:
    for start in range(0, len(parts), most):
        batch = slice(start, start + most)
        collection.upsert(
            ids=list(parts[batch]), embeddings=vectors[batch], metadatas=metadatas[batch] if metadatas else None
        )


def _zero_unused(database: Path, zeroed: dict[str, int]) -> None:
    """Zeros for what no vector fills yet in the files of the graphs, but for those that have not been written since
    they were `zeroed`, which is brought up to date.

    A graph with no vector on the disk is written at its full size, out of memory that is not cleared first (hnswlib's
    `initPersistentIndex`, chromadb 1.5.9). What the process held there before, a deleted text or a password, would
    stay in the file.
    """
    with os.scandir(database) as entries:
        graphs = [entry.path for entry in entries if entry.is_dir()]
    for graph in graphs:
        header = Path(graph, "header.bin")
        try:
            written = header.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if zeroed.get(graph) != written:
            _zero_graph(header)
            zeroed[graph] = written


def _zero_graph(header: Path) -> None:
    start = header.read_bytes()[: _HEADER.size]
    if len(start) < _HEADER.size:
        return
    version, _, _, count, size = _HEADER.unpack(start)
    if version != _HEADER_VERSION:
        log.warning(
            "%s is of version %d, not %d: what Chroma leaves in its files was not zeroed",
            header,
            version,
            _HEADER_VERSION,
        )
        return
    for name, used in (("data_level0.bin", count * size), ("length.bin", count * _LENGTH_BYTES)):
        with (header.parent / name).open("r+b") as file:
            file.seek(used)
            rest = file.read()
            if rest.strip(b"\0"):
                file.seek(used)
                file.write(bytes(len(rest)))


def _own_names(client: Any, prefix: str) -> list[str]:
    """The names of all collections under `prefix`, which other memories on a server do not share."""
    names: list[str] = []
    while page := client.list_collections(limit=_PAGE, offset=len(names)):
        names += [collection.name for collection in page]
    return [name for name in names if _OWN_NAME.fullmatch(name.removeprefix(prefix))]


def _existing(client: Any, name: str) -> Any:
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None


@contextmanager
def _chroma_errors() -> Iterator[None]:
    from chromadb.errors import ChromaError, InvalidArgumentError, InvalidDimensionException

    try:
        yield
    except (InvalidArgumentError, InvalidDimensionException) as error:
        if "dimension" not in str(error):
            raise
        raise EmbeddingMismatch(
            f"the index holds vectors of another embedding model ({error}): run `hybridmem reindex`"
        ) from error
    except ChromaError as error:
        raise CorruptStore(f"the vector index failed ({error}): run `hybridmem reindex`") from error
