"""What a person's edit asks of the memory, as calls that a program would make.

A fact's line says what holds. Where a line stands in the place of another, its value supersedes the other's, from the
day that it names; lines of one key that stand side by side hold side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Protocol

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact, stated
from hybridmem.core.text.first_person import SPEAKER
from hybridmem.core.text.tokens import contains_words, normalised, whole_words
from hybridmem.maintenance.markdown import episode_item, fact_line
from hybridmem.maintenance.markdown.comparison import Edited, Place
from hybridmem.maintenance.markdown.fact_line import FactLine
from hybridmem.maintenance.rewording import reworded_object

Slot = tuple[str, str]


class Memory(Protocol):
    """The methods of `HybridMemory` that take a person's edits."""

    def add(self, content: str, *, at: datetime, role: str, speaker: str | None) -> Sequence[Episode]: ...

    def add_fact(
        self,
        subject: str,
        relation: str,
        object: str,
        *,
        question: str,
        text: str | None,
        valid_from: datetime | None,
        valid_to: datetime | None,
        replace: bool,
    ) -> Fact: ...

    def update(self, id: str, text: str, *, object: str | None) -> Episode | Fact: ...


@dataclass(frozen=True, slots=True)
class AddFact:
    """States a fact, in its slot's place or beside what is there."""

    subject: str
    relation: str
    object: str
    question: str
    text: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    replace: bool

    @property
    def slot(self) -> Slot:
        return (
            ("", normalised(self.question)) if self.question else (normalised(self.subject), normalised(self.relation))
        )

    def __call__(self, memory: Memory) -> str:
        """The id of the fact that says so now."""
        return memory.add_fact(
            self.subject,
            self.relation,
            self.object,
            question=self.question,
            text=self.text,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            replace=self.replace,
        ).id


@dataclass(frozen=True, slots=True)
class Reword:
    """New words for a memory."""

    id: str
    text: str
    object: str | None = None

    def __call__(self, memory: Memory) -> str:
        return memory.update(self.id, self.text, object=self.object).id


@dataclass(frozen=True, slots=True)
class AddEpisode:
    """Remembers what was said."""

    text: str
    at: datetime
    role: str
    speaker: str | None

    def __call__(self, memory: Memory) -> str:
        return memory.add(self.text, at=self.at, role=self.role, speaker=self.speaker)[0].id


Call = AddFact | Reword | AddEpisode


def slot_of(subject: str, line: FactLine) -> Slot:
    """The slot that a line is about; see `Fact.slot`."""
    return ("", normalised(line.key)) if line.is_question else (normalised(subject), normalised(line.key))


def of_added(added: Place, *, alone: bool) -> Call:
    """What a new line asks for. `alone`: no other value stands in its slot. Raises `InvalidInput`."""
    if added.page.kind == "episodes":
        return _episode(added)
    line = _fact_line(added.item.text)
    since, until = _time(line.since), _time(line.until)
    _require_order(since, until)
    question = line.key if line.is_question else ""
    return AddFact(added.page.about, line.key, line.value, question, line.sentence, since, until, alone)


def of_edited(edited: Edited, *, alone: bool) -> list[Call]:
    """What an edited line asks for; nothing where it is another statement, whose old one is to go: see
    `is_another`. Raises `InvalidInput` for what the memory does not do."""
    record, block = edited.memory.record, edited.memory.block
    if isinstance(record, Episode):
        text = episode_item.reworded(edited.place.item.text, record, block)
        if text is None:
            raise InvalidInput("only the words of what was said can change, not its time or speaker")
        if not text.strip():
            raise InvalidInput("it has no words left: remove the whole line to erase it")
        return [] if text == episode_item.reworded(edited.memory.text, record, block) else [Reword(record.id, text)]
    old = _fact_line(edited.memory.text)
    new = _completed(_fact_line(edited.place.item.text), old)
    if normalised(new.value) != normalised(old.value) and alone:
        return [_superseding(record, new, old)]
    if (new.since, new.until) != (old.since, old.until) and new.value != old.value:
        raise InvalidInput(
            "its value cannot change in its place together with its dates: remove the line and write it anew"
        )
    calls: list[Call] = []
    if new.value != old.value:
        said = new.sentence if new.sentence != old.sentence else None
        calls.append(Reword(record.id, _words_for(record, new.value, said), new.value))
    elif new.sentence != old.sentence:
        text = new.sentence or record.bare
        reworded_object(record, text)
        calls.append(Reword(record.id, text))
    return [*_moved(record, new, old, alone=alone), *calls]


def is_another(edited: Edited) -> bool:
    """Whether the line states something else than its memory does: about another subject, or with another key."""
    record = edited.memory.record
    if edited.place.page.kind != ("facts" if isinstance(record, Fact) else "episodes"):
        return True
    if isinstance(record, Episode):
        return edited.place.page.about != record.at.date().isoformat()
    new, old = _fact_line(edited.place.item.text), _fact_line(edited.memory.text)
    return normalised(new.key) != normalised(old.key) or normalised(edited.place.page.about) != normalised(
        record.subject
    )


def _superseding(record: Fact, new: FactLine, old: FactLine) -> AddFact:
    """The value in the place of the old one, from the day in the line: from the very moment at which the old one began
    where the day was left as it is, since then the old value was never right."""
    since = record.valid_from if new.since == old.since else _time(new.since)
    until = record.valid_to if new.until == old.until else _time(new.until)
    _require_order(since, until)
    text = new.sentence if new.sentence != old.sentence else None
    return AddFact(record.subject, record.relation, new.value, record.question, text, since, until, replace=True)


def _moved(record: Fact, new: FactLine, old: FactLine, *, alone: bool) -> list[Call]:
    """The same value with other dates. A memory moves a beginning back and sets an end; it takes neither away."""
    since, until = _time(new.since), _time(new.until)
    calls: list[Call] = []
    begins = record.valid_from
    if (new.since, new.until) in ((None, None), (old.since, old.until)):
        return []
    if new.since != old.since:
        if since is None or since > record.valid_from:
            raise InvalidInput("a beginning cannot move later: remove the line and write it anew")
        begins = since
        calls.append(_restated(record, since, record.valid_to, alone=alone))
    if new.until != old.until:
        if until is None:
            raise InvalidInput("an end cannot be taken away: remove the line and write it anew")
        _require_order(begins, until)
        calls.append(_restated(record, record.valid_from, until, alone=alone))
    return calls


def _completed(new: FactLine, old: FactLine) -> FactLine:
    """`new` as it was meant where a person took the dates away and left the sentence behind them."""
    tail = f' "{old.sentence}"'
    if old.sentence is None or new.since or new.until or not new.value.endswith(tail):
        return new
    return replace(new, value=new.value.removesuffix(tail).rstrip(), sentence=old.sentence)


def _restated(record: Fact, since: datetime, until: datetime | None, *, alone: bool) -> AddFact:
    return AddFact(record.subject, record.relation, record.object, record.question, None, since, until, alone)


def _episode(added: Place) -> AddEpisode:
    item = episode_item.parse(added.item.text, added.item.block)
    if item is None:
        raise InvalidInput("it has no words")
    try:
        day = date.fromisoformat(added.page.about)
    except ValueError:
        raise InvalidInput(f"the file's day {added.page.about[:40]!r} is no date: write it as 2026-03-01") from None
    return AddEpisode(item.text, datetime.combine(day, item.at or time(), UTC), item.role, item.speaker)


def _fact_line(text: str) -> FactLine:
    line = fact_line.parse(text)
    if line is None:
        raise InvalidInput("it is no fact's line: write it as `- key: value`")
    return line


def _words_for(record: Fact, value: str, said: str | None) -> str:
    """The words of `record` with another `value`: what a person `said`, else its bare words, or where these do not name
    its subject its own sentence with that value. Raises `InvalidInput`."""
    if said is None:
        bare = stated(record.question, record.subject, record.relation, value)
        names = record.subject == SPEAKER or contains_words(normalised(bare), record.subject)
        said = bare if names else whole_words(record.object).sub(lambda _: value, record.text)
    reworded_object(record, said, value)
    return said


def _time(written: str | None) -> datetime | None:
    return None if written is None else parse_time(written)


def _require_order(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and until <= since:
        raise InvalidInput("it ends before it begins: swap the dates")
