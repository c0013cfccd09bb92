"""The benchmark stream: facts that come and go night by night, and the questions that test what is left of them.

A stream is a file of JSON lines, facts and deletions in the order of their `night`, probes anywhere:

    {"night":1,"id":"f1","text":"Zane Kolu lives in Riga.","answer":"Riga","test_questions":["Where is Zane Kolu?"]}
    {"night":3,"id":"f9","text":"Zane Kolu moved to Oslo.","answer":"Oslo","supersedes":"f1","test_questions":["..."]}
    {"night":4,"delete":"f2"}
    {"kind":"unanswerable","question":"Which port does Mira Sodo use?"}
    {"kind":"locality","question":"What do bees make?","answer":"honey"}

A fact may name its `relation`; other keys are left alone. Training sees `text` and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from hybridmem.core.errors import HybridMemError, InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.evaluation.fiction import Inventor, Relation, relations, unrelated

ProbeKind = Literal["unanswerable", "locality"]


@dataclass(frozen=True, slots=True)
class StreamFact:
    """One text to remember, and how to test that it was."""

    night: int
    id: str
    text: str
    answer: str
    test_questions: tuple[str, ...]
    supersedes: str | None = None
    """The earlier fact whose value this one replaces."""
    relation: str = ""


@dataclass(frozen=True, slots=True)
class StreamDelete:
    """A wish that a fact be deleted: from the store and from the weights."""

    night: int
    fact: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about no fact of the stream: it must be refused, or answered as the base answers it."""

    kind: ProbeKind
    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """Facts and deletions in the order in which they happen, and the probes beside them."""

    events: tuple[StreamFact | StreamDelete, ...]
    probes: tuple[Probe, ...] = ()

    @property
    def nights(self) -> tuple[int, ...]:
        """The numbers of the nights on which something happens, ascending."""
        return tuple(sorted({event.night for event in self.events}))

    @property
    def facts(self) -> tuple[StreamFact, ...]:
        return tuple(event for event in self.events if isinstance(event, StreamFact))

    def on(self, night: int) -> tuple[StreamFact | StreamDelete, ...]:
        """What happens on `night`, in order."""
        return tuple(event for event in self.events if event.night == night)

    def questions(self, kind: ProbeKind) -> tuple[str, ...]:
        """The probes' questions of one kind."""
        return tuple(probe.question for probe in self.probes if probe.kind == kind)

    def write(self, path: Path | str) -> None:
        """Write the stream as JSON lines, which `read` reads back equal."""
        Path(path).write_text(self._lines(), encoding="utf-8", newline="\n")

    @property
    def sha256(self) -> str:
        """Of its lines as `write` writes them: equal streams have equal digests, however their files were spaced."""
        return hashlib.sha256(self._lines().encode()).hexdigest()

    def _lines(self) -> str:
        lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in self._records()]
        return "\n".join(lines) + "\n"

    def _records(self) -> Iterator[dict[str, Any]]:
        for event in self.events:
            if isinstance(event, StreamDelete):
                yield {"night": event.night, "delete": event.fact}
                continue
            record: dict[str, Any] = {"night": event.night, "id": event.id, "text": event.text, "answer": event.answer}
            if event.supersedes is not None:
                record["supersedes"] = event.supersedes
            if event.relation:
                record["relation"] = event.relation
            yield {**record, "test_questions": list(event.test_questions)}
        for probe in self.probes:
            answer = {"answer": probe.answer} if probe.answer else {}
            yield {"kind": probe.kind, "question": probe.question, **answer}


# reading


def read(path: Path | str) -> Stream:
    """The stream in the file at `path` (UTF-8; blank lines are skipped).

    Raises `InvalidInput`, in one line with the number of the first line that is wrong.
    """
    path = Path(path)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"cannot read the stream {path}: {error.strerror}; pass a file of JSON lines") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8") from None
    reader = _Reader()
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            reader.take(line)
        except HybridMemError as error:
            raise InvalidInput(f"{path} line {number}: {error}") from None
    if not reader.facts:
        raise InvalidInput(f'{path} holds no facts: write lines such as {{"night":1,"id":"f1","text":...}}')
    return Stream(tuple(reader.events), tuple(reader.probes))


@dataclass(slots=True)
class _Reader:
    """The lines so far, for what a line must fit: the order of nights, and the facts that it names."""

    events: list[StreamFact | StreamDelete] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    facts: dict[str, StreamFact] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def take(self, line: str) -> None:
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"not JSON ({error.msg} at character {error.colno}): write one object a line") from None
        except RecursionError:
            raise InvalidInput("not a stream line, nested too deep: write one flat object a line") from None
        if not isinstance(record, dict):
            raise InvalidInput(f"a {type(record).__name__} where an object was expected: write one object a line")
        if "kind" in record:
            self.probes.append(_probe(record))
            return
        event = _delete(record) if "delete" in record else _fact(record)
        if self.events and event.night < self.events[-1].night:
            raise InvalidInput(
                f"night {event.night} after night {self.events[-1].night}: put the lines in the order of their nights"
            )
        if isinstance(event, StreamDelete):
            self._known(event.fact, "delete")
            self.deleted.add(event.fact)
        else:
            if event.id in self.facts:
                raise InvalidInput(f"a second fact with the id {event.id!r}: give each its own")
            if event.supersedes is not None:
                self._known(event.supersedes, "supersedes")
            self.facts[event.id] = event
        self.events.append(event)

    def _known(self, id: str, key: str) -> None:
        if id not in self.facts:
            raise InvalidInput(f'"{key}" names {id!r}, and no line before has that id')
        if id in self.deleted:
            raise InvalidInput(f'"{key}" names {id!r}, which a line before deletes')


def _fact(record: Mapping[str, Any]) -> StreamFact:
    questions = record.get("test_questions")
    if not isinstance(questions, list) or not questions:
        raise InvalidInput('"test_questions" must be a list of one question or more')
    return StreamFact(
        night=_night(record),
        id=_string(record, "id"),
        text=_string(record, "text"),
        answer=_string(record, "answer"),
        test_questions=tuple(_string({"test_questions": question}, "test_questions") for question in questions),
        supersedes=_string(record, "supersedes") if record.get("supersedes") is not None else None,
        relation=_string(record, "relation") if record.get("relation") else "",
    )


def _delete(record: Mapping[str, Any]) -> StreamDelete:
    return StreamDelete(_night(record), _string(record, "delete"))


def _probe(record: Mapping[str, Any]) -> Probe:
    kind = record["kind"]
    if kind not in ("unanswerable", "locality"):
        raise InvalidInput(f'"kind" is {kind!r}: write "unanswerable" or "locality", and leave it out for a fact')
    answer = _string(record, "answer") if record.get("answer") else ""
    return Probe(kind, _string(record, "question"), answer)


def _night(record: Mapping[str, Any]) -> int:
    night = record.get("night")
    if not isinstance(night, int) or isinstance(night, bool) or night < 1:
        raise InvalidInput('"night" must be a whole number from 1 on')
    return night


def _string(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f'"{key}" must be a string that is not empty')
    return checked_text(value)


# making


def make_stream(
    seed: int,
    nights: int,
    facts_per_night: int,
    *,
    changes: int | None = None,
    deletions: int | None = None,
) -> Stream:
    """A synthetic stream over invented names: the same arguments give the same stream.

    From the second night on, `changes` of a night's facts replace an earlier value; from the third on, a night also
    deletes that many earlier facts as `deletions` says. No fact is touched twice. By default, one fact in ten changes
    (one at least) and one is deleted, where a night has four facts or more, and none where it has fewer. There are as
    many unanswerable questions as facts in a night: half about strangers, half about something that was never said of a
    subject of the stream. Raises `InvalidInput` for sizes that do not fit each other.
    """
    if nights < 1 or facts_per_night < 1:
        raise InvalidInput(f"{nights} nights of {facts_per_night} facts: both must be 1 or more")
    busy = facts_per_night >= 4
    changed = max(1, facts_per_night // 10) * busy if changes is None else changes
    deleted = int(busy) if deletions is None else deletions
    if not (0 <= changed <= facts_per_night and deleted >= 0):
        raise InvalidInput(
            f"{changed} changes and {deleted} deletions in a night of {facts_per_night} facts: "
            f"both must be 0 or more, and no more changes than facts"
        )
    return StreamMaker(Random(seed)).stream(nights, facts_per_night, changed, deleted)  # noqa: S311 - a reproducible draw


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact of a made stream, and what it says of whom."""

    fact: StreamFact
    relation: Relation
    subject: str


class StreamMaker:
    """Makes the facts of a stream; every draw is `rng`'s."""

    _NEW_SUBJECT = 0.5
    """How often a fact is about a subject of which the stream has not spoken before."""
    _MOST_SAID = 4
    """Of one subject: what is left unsaid makes the harder half of the unanswerable questions."""

    def __init__(self, rng: Random, said: Sequence[Relation] | None = None) -> None:
        """`said`: the relations that facts are stated of; None for all."""
        self.inventor = Inventor(rng)
        self._rng = rng
        self._relations = tuple(said or relations())
        self._deck: list[Relation] = []
        self._said: dict[str, set[str]] = {}
        self._subjects: dict[str, list[str]] = {}
        self._open: list[Stated] = []
        self._number = 0

    def stream(self, nights: int, facts_per_night: int, changes: int, deletions: int) -> Stream:
        """What `make_stream` promises."""
        events: list[StreamFact | StreamDelete] = []
        for night in range(1, nights + 1):
            replaced = changes if night > 1 else 0
            earlier = self._drawn(night, replaced + (deletions if night > 2 else 0))
            plan = [*earlier[:replaced], *[None] * (facts_per_night - replaced)]
            self._rng.shuffle(plan)
            for entry in plan:
                if entry:
                    events.append(self.update(night, entry).fact)
                else:
                    self._open.append(self.new(night))
                    events.append(self._open[-1].fact)
            events += [StreamDelete(night, old.fact.id) for old in earlier[replaced:]]
        strangers = facts_per_night // 2
        probes = [self._unanswerable(stranger=n < strangers) for n in range(facts_per_night)]
        probes += [Probe("locality", question, answer) for question, answer in unrelated()]
        return Stream(tuple(events), tuple(probes))

    def new(
        self, night: int, relation: Relation | None = None, subject: str | None = None, value: str | None = None
    ) -> Stated:
        """A fact about a subject of which `relation` was not said before, each drawn unless it is given."""
        relation = relation or self.next_relation()
        subject = subject or self._subject(relation)
        self._said[subject].add(relation.name)
        value = value or self.inventor.value(relation.object)
        return Stated(self._fact(night, relation, relation.statements, subject, value), relation, subject)

    def update(self, night: int, old: Stated) -> Stated:
        """A fact that replaces the value of `old`."""
        relation = old.relation
        value = self.inventor.value(relation.object, other_than=[old.fact.answer])
        fact = self._fact(night, relation, relation.updates, old.subject, value)
        return Stated(replace(fact, supersedes=old.fact.id), relation, old.subject)

    def next_relation(self) -> Relation:
        """One of the relations; each comes once before any comes again."""
        if not self._deck:
            self._deck = self._rng.sample(self._relations, len(self._relations))
        return self._deck.pop()

    def silent(self, relation: Relation) -> list[str]:
        """The subjects of which `relation` was never said."""
        return [name for name in self._subjects.get(relation.subject, ()) if relation.name not in self._said[name]]

    def introduce(self, kind: str, name: str | None = None) -> str:
        """A subject of that kind of which nothing was said yet; its name is invented unless it is given."""
        name = name or self.inventor.subject(kind)
        self._subjects.setdefault(kind, []).append(name)
        self._said[name] = set()
        return name

    def _drawn(self, night: int, count: int) -> list[Stated]:
        """Take facts that were neither replaced nor deleted, nor replace another."""
        if count > len(self._open):
            raise InvalidInput(
                f"night {night} would change or delete {count} earlier facts, and {len(self._open)} are left: "
                f"ask for fewer changes or deletions"
            )
        drawn = self._rng.sample(self._open, count)
        self._open = [entry for entry in self._open if entry not in drawn]
        return drawn

    def _fact(self, night: int, relation: Relation, templates: tuple[str, ...], subject: str, value: str) -> StreamFact:
        self._number += 1
        asked = self._rng.sample(relation.questions, self._rng.choice((2, 3)))
        return StreamFact(
            night=night,
            id=f"f{self._number}",
            text=relation.state(self._rng.choice(templates), subject, value),
            answer=value,
            test_questions=tuple(question.format(s=subject) for question in asked),
            relation=relation.name,
        )

    def _subject(self, relation: Relation) -> str:
        known = [name for name in self.silent(relation) if len(self._said[name]) < self._MOST_SAID]
        if known and self._rng.random() > self._NEW_SUBJECT:
            return self._rng.choice(known)
        return self.introduce(relation.subject)

    def _unanswerable(self, stranger: bool) -> Probe:
        relation = self.next_relation()
        known = self.silent(relation)
        subject = self.inventor.subject(relation.subject) if stranger or not known else self._rng.choice(known)
        return Probe("unanswerable", self._rng.choice(relation.questions).format(s=subject))
