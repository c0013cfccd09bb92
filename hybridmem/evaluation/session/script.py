"""Sessions to be asked about: facts over invented names, some of them overwritten later, and small talk between them.

A fact is asked about in three phrasings. Two begin the reply: with the words in which the session said it, up to the
value, or with another statement of the same. The third is a plain question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.fiction import Relation, relations, small_talk
from hybridmem.evaluation.stream import Stated, StreamMaker
from hybridmem.running.chunks import SessionMessage

Kind = Literal["answerable", "unanswerable", "deleted"]
Phrasing = Literal["same words", "other words", "question"]
PHRASINGS: tuple[Phrasing, ...] = ("same words", "other words", "question")
OVERWRITTEN = 4
"""One fact in so many is overwritten later: 25%."""
ANSWERED_TO_UNANSWERABLE = 4
"""So many questions that can be answered come with one that cannot: 20% of both."""
TALK = 4
"""One message in so many is small talk."""
DELETED = 2
"""Facts of a session that are deleted before the first question."""
_VALUE = "{o}."


@dataclass(frozen=True, slots=True)
class SessionQuestion:
    """One question about a session."""

    id: str
    fact: str
    """The id of the fact that it is about, or its own where there is none."""
    kind: Kind
    phrasing: Phrasing
    text: str
    begun: str = ""
    """What the reply begins with."""
    answer: str = ""
    """The value that holds; empty where refusing is right."""
    banned: str = ""
    """The value before it, or the one that was deleted; empty where there is none."""
    behind: int = 0
    """Tokens of the session after the fact."""


@dataclass(frozen=True, slots=True)
class Script:
    """A session, and what it is asked."""

    messages: tuple[SessionMessage, ...]
    deleted: frozenset[str]
    """Ids of the messages that are deleted once everything was read."""
    questions: tuple[SessionQuestion, ...]
    tokens: int

    @property
    def left(self) -> tuple[SessionMessage, ...]:
        """The messages that are not deleted."""
        return tuple(message for message in self.messages if message.id not in self.deleted)


def closed_relations() -> tuple[Relation, ...]:
    """Those that can be stated in two ways, and updated, with the value at the end; in these wordings alone."""
    found = []
    for relation in relations():
        statements = tuple(each for each in relation.statements if each.endswith(_VALUE))
        updates = tuple(each for each in relation.updates if each.endswith(_VALUE))
        if len(statements) > 1 and updates:
            found.append(replace(relation, statements=statements, updates=updates))
    return tuple(found)


def make_script(seed: int, tokens: int, asked: int, count: Callable[[str], int]) -> Script:
    """A session of about so many `tokens`, as `count` counts those of a message, with questions about `asked` facts,
    each in every phrasing. Raises `InvalidInput` for a session too short for them."""
    rng = Random(seed)  # noqa: S311 - a reproducible draw
    maker = StreamMaker(rng, closed_relations())
    placed: list[tuple[float, str, Stated | None]] = []
    stated: list[tuple[Stated, Stated | None]] = []
    length = 0

    def place(at: float, text: str, said: Stated | None) -> None:
        nonlocal length
        placed.append((at, text, said))
        length += count(text)

    while length < tokens:
        fact, at = maker.new(1), rng.random()
        place(at, fact.fact.text, fact)
        later = maker.update(1, fact) if len(stated) % OVERWRITTEN == OVERWRITTEN - 1 else None
        if later is not None:
            place(at + (1 - at) * rng.random(), later.fact.text, later)
        if len(placed) % TALK == 0:
            place(rng.random(), rng.choice(small_talk()), None)
        stated.append((fact, later))
    placed.sort(key=lambda each: each[0])
    behind, after = 0, {}
    for _, text, said in reversed(placed):
        if said is not None:
            after[said.fact.id] = behind
        behind += count(text)
    messages = tuple(
        SessionMessage(said.fact.id if said is not None else f"talk{number}", text)
        for number, (_, text, said) in enumerate(placed)
    )
    kept = [fact for fact, later in stated if later is None]
    changed = [(fact, later) for fact, later in stated if later is not None]
    overwritten = round(asked / OVERWRITTEN)
    if len(changed) < overwritten or len(kept) < asked - overwritten + DELETED:
        raise InvalidInput(f"a session of {tokens} tokens says too little to ask about {asked} facts: ask about fewer")
    rng.shuffle(kept)
    deleted, kept = kept[:DELETED], kept[DELETED:]
    questions = [
        *(each for fact in kept[: asked - overwritten] for each in _phrased(fact, "", after)),
        *(
            each
            for fact, later in rng.sample(changed, overwritten)
            for each in _phrased(later, fact.fact.answer, after)
        ),
    ]
    questions += _unanswerable(maker, rng, round(len(questions) / ANSWERED_TO_UNANSWERABLE))
    questions += [
        SessionQuestion(
            f"{fact.fact.id} deleted",
            fact.fact.id,
            "deleted",
            "question",
            fact.fact.test_questions[0],
            banned=fact.fact.answer,
        )
        for fact in deleted
    ]
    rng.shuffle(questions)
    return Script(messages, frozenset(fact.fact.id for fact in deleted), tuple(questions), length)


def _phrased(stated: Stated, banned: str, after: dict[str, int]) -> list[SessionQuestion]:
    """The questions for one fact."""
    fact, relation = stated.fact, stated.relation
    other = next(
        said
        for template in relation.statements
        if (said := relation.state(template, stated.subject, fact.answer)) != fact.text
    )
    found = []
    for phrasing in PHRASINGS:
        begun = {"same words": fact.text, "other words": other}.get(phrasing, "")
        begun = begun[: begun.rindex(fact.answer)].rstrip() if begun else ""
        text = f"Complete the sentence: {begun}" if begun else fact.test_questions[0]
        found.append(
            SessionQuestion(
                f"{fact.id} {phrasing}",
                fact.id,
                "answerable",
                phrasing,
                text,
                begun,
                fact.answer,
                banned,
                after[fact.id],
            )
        )
    return found


def _unanswerable(maker: StreamMaker, rng: Random, count: int) -> list[SessionQuestion]:
    """Half about strangers, half about what was never said of somebody."""
    found = []
    for number in range(count):
        relation = maker.next_relation()
        silent = maker.silent(relation)
        known = silent and number % 2
        subject = rng.choice(silent) if known else maker.inventor.subject(relation.subject)
        text = rng.choice(relation.questions).format(s=subject)
        found.append(SessionQuestion(f"u{number}", f"u{number}", "unanswerable", "question", text))
    return found
