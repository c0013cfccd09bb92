"""Recall of the evidence on LoCoMo conversations: dense alone, lexical alone, and the search that a memory runs,
with what it makes of dates and without.

Each conversation is a namespace and each turn an episode, in the ledger and the indexes that a memory folder has. A
question counts when its answer is in the conversation (categories 1 to 4) and its evidence names turns that are there.
It is asked at the end of the conversation: "last week" is the week before that.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode
from hybridmem.embedding.base import Embedder
from hybridmem.importers import locomo
from hybridmem.importers.base import checked_file
from hybridmem.metrics import bootstrap_interval, recall_at_k
from hybridmem.retrieval import dense, lexical
from hybridmem.retrieval.pipeline import Retrieval
from hybridmem.retrieval.settings import RetrievalSettings
from hybridmem.stores.index.base import Vectors
from hybridmem.stores.index.follower import Indexes
from hybridmem.stores.ledger.base import Ledger

DEPTHS = (5, 10, 20)
HEADLINE = 10
"""The depth whose difference is given an interval."""
SEARCHERS = ("dense", "lexical", "undated", "hybrid")
"""`undated` is the search of a memory that looks at no dates, `hybrid` the one that it runs."""
Progress = Callable[[str, int, int], None]


def bench_retrieval(
    path: str | Path,
    *,
    embedder: Embedder | None = None,
    settings: RetrievalSettings | None = None,
    folder: Path | None = None,
    date: str | None = None,
    seed: int = 0,
    resamples: int = 2000,
    progress: Progress = lambda step, done, total: None,
) -> dict[str, Any]:
    """Measure the LoCoMo file at `path`, or all those of a folder; the stores are temporary, and within `folder`.

    Returns `recall` (by searcher and depth: mean over questions of the share of the evidence in the first k),
    `hybrid_minus_dense` at depth 10 with its 95% bootstrap interval over questions, the same recall by conversation and
    by LoCoMo's category of the question (2 is about time), speeds, and what was measured with what. `embedder` None is
    the default model; `date` is repeated in the result.

    Raises `InvalidInput` and `UnknownFormat`."""
    conversations = [each for file in _files(Path(path)) for each in locomo.load(file)]
    if not any(map(_questions, conversations)):
        raise InvalidInput(f"{path} has no question with evidence: the benchmark needs LoCoMo's qa lists")
    timed = _TimedEmbedder(embedder or _default_embedder())
    chosen = settings or RetrievalSettings()
    timed.embed(["warm"])
    timed.seconds = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-", dir=folder) as temporary,
        _stores(Path(temporary), timed) as (ledger, indexes),
    ):
        progress("index", 0, len(conversations))
        filled = _fill(ledger, indexes, timed, conversations)
        retrieval = Retrieval(ledger, indexes.vectors, indexes.lexical, indexes.graph, timed, chosen)
        measured: list[_Measured] = []
        for done, conversation in enumerate(conversations):
            progress("search", done, len(conversations))
            if _questions(conversation):
                measured.append(_measure(retrieval, conversation))
    return {
        **_quality(measured, seed, resamples),
        "by_conversation": {
            each.sample: {"questions": len(each.search_ms), "recall": _means([each])} for each in measured
        },
        "by_category": _by_category(measured),
        "conversations": len(conversations),
        "turns": sum(len(conversation.turns) for conversation in conversations),
        "speed": {**filled, **_latencies(measured)},
        "embedding": timed.name,
        "settings": asdict(chosen),
        "seed": seed,
        "date": date,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    """The questions of one conversation."""

    sample: str
    recall: dict[str, list[list[float]]] = field(default_factory=lambda: {name: [] for name in SEARCHERS})
    """By searcher: a row for each question, a column for each depth."""
    categories: list[int] = field(default_factory=list)
    """Of each question."""
    embed_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _TimedEmbedder:
    """An `Embedder` that counts the seconds it took."""

    inner: Embedder
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        started = time.perf_counter()
        vectors = self.inner.embed(texts)
        self.seconds += time.perf_counter() - started
        return vectors


def _default_embedder() -> Embedder:
    from hybridmem.embedding import load

    return load()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [checked_file(path)]
    found = sorted(path.glob("*.json"))
    if not found:
        raise InvalidInput(f"{path} holds no .json file: name LoCoMo's file or its folder")
    return found


@contextmanager
def _stores(folder: Path, embedder: Embedder) -> Iterator[tuple[Ledger, Indexes]]:
    from hybridmem.stores.index.chroma import ChromaIndex
    from hybridmem.stores.index.fulltext import FullTextIndex
    from hybridmem.stores.index.graph import GraphIndex
    from hybridmem.stores.ledger.sql.ledger import SqlLedger

    ledger = SqlLedger(folder / "ledger.sqlite3")
    indexes = Indexes(
        ledger,
        ChromaIndex(folder / "chroma"),
        FullTextIndex(folder / "fulltext.sqlite3"),
        GraphIndex(folder / "graph"),
        embedder,
        folder,
    )
    try:
        yield ledger, indexes
    finally:
        indexes.close()
        ledger.close()


def _namespace(conversation: locomo.Conversation) -> Namespace:
    return ("locomo", conversation.sample)


def _questions(conversation: locomo.Conversation) -> list[locomo.Question]:
    return [each for each in conversation.questions if each.category in locomo.ANSWERABLE and each.evidence]


def _fill(
    ledger: Ledger, indexes: Indexes, timed: _TimedEmbedder, conversations: Sequence[locomo.Conversation]
) -> dict[str, float]:
    """Store and index every turn, each session in one transaction as a chat would arrive; returns the speeds."""
    turns = sum(len(conversation.turns) for conversation in conversations)
    started = time.perf_counter()
    for conversation in conversations:
        by_session: dict[str | None, list[Episode]] = {}
        for episode in _episodes(conversation):
            by_session.setdefault(episode.session, []).append(episode)
        for episodes in by_session.values():
            ledger.append(episodes)
    stored = time.perf_counter() - started
    indexes.catch_up()
    indexed = time.perf_counter() - started - stored - timed.seconds
    return {
        "adds_per_second": turns / stored,
        "indexed_per_second": turns / indexed,
        "embedded_per_second": turns / timed.seconds,
    }


def _episodes(conversation: locomo.Conversation) -> Iterator[Episode]:
    for number, turn in enumerate(conversation.turns):
        yield Episode(
            f"{conversation.sample}-{number:06}",
            _namespace(conversation),
            turn.text,
            speaker=turn.speaker,
            session=turn.session,
            source=turn.source,
            at=turn.at or utc_now(),
            metadata=turn.metadata,
        )


def _measure(retrieval: Retrieval, conversation: locomo.Conversation) -> _Measured:
    namespace, deepest = _namespace(conversation), max(DEPTHS)
    turns = {episode.id: str(episode.metadata.get("dia_id")) for episode in _episodes(conversation)}
    measured = _Measured(conversation.sample)
    ended = max((turn.at for turn in conversation.turns if turn.at), default=None)
    blind = replace(retrieval, settings=replace(retrieval.settings, period=0.0, tells_when=0.0))
    for question in _questions(conversation):
        started = time.perf_counter()
        vector = retrieval.embedder.embed([question.text])[0]
        embedded = time.perf_counter()
        hits = retrieval.search(namespace, question.text, limit=deepest, vector=vector, reference_date=ended)
        measured.embed_ms.append(1000 * (embedded - started))
        measured.search_ms.append(1000 * (time.perf_counter() - embedded))
        undated = blind.search(namespace, question.text, limit=deepest, vector=vector)
        measured.categories.append(question.category)
        found = {
            "dense": list(dense.search(retrieval.vectors, namespace, vector, deepest)),
            "lexical": list(lexical.search(retrieval.lexical, namespace, question.text, deepest)),
            "undated": [hit.id for hit in undated],
            "hybrid": [hit.id for hit in hits],
        }
        for name, ids in found.items():
            ranked = [turns[id] for id in ids]
            measured.recall[name].append([recall_at_k(ranked, question.evidence, k) for k in DEPTHS])
    return measured


def _means(measured: Sequence[_Measured]) -> dict[str, dict[str, float]]:
    """Mean recall by searcher and depth, every question counting once."""
    means = {name: np.mean([row for each in measured for row in each.recall[name]], axis=0) for name in SEARCHERS}
    return {name: {f"@{k}": float(value) for k, value in zip(DEPTHS, row, strict=True)} for name, row in means.items()}


def _by_category(measured: Sequence[_Measured]) -> dict[str, dict[str, Any]]:
    """Questions and mean recall, by category."""
    found: dict[str, dict[str, Any]] = {}
    for category in sorted({category for each in measured for category in each.categories}):
        recall: dict[str, dict[str, float]] = {}
        rows: list[list[float]] = []
        for name in SEARCHERS:
            rows = [
                row
                for each in measured
                for row, own in zip(each.recall[name], each.categories, strict=True)
                if own == category
            ]
            recall[name] = {f"@{k}": float(value) for k, value in zip(DEPTHS, np.mean(rows, axis=0), strict=True)}
        found[str(category)] = {"questions": len(rows), "recall": recall}
    return found


def _quality(measured: Sequence[_Measured], seed: int, resamples: int) -> dict[str, Any]:
    at = DEPTHS.index(HEADLINE)
    differences = [
        hybrid[at] - alone[at]
        for each in measured
        for hybrid, alone in zip(each.recall["hybrid"], each.recall["dense"], strict=True)
    ]
    low, high = bootstrap_interval([differences], seed=seed, resamples=resamples)
    return {
        "questions": len(differences),
        "recall": _means(measured),
        "hybrid_minus_dense": {"depth": HEADLINE, "mean": statistics.fmean(differences), "low": low, "high": high},
    }


def _latencies(measured: Sequence[_Measured]) -> dict[str, float]:
    """Milliseconds for one question: its embedding, and the search that follows."""
    taken = {
        "embed_ms": [value for each in measured for value in each.embed_ms],
        "search_ms": [value for each in measured for value in each.search_ms],
    }
    return {
        f"{name}_p{rank}": float(np.percentile(values, rank)) for name, values in taken.items() for rank in (50, 95)
    }
