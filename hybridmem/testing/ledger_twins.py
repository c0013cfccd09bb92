"""Random operations on a ledger and on its plainest twin: every result and everything left behind must be equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from hybridmem.core.errors import HybridMemError
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, new_id
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.composite import WHOLE, with_parts
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.stores.ledger.fact_timeline import Resolution
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.filter_samples import edits
from hybridmem.testing.ledger_samples import adapter, audit, day, episode, fact, item, report

Step = Callable[[Ledger, "World"], Any]
"""One operation: done to a ledger, it returns what the ledger returned."""

# One ledger serves all examples (each has names of its own), and each test runs for several subclasses.
ONE_LEDGER = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
    ],
)

_EPISODES = [f"e{number}" for number in range(5)]
_FACTS = [f"f{number}" for number in range(9)]
_VERSIONS = ["v1", "v2"]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Some small state."""

    KEY: ClassVar[str] = "facts"
    VERSION: ClassVar[int] = 1
    facts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"facts": list(self.facts)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> _Facts:
        return cls(tuple(content["facts"]))


class World:
    """The ids and namespaces of one run, so that many runs can share a ledger."""

    def __init__(self) -> None:
        self.tag = new_id("run")
        self.homes: tuple[Namespace, ...] = ((self.tag, "ana"), (self.tag, "ben"))

    def id(self, name: str) -> str:
        return f"{self.tag}-{name}"

    def ids(self, names: list[str]) -> tuple[str, ...]:
        return tuple(self.id(name) for name in names)


def operations() -> st.SearchStrategy[tuple[str, Step]]:
    """A named operation with random arguments, out of few enough ids that they meet."""
    home = st.integers(0, 7).map(lambda number: number // 7)  # mostly the first namespace
    memory = st.sampled_from(_EPISODES[:4] + _FACTS[:5])
    moment = st.integers(0, 5).map(day)
    fact_id, version = st.sampled_from(_FACTS), st.sampled_from(_VERSIONS)
    some = st.lists(st.sampled_from(_EPISODES), max_size=2)
    sources = st.lists(st.sampled_from(_EPISODES[:3]), max_size=2)
    some_facts = st.lists(st.sampled_from(_FACTS[:6]), max_size=4)
    value = st.sampled_from(["Lisbon", "lisbon", "Oslo", "Rome"])
    put = st.tuples(st.sampled_from(_EPISODES[:4]), st.sampled_from(["said e0", "put"]), some)
    rarely = st.sampled_from([False, False, False, True])
    others = st.sampled_from([True, True, None, None, False])
    slot, starts = st.sampled_from(["of f0", "of f1", "of f1", "likes"]), st.integers(0, 5)
    trust = st.sampled_from(["user", "user", "user", "agent", "web"])
    question = st.sampled_from(["", "", "Where is f0?", "where is f0"])
    stated = st.builds(_fact, home, fact_id, slot, value, starts, sources, rarely, trust, question)
    drawn: dict[str, st.SearchStrategy[Step]] = {
        "append": st.builds(_append, home, some, st.sampled_from([None, "s1"]), rarely),
        "put_fact": st.builds(_put, stated, others),
        "preview": st.builds(_preview, st.lists(stated, min_size=1, max_size=4)),
        "expire": st.builds(_call, st.just("expire"), home, memory, moment),
        "erase": st.builds(_call, st.just("erase"), home, memory, moment),
        "erase_all": st.builds(_erase_all, home, st.lists(memory, max_size=3), moment),
        "put_episodes": st.builds(_put_episodes, home, st.lists(put, min_size=1, max_size=3), rarely),
        "update_text": st.builds(
            _call, st.just("update_text"), home, memory, st.sampled_from(["said e0", "other words"]), moment
        ),
        "edit": st.builds(_call, st.just("edit"), home, memory, edits(), moment),
        "expire_due": st.builds(_expire_due, home, moment),
        "set_quarantine": st.builds(_call, st.just("set_quarantine"), home, memory, st.booleans(), moment),
        "neighbours": st.builds(_call, st.just("neighbours"), home, memory),
        "save_adapter": st.builds(_save_adapter, home, version, some_facts),
        "activate": st.builds(_activate, home, st.none() | version, moment),
        "save_items": st.builds(_save_items, home, st.sampled_from(["i1", "i2"]), fact_id, value),
        "bookkeeping": st.builds(_bookkeeping, home, some, some_facts, version),
    }
    often = ["put_fact"] * 4
    return st.sampled_from([*drawn, *often]).flatmap(lambda name: st.tuples(st.just(name), drawn[name]))


def _append(h: int, names: list[str], session: str | None, quarantined: bool) -> Step:
    return lambda ledger, world: ledger.append(
        [
            episode(world.id(name), f"said {name}", namespace=world.homes[h], session=session, quarantined=quarantined)
            for name in names
        ]
    )


def _fact(
    h: int,
    name: str,
    slot: str,
    value: str,
    starts: int,
    sources: list[str],
    quarantined: bool,
    trust: str,
    question: str,
) -> Callable[[World], Fact]:
    return lambda world: fact(
        world.id(name),
        value,
        starts,
        world.ids(sources),
        namespace=world.homes[h],
        relation=slot,
        quarantined=quarantined,
        trust=trust,
        question=question,
        recorded_at=day(starts + 30),
    )


def _put(stated: Callable[[World], Fact], others: bool | None) -> Step:
    return lambda ledger, world: ledger.put_fact(stated(world), replace=others)


def _preview(stated: list[Callable[[World], Fact]]) -> Step:
    return lambda ledger, world: ledger.preview([each(world) for each in stated])


def _call(method: str, h: int, name: str, *arguments: Any) -> Step:
    return lambda ledger, world: getattr(ledger, method)(world.homes[h], world.id(name), *arguments)


def _expire_due(h: int, moment: Any) -> Step:
    """The ids in the order in which both ledgers tell them."""
    return lambda ledger, world: [
        id.removeprefix(world.tag) for id in sorted(ledger.expire_due(world.homes[h], moment))
    ]


def _erase_all(h: int, names: list[str], moment: Any) -> Step:
    return lambda ledger, world: ledger.erase_all(world.homes[h], world.ids(names), moment)


def _put_episodes(h: int, given: list[tuple[str, str, list[str]]], quarantined: bool) -> Step:
    """Wholes that name parts which may be there, or be put too, and do or do not name them."""

    def put(ledger: Ledger, world: World) -> Any:
        episodes = []
        for name, text, named in given:
            metadata = {**with_parts({"n": len(named)}, world.ids(named)), WHOLE: world.id(_EPISODES[len(named)])}
            values: dict[str, Any] = {"namespace": world.homes[h], "quarantined": quarantined, "metadata": metadata}
            episodes.append(episode(world.id(name), text, **values))
        return ledger.put_episodes(episodes, day(40))

    return put


def _save_adapter(h: int, version: str, facts: list[str]) -> Step:
    return lambda ledger, world: ledger.save_adapter(adapter(version, world.ids(facts), namespace=world.homes[h]))


def _save_items(h: int, name: str, of: str, value: str) -> Step:
    context = (f"Ana lives in {value}.",)
    return lambda ledger, world: ledger.save_items(
        [item(name, world.id(of), namespace=world.homes[h], answer="yes", context=context)]
    )


def assert_twins_agree(ledger: Ledger, steps: list[tuple[str, Step]]) -> None:
    """Do `steps` to `ledger` and to an `InMemoryLedger`; raise `AssertionError` at the first difference."""
    twin, world = InMemoryLedger(), World()
    for number, (name, step) in enumerate([("populate", _populate), *steps]):
        ours, theirs = _outcome(ledger, world, step), _outcome(twin, world, step)
        assert ours == theirs, f"step {number}, {name}"
    assert _state(ledger, world) == _state(twin, world)
    assert ledger.check() == []


def _populate(ledger: Ledger, world: World) -> None:
    """Enough to begin with that most operations find something."""
    home = world.homes[0]
    ledger.append([episode(world.id(name), f"said {name}", namespace=home, session="s1") for name in _EPISODES[:3]])
    for name, value, sources in (("f0", "Lisbon", ["e0"]), ("f1", "Oslo", ["e0", "e1"]), ("f2", "Rome", ["e2"])):
        ledger.put_fact(fact(world.id(name), value, 2, world.ids(sources), namespace=home, relation=f"of {name}"))
    ledger.save_adapter(adapter("v1", world.ids(_FACTS[:3]), namespace=home))
    ledger.save_items([item("i1", world.id("f0"), namespace=home, answer="yes", context=("said e1",))])
    ledger.touch(home, world.ids(["e0", "f0"]), day(1))


def _activate(h: int, version: str | None, at: Any) -> Step:
    return lambda ledger, world: ledger.activate(world.homes[h], version, at)


def _bookkeeping(h: int, names: list[str], facts: list[str], version: str) -> Step:
    def keep(ledger: Ledger, world: World) -> None:
        home = world.homes[h]
        ledger.touch(home, world.ids(names + facts), day(1))
        ledger.mark_extracted(home, world.ids(names))
        ledger.save_audits(home, [audit(version, world.id(name)) for name in facts])
        ledger.drop_items(home, world.ids(facts[:1]))
        ledger.save_dream(report(version, namespace=home))
        ledger.put_state(home, _Facts(tuple(facts)))

    return keep


def _outcome(ledger: Ledger, world: World, step: Step) -> Any:
    try:
        result = step(ledger, world)
    except HybridMemError as error:
        return type(error)
    return _plain(result)


def _state(ledger: Ledger, world: World) -> list[Any]:
    """Everything that can be read of a run; positions count by their order alone."""
    every = world.ids(_EPISODES + _FACTS)
    entries = [entry for entry in ledger.pending(world.tag, limit=1_000_000) if entry.namespace in world.homes]
    state: list[Any] = [sorted((entry.namespace, entry.memory, entry.operation) for entry in entries)]
    for home in world.homes:
        counts = replace(ledger.counts(home), outbox=0)
        state += [
            _plain(ledger.get_many(home, every)),
            _plain(ledger.episodes(home)),
            _plain(ledger.newest([home, world.homes[0]], limit=6)),
            _archived(ledger, home),
            _plain(ledger.facts(home)),
            _plain(ledger.facts(home, include_retired=True)),
            [_plain(ledger.facts(home, as_of=day(moment))) for moment in range(-1, 7)],
            [_outcome(ledger, world, _reading_history(home, id)) for id in every],
            ledger.uses(home, every),
            _plain(ledger.unextracted(home, 10)),
            _plain(ledger.unextracted(home, at=day(3))),
            ledger.items(home),
            _plain(ledger.latest(home)),
            ledger.span(home),
            ledger.last_recorded(home) is None,
            sorted(set(ledger.texts(home))),
            sorted(set(ledger.details(home))),
            _plain(ledger.said(home, ["said e0", "put", "other words"])),
            [_plain(ledger.facts(home, source=id, include_retired=True, limit=2)) for id in world.ids(_EPISODES)],
            ledger.holdings(home, world.ids(_FACTS)),
            ledger.adapter_summaries(home),
            [ledger.active_weights(home, [day(moment) for moment in moments]) for moments in ((), (0,), (3, 90))],
            ledger.adapters(home),
            ledger.active(home),
            ledger.activations(home),
            [ledger.audits(home, version) for version in _VERSIONS],
            ledger.dreams(home),
            ledger.get_state(home, _Facts),
            counts,
        ]
    return state


def _archived(ledger: Ledger, home: Namespace) -> Any:
    archive = ledger.archive(home)
    return _plain(list(archive.memories)), archive.extracted, archive.events


def _reading_history(home: Namespace, id: str) -> Step:
    return lambda ledger, _: ledger.history(home, id)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (Episode, Fact)):
        return replace(value, position=0)
    if isinstance(value, Resolution):
        return value.outcome, value.is_new, _plain(value.written), _plain(value.contradicts)
    if isinstance(value, Erasure):
        return replace(value, scrubbed=False)
    return value
