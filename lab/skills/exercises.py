"""Natural records as exercises of the memory jobs: prompts with their right completions.

Exercises that share the beginning of their prompts (the memories) come as one group: the trainer reads what they share
once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.models import prompts
from hybridmem.models.prompts import Message
from lab.skills.natural import USER, NaturalRecord, Proposition

Exercise = tuple[list[Message], str]
"""A prompt, and what is to be answered."""
Group = list[Exercise]
"""Exercises with a common beginning."""

BELIEVED = frozenset({"asserted", "denied", "planned"})
"""Moods of which a triple or a question may be made."""
FIRST_NAMES = [
    "Ruth",
    "Tomas",
    "Ines",
    "Kofi",
    "Maren",
    "Bao",
    "Leila",
    "Sander",
    "Yuki",
    "Pilar",
    "Anton",
    "Zofia",
    "Malik",
    "Greta",
    "Rahul",
    "Oona",
    "Dario",
    "Selma",
    "Tunde",
    "Mirja",
    "Hector",
    "Nadia",
    "Joost",
    "Amara",
    "Felix",
    "Ilse",
    "Omar",
    "Petra",
    "Kenji",
    "Lucia",
    "Bram",
    "Farah",
    "Viktor",
    "Ayla",
    "Simon",
    "Noemi",
]


@dataclass(frozen=True, slots=True)
class Line:
    """A memory in a prompt."""

    at: datetime
    speaker: str
    text: str

    def shown(self, *, dated: bool, user: str | None) -> str:
        """As a prompt shows it; the unnamed user is called `user`, where that is a name."""
        speaker = user if self.speaker == USER else self.speaker
        return prompts.memory(self.text, speaker=speaker, at=self.at if dated else None)


class NaturalExercises:
    """Draws groups from `records`; every draw is the same for the same state of `rng`."""

    def __init__(self, records: Sequence[NaturalRecord], rng: Random) -> None:
        self._records = list(records)
        self._rng = rng
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for number, record in enumerate(self._records):
            for word in set(normalised(record.text).split()):
                self._by_word[word].append(number)
        self._order: list[int] = []

    def read(self) -> Group:
        """Questions over one to twelve memories: answered, unanswerable, yes or no, and on what changed."""
        rng = self._rng
        first = self._next()
        count = rng.choices(range(1, 13), weights=(10, 10, 12, 13, 12, 12, 5, 5, 4, 3, 2, 2))[0]
        records = [first, *self._distractors(first, count - 1)]
        targets = records[: 1 if count == 1 else rng.choice((1, 2, 2, 3))]
        return self.questions_over(records, targets)

    def questions_over(self, records: Sequence[NaturalRecord], targets: Sequence[NaturalRecord]) -> Group:
        """Questions on `targets`, whose messages lie among those of `records`."""
        rng = self._rng
        lines: list[Line] = []
        asked: list[tuple[str, str]] = []
        for record in records:
            own = [Line(record.at, turn.speaker, turn.text) for turn in record.before]
            own.append(Line(record.at, record.speaker, record.text))
            change = record.change
            before = change is not None and record in targets and rng.random() < 0.6
            alone = before and rng.random() < 0.25
            if change is not None and before:
                lines.append(Line(change.older_at, record.speaker, change.older))
                if change.new in record.text or alone:
                    asked.append((change.question, change.old if alone else change.new))
            if alone:
                continue
            lines += own
            if record in targets:
                asked += self._about(record)
        lines.sort(key=lambda line: line.at)
        user = rng.choice(FIRST_NAMES) if rng.random() < 0.5 else None
        dated = rng.random() < 0.5
        shown = [line.shown(dated=dated, user=user) for line in lines]
        rng.shuffle(asked)
        return [(prompts.answer(casually(question, rng), shown), answer) for question, answer in asked[:9]]

    def propositions(self) -> Group:
        """What one message says, sentence by sentence with its mood."""
        return [self.propositions_of(self._next())]

    def propositions_of(self, record: NaturalRecord) -> Exercise:
        speaker = None if record.speaker == USER else record.speaker
        before = [
            prompts.memory(turn.text, speaker=None if turn.speaker == USER else turn.speaker) for turn in record.before
        ]
        prompt = prompts.propositions(record.text, speaker=speaker, at=record.at, before=before)
        lines = [f"{p.mood}{prompts.SEPARATOR}{prompts.one_line(p.text)}" for p in in_order(record)]
        return prompt, "\n".join(lines) or prompts.NO_FACTS

    def questions(self) -> Group:
        """Questions that propositions answer, each with its answer."""
        while True:
            pairs = list(questions_by_proposition(self._next()))
            if pairs:
                return [
                    (prompts.question(text), f"{question}{prompts.SEPARATOR}{answer}")
                    for text, question, answer in pairs
                ]

    def facts(self) -> Group:
        """The triples of one message."""
        record = self._next()
        lines = [prompts.SEPARATOR.join(triple) for p in in_order(record) for triple in p.triples]
        text = record.text if record.speaker == USER else f"{record.speaker}: {record.text}"
        return [(prompts.facts(text), "\n".join(lines) or prompts.NO_FACTS)]

    def without_memories(self) -> Group:
        """Questions about things that nobody has told: refusals."""
        asked = [question for record in (self._next() for _ in range(3)) for question, _ in record.questions[:1]]
        return [(prompts.answer(casually(question, self._rng)), prompts.REFUSAL) for question in asked]

    def _about(self, record: NaturalRecord) -> list[tuple[str, str]]:
        rng = self._rng
        answerable = rng.sample(record.questions, min(4, len(record.questions)))
        refused = rng.sample(record.unanswerable, min(rng.choice((1, 1, 2)), len(record.unanswerable)))
        decided = rng.sample(record.yes_no, min(2, len(record.yes_no)))
        return [*answerable, *((question, prompts.REFUSAL) for question in refused), *decided]

    def _next(self) -> NaturalRecord:
        """Every record once, in a new order each time round."""
        if not self._order:
            self._order = self._rng.sample(range(len(self._records)), len(self._records))
        return self._records[self._order.pop()]

    def _distractors(self, record: NaturalRecord, count: int) -> list[NaturalRecord]:
        """Other records: some share a rare word, most of the rest are by the same author."""
        rng, chosen = self._rng, [record]
        rare = sorted((w for w in set(normalised(record.text).split())), key=lambda w: len(self._by_word[w]))
        rare = [word for word in rare if 2 <= len(self._by_word[word]) <= 40][:6]
        same_author = [other for other in self._records if other.id[0] == record.id[0]]
        for _ in range(count):
            way = rng.random()
            if way < 0.35 and rare:
                other = self._records[rng.choice(self._by_word[rng.choice(rare)])]
            else:
                other = rng.choice(same_author if way < 0.75 else self._records)
            if other not in chosen:
                chosen.append(other)
        return chosen[1:]


def casually(question: str, rng: Random) -> str:
    """A question as people type it: now and then in small letters, or without its mark."""
    way = rng.random()
    if way < 0.1:
        return question.rstrip("?").lower()
    return question.lower() if way < 0.15 else question.rstrip("?") if way < 0.2 else question


def in_order(record: NaturalRecord) -> list[Proposition]:
    """A record's propositions as the text brings them."""
    return sorted(record.propositions, key=lambda p: record.text.find(p.span))


def questions_by_proposition(record: NaturalRecord) -> Iterator[tuple[str, str, str]]:
    """(a believed proposition, a question of the record, its answer as that proposition words it)."""
    for question, answer in record.questions:
        fitting = [p for p in record.propositions if p.mood in BELIEVED and contains_words(normalised(p.text), answer)]
        # With two that hold the answer, the one whose words of the message hold it too.
        fitting.sort(key=lambda p: answer not in p.span)
        if fitting:
            yield fitting[0].text, question, answer
