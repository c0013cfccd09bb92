"""Whatever happens, the profile shows nothing that is gone, and is the one that would be made anew."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import HybridMemError
from hybridmem.core.records import Episode, Fact, has_expired
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.standing import candidates, profile
from hybridmem.standing.candidates import Candidates, Making
from hybridmem.stores.ledger.fact_timeline import holds
from tests.standing.conftest import Clock

SUBJECTS, RELATIONS, OBJECTS = ("I", "Ana", "Ben"), ("likes", "lives in"), ("tea", "Porto", "a kayak")
NUMBERS = st.integers(0, 11)
DAYS = st.integers(-20, 20)
TRUST = st.sampled_from(["user", "agent", "web"])

steps = st.one_of(
    st.tuples(st.just("say"), st.sampled_from([None, "Ana"]), st.sampled_from(["user", "assistant"])),
    st.tuples(
        st.just("state"),
        st.sampled_from(SUBJECTS),
        st.sampled_from(RELATIONS),
        st.sampled_from(OBJECTS),
        DAYS,
        st.none() | DAYS,
        st.lists(NUMBERS, max_size=2),
        TRUST,
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["delete", "quarantine", "release", "retire"]), NUMBERS),
    st.tuples(st.just("reword"), NUMBERS, st.sampled_from(OBJECTS)),
    st.tuples(st.just("expire"), NUMBERS, st.none() | DAYS),
    st.tuples(st.just("wait"), st.integers(1, 15)),
    st.tuples(st.just("look"), st.sampled_from([20, 800])),
)


class Life:
    """A memory that things happen to, without a word of an index."""

    def __init__(self, memory: HybridMemory, clock: Clock) -> None:
        self.memory, self.clock = memory, clock
        self.ids: list[str] = []

    def live(self, step: tuple[Any, ...]) -> None:
        what, *given = step
        with contextlib.suppress(HybridMemError):
            getattr(self, f"_{what}")(*given)

    def _id(self, number: int) -> str:
        return self.ids[number % len(self.ids)] if self.ids else "none"

    def _say(self, speaker: str | None, role: str) -> None:
        now = self.clock()
        said = Episode(
            f"ep_{len(self.ids)}", self.memory.namespace, "Something.", role, speaker, at=now, recorded_at=now,
            trust="user" if role == "user" else "agent",
        )  # fmt: skip
        self.memory.ledger.append([said])
        self.ids.append(said.id)

    def _state(
        self, subject: str, relation: str, value: str, begins: int, ends: int | None, sources: list[int], trust: Any,
        replaces: bool,
    ) -> None:  # fmt: skip
        now = self.clock()
        fact = Fact(
            f"fa_{len(self.ids)}", self.memory.namespace, subject, relation, value, f"{subject} {relation} {value}.",
            now + timedelta(days=begins), None if ends is None else now + timedelta(days=ends), now,
            sources=tuple(self._id(number) for number in sources), trust=trust,
        )  # fmt: skip
        stored = self.memory.ledger.put_fact(fact, replace=replaces)
        self.ids.append(stored.id)

    def _delete(self, number: int) -> None:
        self.memory.ledger.erase(self.memory.namespace, self._id(number), self.clock())

    def _quarantine(self, number: int) -> None:
        self.memory.quarantine(self._id(number))

    def _release(self, number: int) -> None:
        self.memory.release(self._id(number))

    def _retire(self, number: int) -> None:
        self.memory.ledger.expire(self.memory.namespace, self._id(number), self.clock())

    def _reword(self, number: int, value: str) -> None:
        self.memory.ledger.update_text(self.memory.namespace, self._id(number), f"It is {value}.", self.clock())

    def _expire(self, number: int, days: int | None) -> None:
        at = None if days is None else self.clock() + timedelta(days=days)
        self.memory.update(self._id(number), expires_at=at)

    def _wait(self, days: int) -> None:
        self.clock.pass_days(days)

    def _look(self, budget: int) -> None:
        known = self.memory.profile(budget=budget)
        assert_nothing_is_gone(self.memory, known)
        assert known.tokens <= budget
        assert known.lines == made_anew(self.memory, budget).lines


def assert_nothing_is_gone(memory: HybridMemory, known: profile.Profile) -> None:
    now = memory.clock()
    shown = [id for line in known.lines for id in line.facts]
    assert len(shown) == len(set(shown))
    for line in known.lines:
        for id in line.facts:
            fact = memory.get(id)
            assert isinstance(fact, Fact)
            assert fact.current and not fact.quarantined and holds(fact, now) and not has_expired(fact, now)
            assert fact.trust != "web"
            assert set(fact.sources) <= set(line.episodes)
        assert set(line.episodes) == set(memory.ledger.get_many(memory.namespace, line.episodes))


def made_anew(memory: HybridMemory, budget: int) -> profile.Profile:
    """The profile of a process that has kept nothing; what is kept here stays as it is."""
    ledger, derived = memory.ledger, memory.workspace.resources.derived
    stored = [ledger.get_state(memory.namespace, kind) for kind in (Candidates, Making)]
    kept = dict(derived)
    derived.clear()
    ledger.remove_state(memory.namespace, Making)
    try:
        return memory.profile(budget=budget)
    finally:
        derived.update(kept)
        for record in stored:
            if record is not None:
                ledger.put_state(memory.namespace, record)


@pytest.fixture(params=["sql", "memory"])
def opened(request: pytest.FixtureRequest) -> Callable[[Clock], contextlib.AbstractContextManager[HybridMemory]]:
    @contextlib.contextmanager
    def open(clock: Clock) -> Iterator[HybridMemory]:
        with tempfile.TemporaryDirectory() as folder:
            ledger = None if request.param == "sql" else "memory"
            with HybridMemory.open(
                Path(folder) / "m", ledger=ledger, model=FakeModel(), embedder="hashing", clock=clock
            ) as memory:
                yield memory

    return open


@pytest.mark.parametrize("narrow", [False, True], ids=["whole", "narrow"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(life=st.lists(steps, min_size=5, max_size=40))
def test_it_shows_nothing_that_is_gone_and_is_the_one_made_anew(
    opened: Callable[[Clock], contextlib.AbstractContextManager[HybridMemory]], narrow: bool, life: list[Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if narrow:
            # So few candidates that they run out, are cut, and are made anew.
            patch.setattr(candidates, "LIVE", 4)
            patch.setattr(candidates, "MOST", 6)
            patch.setattr(candidates, "PAGE", 3)
            patch.setattr(profile, "MOST_FACTS", 2)
            patch.setattr(profile, "AT_ONCE", 2)
            patch.setattr(profile, "SAVED_AFTER", 4)
        clock = Clock()
        with opened(clock) as memory:
            lived = Life(memory, clock)
            for step in [*life, ("look", 20), ("look", 800)]:
                lived.live(step)
