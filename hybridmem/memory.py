"""`HybridMemory`, the face of the project: an agent's memory outside the model and inside it.

>>> with HybridMemory.open("memory", namespace=("users", "ana")) as memory:   # doctest: +SKIP
...     memory.add("Ana moved to Lisbon in March.")
...     memory.dream()
...     memory.answer("Where does Ana live?").route
'weights'
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from hybridmem.core import folder as places
from hybridmem.core.clock import parse_time, utc_now
from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import (
    Answer,
    DreamReport,
    Episode,
    ErasureReceipt,
    Event,
    Fact,
    Hit,
    Kind,
    Route,
    Trust,
    checked_text,
    new_id,
)
from hybridmem.core.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hybridmem.adapters.registry import AdapterRegistry
    from hybridmem.dreaming.cycle import Progress
    from hybridmem.dreaming.recipes import Recipe
    from hybridmem.dreaming.steps.unlearn import Probe
    from hybridmem.embedding.base import Embedder
    from hybridmem.importers import ImportedTurn
    from hybridmem.models.base import LanguageModel
    from hybridmem.retrieval.pipeline import Retrieval
    from hybridmem.router.policy import Router
    from hybridmem.stores.index.follower import Indexes
    from hybridmem.stores.ledger.base import Ledger


APPEND_AT_ONCE = 500
SEARCH_FOR_ANSWER = 10

P = ParamSpec("P")
T = TypeVar("T")


def _quiet(step: str, done: int, total: int) -> None:
    """The progress of somebody who does not look."""


def _twin(
    method: Callable[Concatenate[HybridMemory, P], T],
) -> Callable[Concatenate[HybridMemory, P], Coroutine[Any, Any, T]]:
    """The asynchronous twin of `method`: the same call in a worker thread, one at a time for each memory."""

    @functools.wraps(method)
    async def twin(self: HybridMemory, /, *args: P.args, **kwargs: P.kwargs) -> T:
        def call() -> T:
            with self._one_at_a_time:
                return method(self, *args, **kwargs)

        return await asyncio.to_thread(call)

    twin.__name__ = twin.__qualname__ = f"a{method.__name__}"
    return twin


class HybridMemory:
    """One namespace of a memory folder. Make it with `open`; close it, or use it as a context manager.

    Nothing is loaded before it is needed: `add` opens the ledger alone, `search` the indexes and the embedding model,
    `answer` and `dream` the language model.
    """

    def __init__(
        self,
        where: places.MemoryFolder,
        ledger: Ledger,
        namespace: Namespace,
        model: str | Path | LanguageModel | None,
        embedder: str | Embedder | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.folder = where
        self.ledger = ledger
        self.namespace = namespace
        self._model = model
        self._embedder = embedder
        self._clock = clock
        self._one_at_a_time = threading.RLock()
        self._loading = threading.RLock()
        self._owner: HybridMemory | None = None
        """The memory that this one shares its parts with, for one that `at` made."""

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        namespace: Sequence[str] | str = ("default",),
        model: str | Path | LanguageModel | None = None,
        embedder: str | Embedder | None = None,
        ledger: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> HybridMemory:
        """The memory in folder `path`, made where nothing is there yet.

        `model`: a folder or hub name of any causal language model, a `LanguageModel`, or None for the bundled one.
        `embedder`: a name that `hybridmem.embedding.load` knows, an `Embedder`, or None for all-MiniLM-L6-v2.
        `ledger`: a database URL for the truth in place of the folder's SQLite. Raises `StoreError`, `InvalidNamespace`.
        """
        from hybridmem.stores.ledger.sql.ledger import SqlLedger

        checked = checked_namespace(namespace)
        where = places.prepare(Path(path), VERSION)
        return cls(where, SqlLedger(ledger or where.ledger), checked, model, embedder, clock)

    def at(self, namespace: Sequence[str] | str) -> HybridMemory:
        """Another namespace of the same folder. Ledger, indexes and models are shared with this memory, which alone
        has to be closed. Threads may use several at once. Raises `InvalidNamespace`."""
        other = HybridMemory(
            self.folder, self.ledger, checked_namespace(namespace), self._model, self._embedder, self._clock
        )
        other._owner = self._owner or self
        return other

    def __enter__(self) -> HybridMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the databases. What was added is on disk already."""
        if self._owner is not None:
            return
        if "_indexes" in self.__dict__:
            self.indexes.close()
        self.ledger.close()

    # ---- the parts, loaded when first asked for

    @property
    def indexes(self) -> Indexes:
        """The vector, full-text and graph indexes."""
        owner = self._owner or self
        with owner._loading:
            return owner._indexes

    @property
    def model(self) -> LanguageModel:
        """The agent's model."""
        owner = self._owner or self
        with owner._loading:
            return owner._language_model

    @functools.cached_property
    def _indexes(self) -> Indexes:
        from hybridmem import embedding
        from hybridmem.stores.index.chroma import ChromaIndex
        from hybridmem.stores.index.follower import Indexes
        from hybridmem.stores.index.fulltext import FullTextIndex
        from hybridmem.stores.index.graph import GraphIndex

        named = self._embedder or embedding.DEFAULT
        embedder = embedding.load(named) if isinstance(named, str) else named
        index = self.folder.index
        return Indexes(
            self.ledger,
            ChromaIndex(index / "chroma"),
            FullTextIndex(index / "fulltext.sqlite3"),
            GraphIndex(index / "graph"),
            embedder,
            index,
        )

    @functools.cached_property
    def _language_model(self) -> LanguageModel:
        from hybridmem import models

        if self._model is None or isinstance(self._model, str | Path):
            return models.load(self._model)
        return self._model

    @functools.cached_property
    def adapters(self) -> AdapterRegistry:
        """This namespace's adapters: list, active, promote, rollback, diff, export, verify."""
        from hybridmem.adapters.registry import AdapterRegistry

        return AdapterRegistry(self.ledger, self.folder.adapters, self.namespace, self._clock)

    @functools.cached_property
    def retrieval(self) -> Retrieval:
        """The searchers."""
        from hybridmem.retrieval.pipeline import Retrieval

        self.indexes.require_same_embedder()
        parts = self.indexes
        return Retrieval(self.ledger, parts.vectors, parts.lexical, parts.graph, parts.embedder)

    @functools.cached_property
    def router(self) -> Router:
        """Who chooses where an answer comes from."""
        from hybridmem.router.policy import Router

        def search(question: str) -> list[Hit]:
            return self.retrieval.search(self.namespace, question, limit=SEARCH_FOR_ANSWER)

        return Router(self.ledger, self.adapters, self.model, self.namespace, search)

    # ---- remembering

    def add(
        self,
        content: str | Sequence[Mapping[str, Any]],
        *,
        session: str | None = None,
        at: str | datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        trust: Trust = "user",
        role: str = "user",
        speaker: str | None = None,
        source: str = "add",
    ) -> list[Episode]:
        """Remember a text, or messages as OpenAI, Anthropic and LangChain write them. Calls no model.

        What it returns is on disk. `at` is when it was said (now); a message's own date, session and trust win.
        Raises `InvalidInput`."""
        from hybridmem.importers import ImportedTurn
        from hybridmem.importers.message import turns

        when = parse_time(at) if at is not None else None
        given = dict(metadata or {})
        if isinstance(content, str):
            told = [ImportedTurn(content, role, speaker, session, when, source, trust, given)]
        else:
            told = []
            for message in content:
                for turn in turns(message, source=source, session=session):
                    believed = turn.trust if turn.trust != "user" else trust
                    told.append(
                        ImportedTurn(
                            turn.text,
                            turn.role,
                            turn.speaker or speaker,
                            turn.session,
                            turn.at or when,
                            source,
                            believed,
                            {**given, **turn.metadata},
                        )
                    )
            if not told:
                raise InvalidInput("there are no messages to remember: pass at least one with words in it")
        return self.ledger.append([self._episode(turn) for turn in told])

    def add_turns(self, turns: Iterable[ImportedTurn], *, progress: Progress = _quiet) -> list[Episode]:
        """Remember what an importer read, in batches; each batch is on disk before the next is read."""
        added: list[Episode] = []
        batch: list[Episode] = []
        for turn in turns:
            batch.append(self._episode(turn))
            if len(batch) == APPEND_AT_ONCE:
                added += self.ledger.append(batch)
                batch = []
                progress("add", len(added), len(added))
        if batch:
            added += self.ledger.append(batch)
        progress("add", len(added), len(added))
        return added

    def _episode(self, turn: ImportedTurn) -> Episode:
        now = self._clock()
        return Episode(
            id=new_id("ep"),
            namespace=self.namespace,
            text=checked_text(turn.text),
            role=turn.role,
            speaker=turn.speaker,
            session=turn.session,
            at=turn.at or now,
            recorded_at=now,
            source=turn.source,
            trust=turn.trust,
            metadata=dict(turn.metadata),
        )

    def add_fact(
        self,
        subject: str,
        relation: str,
        object: str,
        *,
        text: str | None = None,
        valid_from: str | datetime | None = None,
        valid_to: str | datetime | None = None,
        trust: Trust = "user",
        replace: bool = True,
    ) -> Fact:
        """State a fact. It replaces the current value of its (subject, relation) slot, unless `replace` is off."""
        for part in (subject, relation, object):
            checked_text(part)
        now = self._clock()
        fact = Fact(
            id=new_id("fa"),
            namespace=self.namespace,
            subject=subject.strip(),
            relation=relation.strip(),
            object=object.strip(),
            text=checked_text(text) if text is not None else f"{subject.strip()} {relation.strip()} {object.strip()}.",
            valid_from=parse_time(valid_from) if valid_from is not None else now,
            valid_to=parse_time(valid_to) if valid_to is not None else None,
            recorded_at=now,
            trust=trust,
        )
        return self.ledger.put_fact(fact, replace=replace)

    # ---- recalling

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        as_of: str | datetime | None = None,
        token_budget: int | None = None,
        kinds: tuple[Kind, ...] | None = None,
        session: str | None = None,
    ) -> list[Hit]:
        """The memories nearest to `query`, best first, with why each is there.

        `as_of` sees what held then; `token_budget` bounds the hits' texts together; `kinds` keeps to one kind."""
        self.indexes.catch_up(of=self.namespace)
        hits = self.retrieval.search(
            self.namespace,
            query,
            limit=limit,
            as_of=parse_time(as_of) if as_of is not None else None,
            token_budget=token_budget,
            kinds=kinds or ("episode", "fact"),
            session=session,
        )
        self.ledger.touch(self.namespace, [hit.id for hit in hits[:1]], self._clock())
        return hits

    def answer(self, question: str, *, route: Route | None = None) -> Answer:
        """Answer from the weights, from retrieval, from both, or not at all; `route` forces which."""
        return self.answer_many([question], route=route)[0]

    def answer_many(self, questions: Sequence[str], *, route: Route | None = None) -> list[Answer]:
        """`answer` for each question, in one batch."""
        for question in questions:
            checked_text(question)
        self.indexes.catch_up(of=self.namespace)
        answers = self.router.answer(questions, route)
        used = {hit.id for answer in answers if answer.route != "abstain" for hit in answer.evidence[:1]}
        self.ledger.touch(self.namespace, sorted(used), self._clock())
        return answers

    def catch_up(self, *, progress: Progress = _quiet) -> int:
        """Bring the indexes up to the ledger; `search` and `answer` do so themselves. Returns what was followed."""
        return self.indexes.catch_up(lambda done, total: progress("index", done, total))

    # ---- dreaming

    def dream(
        self, *, dry_run: bool = False, recipe: str | Recipe = "default", progress: Progress = _quiet
    ) -> DreamReport:
        """One night: extract, curate, select, compose, train, gate, promote, unlearn.

        With `dry_run` nothing changes and the report is an estimate. Raises `DreamBusy` while another process dreams
        this namespace, and `DreamInterrupted` on Ctrl-C: nothing is promoted then, and the next dream resumes it."""
        from hybridmem.dreaming.runner import estimate, run

        if dry_run:
            return estimate(self, recipe)
        return run(self, recipe, progress)

    def dreams(self) -> list[DreamReport]:
        """The reports of every night so far, oldest first."""
        return self.ledger.dreams(self.namespace)

    def probe(self, pairs: Sequence[tuple[str, str]]) -> list[Probe]:
        """Whether the weights still give each (question, answer), asked closed-book; what proves an unlearning."""
        from hybridmem.dreaming.steps.unlearn import probe

        active = self.adapters.active()
        return probe(self.model, self.adapters.path(active.version) if active else None, pairs)

    def drift(self) -> float:
        """What the active adapter costs on general text that no dream trained on, in nats per token."""
        from hybridmem.dreaming.runner import drift

        return drift(self)

    # ---- looking, changing, forgetting

    def get(self, id: str) -> Episode | Fact:
        """Raises `UnknownMemory`."""
        return self.ledger.get(self.namespace, id)

    def list(
        self, *, limit: int = 50, after: int | None = None, kind: Kind | None = None
    ) -> builtins.list[Episode | Fact]:
        """Up to `limit` memories in the order of the ledger, those after the position `after`."""
        if limit < 1:
            raise InvalidInput(f"the limit {limit} is below 1: ask for at least one memory")
        after = after or 0
        found: list[Episode | Fact] = []
        if kind != "fact":
            found += self.ledger.episodes(self.namespace, after=after, limit=limit)
        if kind != "episode":
            found += self.ledger.facts(self.namespace, after=after, limit=limit)
        return sorted(found, key=lambda record: record.position)[:limit]

    def update(self, id: str, text: str) -> Episode | Fact:
        """Put new words in place of a memory's; the old ones stay in its history, and weights that hold it are no
        longer believed."""
        return self.ledger.update_text(self.namespace, id, checked_text(text), self._clock())

    def history(self, id: str) -> builtins.list[Event]:
        """What became of a memory, oldest first."""
        return self.ledger.history(self.namespace, id)

    def delete(self, id: str) -> ErasureReceipt:
        """Erase a memory everywhere: ledger, history, indexes, training items; adapters that hold it are no longer
        believed, and those not in use lose their weights now. The next dream rebuilds the active one without it."""
        from hybridmem.maintenance.erasure import erase

        return erase(self, id)

    def quarantine(self, id: str) -> None:
        """Keep a memory out of every search and every dream until `release`."""
        self.ledger.set_quarantine(self.namespace, id, True, self._clock())

    def release(self, id: str) -> None:
        """Let a quarantined memory take part again."""
        self.ledger.set_quarantine(self.namespace, id, False, self._clock())

    def why(self, id: str) -> dict[str, Any]:
        """Where a memory came from and where it went: episode -> facts -> adapters, and back."""
        from hybridmem.maintenance.lineage import why

        return why(self.ledger, self.namespace, id)

    def stats(self) -> dict[str, Any]:
        """Counts of what the ledger holds, and the active adapter."""
        active = self.adapters.active()
        return {**self.ledger.counts(self.namespace), "active_adapter": active.version if active else None}

    # ---- upkeep

    def reindex(self, progress: Progress = _quiet) -> int:
        """Build every index anew from the ledger, with the present embedding model."""
        return self.indexes.reindex(lambda done, total: progress("reindex", done, total))

    def doctor(self, *, repair: bool = False) -> builtins.list[str]:
        """What is wrong with this memory, one line each; with `repair`, mended where nothing can be lost by it."""
        from hybridmem.maintenance.doctor import examine

        return examine(self, repair=repair)

    def export(self, path: str | Path) -> int:
        """Write the namespace as JSON lines; returns how many."""
        from hybridmem.maintenance.transfer import export

        return export(self.ledger, self.namespace, Path(path))

    def import_(self, path: str | Path) -> int:
        """Read what `export` wrote; returns how many lines."""
        from hybridmem.maintenance.transfer import import_

        return import_(self.ledger, self.namespace, Path(path))

    def trainable(self) -> Any:
        """The model, when a dream can train it. Raises `ModelError`."""
        from hybridmem.models.huggingface.model import HuggingFaceModel

        if not isinstance(self.model, HuggingFaceModel):
            raise ModelError(
                f"the model {self.model.name!r} cannot be trained: open the memory with a Hugging Face model"
            )
        return self.model

    aadd = _twin(add)
    aadd_fact = _twin(add_fact)
    asearch = _twin(search)
    aanswer = _twin(answer)
    aanswer_many = _twin(answer_many)
    adream = _twin(dream)
    aget = _twin(get)
    alist = _twin(list)
    aupdate = _twin(update)
    ahistory = _twin(history)
    adelete = _twin(delete)
    awhy = _twin(why)
    astats = _twin(stats)
