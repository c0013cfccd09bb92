"""What is true after each night of a stream, and what must no longer be answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.stream import Stream, StreamFact
from hybridmem.metrics import normalised_answer


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the questions of one fact should find."""

    answer: str | None
    """The value that holds now; None once it was deleted."""
    stale: tuple[str, ...] = ()
    """Values that it replaced."""
    deleted: tuple[str, ...] = ()
    """The value that was deleted, and must not come back."""


def expectations(stream: Stream, night: int) -> dict[str, Expectation]:
    """What the questions of each fact stated by the end of `night` should find, by the fact's id.

    The questions of a superseded fact expect the newest value of its line, until that is deleted. A fact that is
    superseded a second time passes the new value on to everything that stood in its line.
    """
    truth = _truth(stream, night)
    return {id: _expectation(id, newest, line, truth) for newest, line in truth.lines.items() for id in line}


def standing(stream: Stream, night: int) -> tuple[StreamFact, ...]:
    """The facts stated by the end of `night` that were neither superseded nor deleted since."""
    truth = _truth(stream, night)
    return tuple(fact for fact in stream.facts if fact.id in truth.lines and fact.id not in truth.deleted)


@dataclass(frozen=True, slots=True)
class _Truth:
    """What holds at the end of a night."""

    values: dict[str, str]
    """By fact: the value that it stated."""
    lines: dict[str, list[str]]
    """By the newest fact of each line: all facts of that line, itself included."""
    deleted: set[str]


def _truth(stream: Stream, night: int) -> _Truth:
    values: dict[str, str] = {}
    successor: dict[str, str] = {}
    deleted: set[str] = set()
    for event in stream.events:
        if event.night > night:
            break
        if not isinstance(event, StreamFact):
            deleted.add(event.fact)
            continue
        values[event.id] = event.answer
        if event.supersedes is not None:
            successor[_newest(event.supersedes, successor)] = event.id
    lines: dict[str, list[str]] = {}
    for id in values:
        lines.setdefault(_newest(id, successor), []).append(id)
    return _Truth(values, lines, deleted)


def _newest(id: str, successor: dict[str, str]) -> str:
    while id in successor:
        id = successor[id]
    return id


def _expectation(id: str, newest: str, line: list[str], truth: _Truth) -> Expectation:
    values, deleted = truth.values, truth.deleted
    now = normalised_answer(values[newest])
    stale = tuple(values[old] for old in line if old not in deleted and normalised_answer(values[old]) != now)
    gone = tuple(dict.fromkeys(values[one] for one in (id, newest) if one in deleted))
    return Expectation(answer=None if gone else values[newest], stale=() if gone else stale, deleted=gone)


def label_shuffled(stream: Stream, seed: int) -> Stream:
    """`stream` with another fact's value in each text, and the questions and answers as they were: a control.

    What is scored as right on it was not learned from the texts. The other value comes from a fact of the same
    relation where there is one, and never from the fact's own line of values. Raises `InvalidInput` for a fact whose
    text does not hold its answer, or when all facts have one answer.
    """
    facts = list(stream.facts)
    Random(seed).shuffle(facts)  # noqa: S311 - a reproducible draw, not a secret
    values = _values_by_line(stream)
    shuffled: dict[str, str] = {}
    for number, fact in enumerate(facts):
        others = [other for other in (*facts[number + 1 :], *facts[:number]) if not values[fact.id] & values[other.id]]
        others.sort(key=lambda other: other.relation != fact.relation)
        if not others or fact.answer not in fact.text:
            raise InvalidInput(
                f"fact {fact.id!r} cannot be given another value: its text must hold its answer, and others differ"
            )
        shuffled[fact.id] = fact.text.replace(fact.answer, others[0].answer)
    events = tuple(
        replace(event, text=shuffled[event.id]) if isinstance(event, StreamFact) else event for event in stream.events
    )
    return replace(stream, events=events)


def _values_by_line(stream: Stream) -> dict[str, set[str]]:
    """The normalised values of each fact's line, by the fact's id."""
    lines: dict[str, set[str]] = {}
    for fact in stream.facts:
        line = lines[fact.supersedes] if fact.supersedes is not None else set()
        line.add(normalised_answer(fact.answer))
        lines[fact.id] = line
    return lines
