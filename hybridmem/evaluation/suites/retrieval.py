"""Recall and nDCG of the evidence on published conversations: dense alone, lexical alone, and the search that a memory
runs, with what it makes of dates and without.

Each conversation is a namespace and each turn an episode, in the ledger and the indexes that a memory folder has. A
question counts when its answer is in the conversation and its evidence names places that are there: turns, or sessions,
of which any turn is as good. It is asked on its own day or at the end of the conversation: "last week" is the week
before that.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode
from hybridmem.embedding.base import Embedder
from hybridmem.evaluation.conversations import registry
from hybridmem.evaluation.conversations.base import Conversation
from hybridmem.evaluation.conversations.locomo import TYPES
from hybridmem.metrics import bootstrap_interval, ndcg_at_k, recall_at_k
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
    suite: str = "locomo",
    conversations: int | None = None,
    embedder: Embedder | None = None,
    settings: RetrievalSettings | None = None,
    folder: Path | None = None,
    date: str | None = None,
    seed: int = 0,
    resamples: int = 2000,
    progress: Progress = lambda step, done, total: None,
) -> dict[str, Any]:
    """Measure the file or folder at `path` of one of `conversations.registry.SUITES`, or its first `conversations`; the
    stores are temporary, and within `folder`.

    Returns `recall` and `ndcg` (by searcher and depth: means over questions, of the first k memories),
    `hybrid_minus_dense` (recall at depth 10 with its 95% bootstrap interval over questions), recall by conversation,
    both figures by type of question, how many questions were left out for want of evidence, speeds, and what was
    measured with what. LoCoMo's types stand in `by_category` under its numbers, too (2 is about time). `embedder` None
    is the default model; `date` is repeated in the result.

    Raises `InvalidInput` and `UnknownFormat`."""
    benchmark = registry.get(suite)
    read = benchmark.load(Path(path))[:conversations]
    if not any(each.with_evidence for each in read):
        raise InvalidInput(f"{path} has no question with evidence: the benchmark needs {benchmark.summary}")
    timed = _TimedEmbedder(embedder or _default_embedder())
    chosen = settings or RetrievalSettings()
    timed.embed(["warm"])
    timed.seconds = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-", dir=folder) as temporary,
        _stores(Path(temporary), timed) as (ledger, indexes),
    ):
        progress("index", 0, len(read))
        filled = _fill(ledger, indexes, timed, suite, read)
        retrieval = Retrieval(ledger, indexes.vectors, indexes.lexical, indexes.graph, timed, chosen)
        measured: list[_Measured] = []
        for done, conversation in enumerate(read):
            progress("search", done, len(read))
            measured += _measure(retrieval, (suite, conversation.name), conversation)
    asked = sum(question.answerable for each in read for question in each.questions)
    by_type = {type: _figures(rows) for type, rows in _grouped(measured, lambda each: each.type).items()}
    return {
        "suite": suite,
        "evidence": benchmark.place,
        **_figures(measured),
        "hybrid_minus_dense": _difference(measured, seed, resamples),
        "without_evidence": asked - len(measured),
        "by_conversation": {
            name: _figures(rows) for name, rows in _grouped(measured, lambda each: each.conversation).items()
        },
        "by_type": by_type,
        **({"by_category": _by_category(by_type)} if benchmark is registry.LOCOMO else {}),
        "conversations": len(read),
        "turns": sum(len(conversation.turns) for conversation in read),
        "speed": {**filled, **_latencies(measured)},
        "embedding": timed.name,
        "settings": asdict(chosen),
        "seed": seed,
        "date": date,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    """One question."""

    conversation: str
    type: str
    recall: Mapping[str, Sequence[float]]
    """By searcher, at each depth."""
    ndcg: Mapping[str, Sequence[float]]
    embed_ms: float
    search_ms: float


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


def _fill(
    ledger: Ledger, indexes: Indexes, timed: _TimedEmbedder, suite: str, conversations: Sequence[Conversation]
) -> dict[str, float]:
    """Store and index every turn, each session in one transaction as a chat would arrive; returns the speeds."""
    turns = sum(len(conversation.turns) for conversation in conversations)
    started = time.perf_counter()
    for conversation in conversations:
        by_session: dict[str | None, list[Episode]] = {}
        for episode in conversation.episodes((suite, conversation.name)):
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


def _measure(retrieval: Retrieval, namespace: Namespace, conversation: Conversation) -> Iterator[_Measured]:
    deepest = max(DEPTHS)
    places = dict(zip((each.id for each in conversation.episodes(namespace)), conversation.places, strict=True))
    blind = replace(retrieval, settings=replace(retrieval.settings, period=0.0, tells_when=0.0))
    for question in conversation.with_evidence:
        text, asked_on = question.text, question.asked_on or conversation.ended
        started = time.perf_counter()
        vector = retrieval.embedder.embed([text])[0]
        embedded = time.perf_counter()
        hits = retrieval.search(namespace, text, limit=deepest, vector=vector, reference_date=asked_on)
        searched = time.perf_counter()
        undated = blind.search(namespace, text, limit=deepest, vector=vector)
        found: dict[str, Iterable[str]] = {
            "dense": dense.search(retrieval.vectors, namespace, vector, deepest),
            "lexical": lexical.search(retrieval.lexical, namespace, text, deepest),
            "undated": [hit.id for hit in undated],
            "hybrid": [hit.id for hit in hits],
        }
        ranked = {name: [places[id] for id in ids] for name, ids in found.items()}
        yield _Measured(
            conversation.name,
            question.type,
            {name: [recall_at_k(each, question.evidence, k) for k in DEPTHS] for name, each in ranked.items()},
            {name: [ndcg_at_k(each, question.evidence, k) for k in DEPTHS] for name, each in ranked.items()},
            1000 * (embedded - started),
            1000 * (searched - embedded),
        )


def _grouped(measured: Sequence[_Measured], key: Callable[[_Measured], str]) -> dict[str, list[_Measured]]:
    groups: dict[str, list[_Measured]] = {}
    for each in measured:
        groups.setdefault(key(each), []).append(each)
    return groups


def _figures(measured: Sequence[_Measured]) -> dict[str, Any]:
    """Questions, mean recall and mean nDCG by searcher and depth; every question counts once."""
    return {
        "questions": len(measured),
        "recall": _means([each.recall for each in measured]),
        "ndcg": _means([each.ndcg for each in measured]),
    }


def _means(scores: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, dict[str, float]]:
    means = {name: np.mean([each[name] for each in scores], axis=0) for name in SEARCHERS}
    return {name: {f"@{k}": float(value) for k, value in zip(DEPTHS, row, strict=True)} for name, row in means.items()}


def _by_category(by_type: Mapping[str, Any]) -> dict[str, Any]:
    """The figures under LoCoMo's numbers of its types."""
    return {str(number): by_type[name] for number, name in TYPES.items() if name in by_type}


def _difference(measured: Sequence[_Measured], seed: int, resamples: int) -> dict[str, float]:
    at = DEPTHS.index(HEADLINE)
    differences = [each.recall["hybrid"][at] - each.recall["dense"][at] for each in measured]
    low, high = bootstrap_interval([differences], seed=seed, resamples=resamples)
    return {"depth": HEADLINE, "mean": statistics.fmean(differences), "low": low, "high": high}


def _latencies(measured: Sequence[_Measured]) -> dict[str, float]:
    """Milliseconds for one question: its embedding, and the search that follows."""
    taken = {
        "embed_ms": [each.embed_ms for each in measured],
        "search_ms": [each.search_ms for each in measured],
    }
    return {
        f"{name}_p{rank}": float(np.percentile(values, rank)) for name, values in taken.items() for rank in (50, 95)
    }
