"""One namespace of a memory folder with all that works on it: what `HybridMemory` shows, and what a dream, an erasure
and the doctor take.

Nothing is loaded before it is needed: the ledger is opened at once, the indexes, the models and the reader when they
are first asked for, once for all namespaces of the folder.
"""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, get_args

from hybridmem.core import folder as places
from hybridmem.core.arguments import choice, kind_of
from hybridmem.core.clock import Time, parse_time
from hybridmem.core.errors import InvalidInput, ReadOnlyMemory, StoreError
from hybridmem.core.namespace import Namespace, checked_namespace, same_names
from hybridmem.core.policy import MemoryPolicy
from hybridmem.core.recent_calls import RecentCalls
from hybridmem.core.version import VERSION

if TYPE_CHECKING:
    from hybridmem.adapters.registry import AdapterRegistry
    from hybridmem.embedding.base import Embedder
    from hybridmem.models.base import LanguageModel
    from hybridmem.models.reader import ChatModel, Reader
    from hybridmem.models.trainable import TrainableModel
    from hybridmem.retrieval.pipeline import Found, Retrieval
    from hybridmem.router.policy import Router
    from hybridmem.stores.index.base import GraphIndex, LexicalIndex, VectorIndex
    from hybridmem.stores.index.follower import Indexes
    from hybridmem.stores.ledger.base import Ledger
    from hybridmem.stores.registry import IndexPlace

SEARCH_FOR_ANSWER = 10
"""Hits that the router chooses from."""

Redact = Literal["train", "store"]
"""When secrets are removed from texts: always before a training, with `store` also before they are written."""
_NO_BACKEND = (bool, int, float, bytes, bytearray, list, tuple, dict, set)
T = TypeVar("T")


class Closable(Protocol):
    def close(self) -> None: ...


class OpenSession(Closable, Protocol):
    """A session's working memory, as far as a deletion knows it."""

    def forget(self, ids: Collection[str], words: Collection[str] = ()) -> int:
        """Let go of the messages with these `ids`, and of those without a ledger in the same `words`; returns how many
        events went."""
        ...


C = TypeVar("C", bound=Closable)


@dataclass(frozen=True, slots=True)
class Backends:
    """What a memory is opened with, as its user gave it: an object, a name that stands for one, or None."""

    model: str | Path | LanguageModel | None = None
    embedder: str | Embedder | None = None
    reader: str | Reader | ChatModel | None = None
    ledger: str | Path | Ledger | None = None
    vectors: str | VectorIndex | None = None
    lexical: str | LexicalIndex | None = None
    graph: str | GraphIndex | None = None
    redact: Redact = "train"

    def require(self) -> None:
        """Raise `InvalidInput` for a name that stands for nothing, and for a value that can be no backend. Opens
        nothing."""
        choice("redact", self.redact, get_args(Redact))
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, _NO_BACKEND):
                raise InvalidInput(f"the {field.name} is {kind_of(value)}: pass a name or an object of its kind")
        from hybridmem.models.reader import require_reader
        from hybridmem.stores.registry import GRAPHS, LEXICAL, VECTORS, require_ledger

        for given, require in (
            (self.ledger, require_ledger),
            (self.vectors, VECTORS.require),
            (self.lexical, LEXICAL.require),
            (self.graph, GRAPHS.require),
            (self.reader, require_reader),
        ):
            if isinstance(given, str):
                require(given)


class Lazy(Generic[T]):
    """A value that is made when it is first asked for, once whatever the threads."""

    def __init__(self, make: Callable[[], T], lock: threading.RLock) -> None:
        self._make = make
        self._lock = lock
        self._made: list[T] = []

    def get(self) -> T:
        # Without the lock where it is there: a model that loads holds it for seconds, and a search needs no model.
        if self._made:
            return self._made[0]
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def is_made(self) -> bool:
        return bool(self._made)


class Resources:
    """What all namespaces of a memory folder share: ledger, indexes, models and reader.

    `close` closes what was opened here by name; an object that the user handed in stays open."""

    def __init__(self, folder: places.MemoryFolder, backends: Backends) -> None:
        self._copy = TemporaryDirectory(prefix="hybridmem-") if folder.read_only else None
        self.folder = folder if self._copy is None else _copied(folder, Path(self._copy.name))
        self.backends = backends
        self.calls = RecentCalls()
        self.derived: OrderedDict[tuple[str, Namespace], object] = OrderedDict()
        """What this process has derived of a namespace, by its kind: whoever keeps something here checks, before it is
        used again, that it still follows from the ledger."""
        self.sessions: dict[tuple[Namespace, str], OpenSession] = {}
        """Sessions that are open in this process, by namespace and id."""
        self._opened: list[Closable] = []
        self._process = os.getpid()
        self._closed = False
        self._ledger = self._open_ledger()
        self._facing = self._ledger
        if folder.read_only:
            from hybridmem.stores.ledger.read_only import read_only

            self._facing = read_only(self._ledger, folder.root)
        elif backends.redact == "store":
            from hybridmem.stores.ledger.redacted import redacted

            self._facing = redacted(self._ledger, "written")
        # One lock for all: libraries that load models do not like to be imported by two threads at once.
        lock = threading.RLock()
        self.indexes: Lazy[Indexes] = Lazy(self._open_indexes, lock)
        self.model: Lazy[LanguageModel] = Lazy(self._load_model, lock)
        self.reader: Lazy[Reader] = Lazy(self._load_reader, lock)
        self._together: Lazy[LanguageModel] = Lazy(self._share_model, lock)
        self._is_shared = False

    def answer_together(self) -> None:
        """From now on, what threads ask of the memories at once is answered in one batch, whatever their namespaces:
        for a server."""
        self._is_shared = True

    @property
    def answering(self) -> LanguageModel:
        """The model, as answers ask it."""
        return (self._together if self._is_shared else self.model).get()

    def require_open(self) -> None:
        """Raise `StoreError` after `close`, and in a process that was forked with this open: databases and locks do not
        survive a fork."""
        if self._closed:
            raise StoreError("this memory is closed: open it again with HybridMemory.open")
        if self._process != os.getpid():
            raise StoreError("this memory was opened before the process forked: open it in the child process")

    @property
    def ledger(self) -> Ledger:
        """The truth. Raises `StoreError` where this is closed."""
        self.require_open()
        return self._facing

    @property
    def opened(self) -> frozenset[str]:
        """Which of the parts that are opened when they are needed are open."""
        parts: dict[str, Lazy[Indexes] | Lazy[LanguageModel] | Lazy[Reader]] = {
            "indexes": self.indexes,
            "model": self.model,
            "reader": self.reader,
        }
        return frozenset(name for name, part in parts.items() if part.is_made)

    def close(self) -> None:
        """Let go of the databases. What was added is on disk already. In a forked child they stay its parent's."""
        if self._process != os.getpid():
            return
        self._closed = True
        for session in list(self.sessions.values()):
            session.close()
        while self._opened:
            self._opened.pop().close()
        if self._copy is not None:
            self._copy.cleanup()

    def idle_indexes(self) -> Iterator[tuple[str, VectorIndex | LexicalIndex | GraphIndex]]:
        """(name, index) of those that lie in the folder and that another backend stands in for now. Nothing brings
        them up to the ledger, so that an erasure has to look into them itself. Each is closed after its turn."""
        from hybridmem.stores.registry import DEFAULTS, GRAPHS, LEXICAL, LOCAL, VECTORS

        open_default: dict[str, Callable[[str, IndexPlace], VectorIndex | LexicalIndex | GraphIndex]] = {
            "vectors": VECTORS.make,
            "full_text": LEXICAL.make,
            "graph": GRAPHS.make,
        }
        for name, used in self.indexes.get().by_name.items():
            path = self.folder.index / LOCAL[name]
            if used.location != path and path.exists():
                idle = open_default[name](DEFAULTS[name], self._place)
                try:
                    yield name, idle
                finally:
                    idle.close()

    @property
    def _place(self) -> IndexPlace:
        from hybridmem.stores.registry import IndexPlace

        return IndexPlace(self.folder.index, self.folder.collection_prefix)

    def _closing(self, opened: C) -> C:
        self._opened.append(opened)
        return opened

    def _open_ledger(self) -> Ledger:
        from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
        from hybridmem.stores.registry import open_ledger

        given = self.backends.ledger
        if (given == "memory" or isinstance(given, InMemoryLedger)) and self.folder.ledger.exists():
            # It names none of the adapters in the folder, and a dream removes what no adapter claims.
            raise InvalidInput(
                f"{self.folder.root} has a ledger on disk: name another folder for a memory whose ledger is in memory"
            )
        if given is None or isinstance(given, str | Path):
            return self._closing(open_ledger(given or self.folder.ledger))
        return given

    def _default(self, kind: str) -> str:
        """The backend of an index that the user did not name. A ledger that ends with this process takes its indexes
        along: on disk they would outlive it, and hold what it no longer has."""
        from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
        from hybridmem.stores.registry import DEFAULTS

        return "memory" if isinstance(self._ledger, InMemoryLedger) else DEFAULTS[kind]

    def _open_indexes(self) -> Indexes:
        from hybridmem import embedding
        from hybridmem.stores.index.follower import Indexes
        from hybridmem.stores.registry import GRAPHS, LEXICAL, VECTORS

        given = self.backends.embedder or embedding.DEFAULT
        # First: where it cannot be loaded, no index is left open.
        embedder = embedding.load(given) if isinstance(given, str) else given
        vectors = self.backends.vectors or self._default("vectors")
        lexical = self.backends.lexical or self._default("full_text")
        graph = self.backends.graph or self._default("graph")
        place = self._place
        return Indexes(
            self._ledger,
            self._closing(VECTORS.make(vectors, place)) if isinstance(vectors, str) else vectors,
            self._closing(LEXICAL.make(lexical, place)) if isinstance(lexical, str) else lexical,
            self._closing(GRAPHS.make(graph, place)) if isinstance(graph, str) else graph,
            embedder,
            self.folder.index,
            shared=self.backends.ledger is not None,
        )

    def _load_model(self) -> LanguageModel:
        from hybridmem import models

        model = self.backends.model
        return models.load(model) if model is None or isinstance(model, str | Path) else model

    def _share_model(self) -> LanguageModel:
        from hybridmem.models.together import Together

        return Together(self.model.get())

    def _load_reader(self) -> Reader:
        from hybridmem.models.reader import OpenAIReader, load_reader

        if self.backends.reader is None:
            return self.model.get()
        reader = load_reader(self.backends.reader)
        if isinstance(self.backends.reader, str) and isinstance(reader, OpenAIReader):
            self._closing(reader)
        return reader


def _copied(folder: places.MemoryFolder, place: Path) -> places.MemoryFolder:
    """`folder` with its ledger and indexes in `place`: databases write beside what they read."""
    from hybridmem.stores.ledger.read_only import copied

    copy = replace(folder, copy=place)
    try:
        if folder.ledger.exists():
            copied(folder.ledger, copy.ledger)
        if folder.index.exists():
            shutil.copytree(folder.index, copy.index, copy_function=shutil.copyfile)
        copy.index.mkdir(exist_ok=True)
        # The folders were copied with their permissions.
        for each in (copy.index, *copy.index.rglob("*")):
            if each.is_dir():
                each.chmod(0o700)
    except PermissionError as error:
        raise ReadOnlyMemory(
            f"the memory folder {folder.root} cannot be read ({error.filename}): ask its owner"
        ) from None
    return copy


def _known(namespace: Namespace, ledger: Ledger) -> Namespace:
    """`namespace`, as the ledger writes it where it has it already."""
    # Letters of ASCII are composed in one way only, and the ledger is asked for nothing.
    return namespace if "".join(namespace).isascii() else same_names(namespace, ledger.namespaces())


@dataclass(frozen=True, eq=False)
class Workspace:
    """One namespace of a memory folder. Values that do not change; what is heavy is opened by `resources`."""

    namespace: Namespace
    folder: places.MemoryFolder
    clock: Callable[[], datetime]
    resources: Resources
    secrets: bool = True
    """Whether texts are read with the secrets that are in them."""

    @classmethod
    def open(
        cls, path: Path, namespace: Sequence[str] | str, backends: Backends, clock: Callable[[], datetime]
    ) -> Workspace:
        """The folder is made where nothing is there yet. Raises `StoreError`, `InvalidNamespace`, `InvalidInput`."""
        checked = checked_namespace(namespace)
        backends.require()
        # Absolute: indexes, models and adapters are opened later, perhaps from another working directory.
        folder = places.prepare(path.absolute(), VERSION)
        resources = Resources(folder, backends)
        return cls(_known(checked, resources.ledger), resources.folder, clock, resources)

    def at(self, namespace: Sequence[str] | str) -> Workspace:
        """Another namespace of the same folder, with the same resources. Raises `InvalidNamespace`."""
        return replace(self, namespace=_known(checked_namespace(namespace), self.ledger))

    def close(self) -> None:
        """Let go of the databases, for every namespace of the folder."""
        self.resources.close()

    def without_secrets(self) -> Workspace:
        """The same, as a dream reads it: passwords, keys and card numbers removed from every text."""
        return replace(self, secrets=False)

    @property
    def ledger(self) -> Ledger:
        """The truth."""
        if self.secrets:
            return self.resources.ledger
        from hybridmem.stores.ledger.redacted import redacted

        return redacted(self.resources.ledger, "read")

    @property
    def indexes(self) -> Indexes:
        """The vector, full-text and graph indexes."""
        self.resources.require_open()
        return self.resources.indexes.get()

    @property
    def model(self) -> LanguageModel:
        """The agent's model."""
        self.resources.require_open()
        return self.resources.model.get()

    @property
    def reader(self) -> Reader:
        """Who extracts facts, writes exercises and answers over memories: the agent's model, unless the user named
        another one."""
        return self.resources.reader.get()

    def trainable(self) -> TrainableModel:
        """The agent's model, when a dream can train it. Raises `ModelError`."""
        from hybridmem.models.trainable import require_trainable

        return require_trainable(self.model)

    @functools.cached_property
    def adapters(self) -> AdapterRegistry:
        """This namespace's adapters: list, active, promote, rollback, diff, export, verify."""
        from hybridmem.adapters.registry import AdapterRegistry

        return AdapterRegistry(self.ledger, self.folder.adapters, self.namespace, self.clock)

    @functools.cached_property
    def retrieval(self) -> Retrieval:
        """The searchers. Raises `EmbeddingMismatch`."""
        from hybridmem.retrieval.pipeline import Retrieval

        indexes = self.indexes
        indexes.require_same_embedder()
        return Retrieval(
            self.ledger, indexes.vectors, indexes.lexical, indexes.graph, indexes.embedder, clock=self.clock
        )

    @property
    def router(self) -> Router:
        """What chooses where an answer comes from."""
        return self.router_on(None)

    @property
    def policy(self) -> MemoryPolicy:
        """How long this namespace keeps what it is told, and how age counts in its searches."""
        return self.ledger.get_state(self.namespace, MemoryPolicy) or MemoryPolicy()

    def router_on(self, reference_date: Time | None) -> Router:
        """The router, for questions that are asked on that day, or now for None, under the policy of this moment.
        Raises `InvalidDate`."""
        from hybridmem.router.policy import Router

        other = self.reader if self.resources.backends.reader is not None and self.reader is not self.model else None
        asked_on = parse_time(reference_date) if reference_date is not None else None
        policy = self.policy
        half_life = policy.half_life

        def find(question: str) -> Found:
            return self.retrieval.find(
                self.namespace,
                question,
                limit=SEARCH_FOR_ANSWER,
                questions=False,
                half_life=half_life,
                reference_date=asked_on or self.clock(),
            )

        return Router(
            self.ledger,
            self.adapters,
            self.resources.answering,
            self.namespace,
            find,
            other,
            self.clock,
            asked_on,
            policy.risk,
            derived=self.resources.derived,
        )

    def forget_in_sessions(self, ids: Collection[str], words: Collection[str]) -> int:
        """Take `ids`, and what says the same `words` without an id of the ledger, out of this namespace's open sessions
        now; returns how many events went."""
        opened = list(self.resources.sessions.items())
        return sum(session.forget(ids, words) for (owner, _), session in opened if owner == self.namespace)

    def remove_from_indexes(self, ids: Sequence[str]) -> dict[str, int]:
        """Take `ids` out of every index now, those in the folder that are not in use among them; returns how many
        each kind of index held."""
        removed = self.indexes.remove(self.namespace, ids)
        for name, index in self.resources.idle_indexes():
            removed[name] = max(removed[name], index.delete(self.namespace, ids))
        return removed
