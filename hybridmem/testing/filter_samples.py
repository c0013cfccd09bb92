"""Random memories, edits and filters, out of few enough values that they meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from hybridmem.core.edit import UNCHANGED, Edit
from hybridmem.core.filters.evaluate import admits
from hybridmem.core.filters.nodes import Filter
from hybridmem.core.filters.parse import parse
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, new_id
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import day, episode, fact

TIMES = (
    "2026-01-02",
    "2026-01-03T00:00:00Z",
    "2026-01-02T22:00:00-03:00",
    "2026-01-03T12:30:00+05:30",
    "2025-12-31T23:59:59.999999Z",
)
WORDS = ("", "a", "b", "Travel", "travel", "é", "10", "%_", "2026-01-02")
SCALARS: tuple[Any, ...] = (*WORDS, *TIMES, None, True, False, 0, 1, 1.0, 2.5, -3, 2**60)
KEYS = ("k", "n", "tags", "deep.inner", "score", "id", "with.dot")

values = st.sampled_from(SCALARS) | st.lists(st.sampled_from(SCALARS), max_size=3)


def metadata() -> st.SearchStrategy[dict[str, Any]]:
    """Scalars, lists, objects, lists of objects, and keys with dots."""
    inner = st.dictionaries(st.sampled_from(["inner", "other"]), values, max_size=2)
    given = {"k": values, "n": values, "score": values, "id": values, "with.dot": values}
    tags = st.sampled_from(WORDS[1:]) | st.lists(st.sampled_from(WORDS[1:]), max_size=3)
    return st.fixed_dictionaries({}, optional={**given, "deep": inner | st.lists(inner, max_size=2), "tags": tags})


def edits() -> st.SearchStrategy[Edit]:
    """Merges, removals, tags, and expiries that come, change and go."""
    expires = st.just(UNCHANGED) | st.none() | st.integers(0, 5).map(day)
    tags = st.none() | st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple)
    return st.builds(Edit, metadata=st.none() | metadata(), tags=tags, expires_at=expires)


def filters() -> st.SearchStrategy[dict[str, Any]]:
    """Every field, operator and join, with operands of the right type."""
    return st.recursive(
        st.fixed_dictionaries({}) | conditions(),
        lambda inner: (
            st.builds(lambda join, parts: {join: parts}, st.sampled_from(["and", "or"]), _some(inner))
            | st.builds(lambda part: {"not": part}, inner | _some(inner))
            | st.builds(lambda one, other: {**one, **other}, inner, conditions())
        ),
        max_leaves=4,
    )


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    word, time = st.sampled_from(WORDS), st.sampled_from(TIMES) | st.integers(0, 4).map(day)
    scalar, number = st.sampled_from(SCALARS), st.sampled_from([0, 1, 1.0, 2.5, -3, 2**60])
    compared = ("gt", "gte", "lt", "lte")
    texts = ("role", "speaker", "session", "source", "id", "text", "subject", "relation", "object", "question")
    times = ("at", "recorded_at", "expires_at", "valid_from", "valid_to", "retired_at")
    places = [f"metadata.{key}" for key in KEYS]
    ordinary = st.sampled_from([each for each in SCALARS if each is not None and not isinstance(each, bool)])
    return st.one_of(
        _on(texts, ("eq", "ne"), word | st.none()),
        _on(texts, ("in", "nin"), st.lists(word | st.none(), max_size=3)),
        _on(texts, (*compared, "contains", "icontains"), word),
        _on(times, ("eq", "ne"), time | st.none()),
        _on(times, compared, time),
        _on(times, ("in", "nin"), st.lists(time | st.none(), max_size=3)),
        _on(("evidence",), ("eq", "ne", *compared), number),
        _on(("quarantined",), ("eq", "ne"), st.booleans()),
        _on(("kind",), ("eq", "ne"), st.sampled_from(["episode", "fact"])),
        _on(("trust",), ("in", "nin"), st.lists(st.sampled_from(["user", "agent", "web"]), max_size=2)),
        _on(("tags",), ("eq", "ne", "contains", "icontains"), word),
        _on(places, ("eq", "ne"), values),
        _on(places, ("in", "nin"), st.lists(scalar, max_size=3)),
        _on(places, compared, ordinary),
        _on(places, ("contains",), scalar),
        _on(places, ("icontains",), word),
        _on((*places, "session", "tags", "expires_at", "valid_to"), ("exists",), st.booleans()),
    )


def _on(names: Any, operators: Any, operand: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda name, operator, value: {name: {operator: value}},
        st.sampled_from(list(names)),
        st.sampled_from(list(operators)),
        operand,
    )


def _some(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(inner, min_size=1, max_size=3)


@dataclass(frozen=True, slots=True)
class Stored:
    """One drawn memory: an episode, and whether a fact stands on it and on the one before it."""

    metadata: dict[str, Any]
    session: str | None
    role: str
    trust: Any
    at: int
    expires: int | None
    quarantined: bool
    stated: bool


def memories(*, most: int = 5) -> st.SearchStrategy[list[Stored]]:
    one = st.builds(
        Stored,
        metadata=metadata(),
        session=st.sampled_from([None, "a", "b", "2026-01-02"]),
        role=st.sampled_from(["user", "assistant", "a"]),
        trust=st.sampled_from(["user", "agent", "web"]),
        at=st.integers(0, 4),
        expires=st.none() | st.integers(0, 4),
        quarantined=st.booleans(),
        stated=st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=most)


def store(ledger: Ledger, namespace: Namespace, stored: list[Stored], tag: str) -> None:
    """Put the drawn memories into `namespace`, each with words of its own."""
    for number, each in enumerate(stored):
        ledger.append(
            [
                episode(
                    f"{tag}-e{number}",
                    f"{tag} said {number}",
                    namespace=namespace,
                    session=each.session,
                    role=each.role,
                    speaker=each.session,
                    trust=each.trust,
                    at=day(each.at),
                    quarantined=each.quarantined,
                    expires_at=None if each.expires is None else day(each.expires),
                    metadata=each.metadata,
                )
            ]
        )
        if each.stated:
            sources = tuple(f"{tag}-e{of}" for of in (number, number - 1) if of >= 0)
            stated = fact(f"{tag}-f{number}", f"{tag} value {number}", each.at, sources, namespace=namespace)
            kept = replace(stated, relation=f"of {number}", metadata=dict(list(each.metadata.items())[:1]))
            ledger.put_fact(replace(kept, trust=each.trust), replace=False)


def assert_filters_agree(ledger: Ledger, stored: list[Stored], written: dict[str, Any]) -> None:
    """`ledger.matching`, against the evaluator over each memory of the plainest twin."""
    wanted, tag = parse(written), new_id("run")
    namespace, twin = (tag, "ana"), InMemoryLedger()
    for each in (ledger, twin):
        store(each, namespace, stored, tag)
    expected = _admitted(twin, namespace, wanted)
    assert [memory.id for memory in ledger.matching(namespace, wanted, include_retired=True)] == expected
    assert [memory.id for memory in twin.matching(namespace, wanted, include_retired=True)] == expected
    assert [memory.id for memory in ledger.matching(namespace, wanted, limit=2, include_retired=True)] == expected[:2]
    for kind in ("episode", "fact"):
        ours = [memory.id for memory in ledger.matching(namespace, wanted, kinds=(kind,))]
        assert ours == [memory.id for memory in twin.matching(namespace, wanted, kinds=(kind,))]


def _admitted(ledger: Ledger, namespace: Namespace, wanted: Filter) -> list[str]:
    memories: list[Episode | Fact] = [*ledger.episodes(namespace), *ledger.facts(namespace, include_retired=True)]
    admitted = []
    for memory in sorted(memories, key=lambda memory: memory.position):
        sources = ledger.get_many(namespace, memory.sources).values() if isinstance(memory, Fact) else ()
        if admits(wanted, memory, [source for source in sources if isinstance(source, Episode)]):
            admitted.append(memory.id)
    return admitted
