"""How fast a memory is, whole, on this machine: adds, searches and answers of a temporary one, beside raw Chroma.

Raw Chroma gets the same texts and the same embedding model, and does nothing but index: the ratio says what the ledger,
the full-text index and the graph cost, or save.
"""

from __future__ import annotations

import functools
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput
from hybridmem.core.process import peak_memory_mb
from hybridmem.core.records import Route
from hybridmem.embedding.base import Embedder

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

MEASURED: tuple[Route, ...] = ("weights", "retrieval", "both")
PEOPLE = ("Mira Sodo", "Zane Kolu", "Ana Brito", "Tom Becker", "Ivo Rask", "Lena Moss", "Otto Quill", "Nadia Fern")
HABITS = ("waters the {plant} on {day}s", "keeps a {plant} by the door since {day}", "sold a {plant} last {day}")
PLANTS = ("fern", "lemon tree", "cactus", "bonsai", "orchid", "fig", "rosemary", "aloe", "ivy", "tulip")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one kind of call, in milliseconds."""

    calls: int
    p50_ms: float
    p95_ms: float
    per_second: float


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """Figures of one process on one machine."""

    memories: int
    cold_seconds: float
    """Opening, the first add and the first search: what loads the libraries, the indexes and the embedding model. All
    that follows is warm."""
    single_adds_per_second: float
    """One text a call, each on disk when its call returns."""
    batch_adds_per_second: float
    """The rest of the texts in one call."""
    index_seconds: float
    """Until every index had followed the adds; no add waits for it."""
    search: Latency
    answers: dict[str, Latency]
    """By the route that was forced; empty where no model was asked for."""
    chroma_single_adds_per_second: float
    chroma_batch_adds_per_second: float
    chroma_search: Latency
    ratios: dict[str, float]
    """hybridmem over raw Chroma, above 1 is faster. Chroma embeds and indexes within its add; hybridmem's add returns
    with the text on disk, so that the fair sum is "all adds, searchable"."""
    peak_memory_mb: float
    machine: str


def run(
    *,
    memories: int = 1000,
    singles: int = 100,
    searches: int = 100,
    answers: int = 10,
    model: str | None = None,
    embedder: str | Embedder | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> SpeedReport:
    """Fill a temporary memory (within `folder`, or the system's) with `memories` texts, `singles` of them one by one,
    and time `searches` searches and `answers` answers by each route. `answers=0` loads no language model.

    Raises `InvalidInput`."""
    if not 0 < singles < memories or searches < 1 or answers < 0:
        raise InvalidInput("speed needs more memories than single adds, and at least one of each: lower --singles")
    from hybridmem.memory import HybridMemory

    workload = _Workload.of(memories, singles, searches, answers, seed)
    with tempfile.TemporaryDirectory(prefix="hybridmem-speed-", dir=folder) as temporary:
        started = time.perf_counter()
        with HybridMemory.open(Path(temporary) / "memory", model=model, embedder=embedder) as memory:
            ours = _time_memory(memory, workload, started, progress)
            progress("chroma", 0, 1)
            raw = raw_chroma(
                Path(temporary) / "chroma", memory.indexes.embedder, workload.written, singles, workload.queries
            )
    return _report(workload, ours, raw)


@dataclass(frozen=True, slots=True)
class _Workload:
    """What is written and asked."""

    written: list[str]
    singles: int
    """The first of them, each in a call of its own."""
    queries: list[str]
    answers: int
    """The first of them, which are answered too."""

    @classmethod
    def of(cls, memories: int, singles: int, searches: int, answers: int, seed: int) -> _Workload:
        random = Random(seed)  # noqa: S311
        written = texts(memories, random)
        queries = [f"What does {random.choice(PEOPLE)} do with the {random.choice(PLANTS)}?" for _ in range(searches)]
        return cls(written, singles, queries, answers)

    @property
    def batched(self) -> int:
        return len(self.written) - self.singles


@dataclass(frozen=True, slots=True)
class _MemoryTimes:
    """Rates in calls a second, times in seconds."""

    cold: float
    single_adds: float
    batch_adds: float
    index: float
    search: Latency
    answers: dict[str, Latency]


def _time_memory(
    memory: HybridMemory, workload: _Workload, started: float, progress: Callable[[str, int, int], None]
) -> _MemoryTimes:
    """The memory was opened at `started`, on the clock of `time.perf_counter`."""
    memory.add("The stopwatch is running.")
    memory.search("stopwatch")
    cold = time.perf_counter() - started
    first, rest = workload.written[: workload.singles], workload.written[workload.singles :]
    progress("add", 0, 2)
    single_adds = _rate(len(first), lambda: [memory.add(text) for text in first])
    batch_adds = _rate(len(rest), lambda: memory.add([_message(text) for text in rest]))
    progress("index", 0, 1)
    index = _seconds(memory.catch_up)
    progress("search", 0, 1)
    search = latency(memory.search, workload.queries)
    answers = _answers(memory, workload.queries[: workload.answers], progress)
    return _MemoryTimes(cold, single_adds, batch_adds, index, search, answers)


def _report(workload: _Workload, ours: _MemoryTimes, raw: tuple[float, float, Latency]) -> SpeedReport:
    raw_single, raw_batch, raw_search = raw
    singles, batched = workload.singles, workload.batched
    return SpeedReport(
        memories=len(workload.written),
        cold_seconds=ours.cold,
        single_adds_per_second=ours.single_adds,
        batch_adds_per_second=ours.batch_adds,
        index_seconds=ours.index,
        search=ours.search,
        answers=ours.answers,
        chroma_single_adds_per_second=raw_single,
        chroma_batch_adds_per_second=raw_batch,
        chroma_search=raw_search,
        ratios={
            "single adds, on disk": ours.single_adds / raw_single,
            "batch adds, on disk": ours.batch_adds / raw_batch,
            "all adds, searchable": (singles / raw_single + batched / raw_batch)
            / (singles / ours.single_adds + batched / ours.batch_adds + ours.index),
            "search p50": raw_search.p50_ms / ours.search.p50_ms,
        },
        peak_memory_mb=peak_memory_mb(),
        machine=f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
    )


def texts(count: int, random: Random) -> list[str]:
    """`count` distinct short statements."""
    return [
        f"{random.choice(PEOPLE)} "
        + random.choice(HABITS).format(plant=random.choice(PLANTS), day=random.choice(DAYS))
        + f", note {number}."
        for number in range(count)
    ]


def latency(call: Callable[[str], object], arguments: Sequence[str]) -> Latency:
    """Time `call` once for each argument, one after the other."""
    taken = []
    for argument in arguments:
        started = time.perf_counter()
        call(argument)
        taken.append(time.perf_counter() - started)
    taken.sort()
    return Latency(
        calls=len(taken),
        p50_ms=1000 * statistics.median(taken),
        p95_ms=1000 * taken[min(len(taken) - 1, int(0.95 * len(taken)))],
        per_second=len(taken) / sum(taken),
    )


def raw_chroma(
    folder: Path, embedder: Embedder, written: Sequence[str], singles: int, queries: Sequence[str]
) -> tuple[float, float, Latency]:
    """(one-by-one adds/s, batch adds/s, search latency) of an embedded Chroma collection, embedding included."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection("speed", embedding_function=None, metadata={"hnsw:space": "cosine"})
    collection.add(ids=["warm"], embeddings=embedder.embed(["The stopwatch is running."]), documents=["warm"])
    collection.query(query_embeddings=embedder.embed(["stopwatch"]), n_results=1)

    def add(start: int, batch: Sequence[str]) -> object:
        ids = [str(start + number) for number in range(len(batch))]
        return collection.add(ids=ids, embeddings=embedder.embed(batch), documents=list(batch))

    def search(query: str) -> object:
        return collection.query(query_embeddings=embedder.embed([query]), n_results=10)

    one_by_one = _rate(singles, lambda: [add(number, [text]) for number, text in enumerate(written[:singles])])
    rest = list(_batches(written[singles:], client.get_max_batch_size()))
    in_batch = _rate(len(written) - singles, lambda: [add(singles + start, batch) for start, batch in rest])
    return one_by_one, in_batch, latency(search, queries)


def _answers(
    memory: HybridMemory, questions: Sequence[str], progress: Callable[[str, int, int], None]
) -> dict[str, Latency]:
    """Without an adapter, the weights that answer are the bare base's: it costs the same."""
    routes: dict[str, Latency] = {}
    for done, route in enumerate(MEASURED if questions else ()):
        progress("answer", done, len(MEASURED))
        answer = functools.partial(memory.answer, route=route)
        answer(questions[0])
        routes[route] = latency(answer, questions)
    return routes


def _batches(values: Sequence[str], size: int) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(values), size):
        yield start, values[start : start + size]


def _message(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _rate(count: int, call: Callable[[], object]) -> float:
    return count / _seconds(call)
