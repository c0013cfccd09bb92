"""Hand-written cases in plain English (``plain_english.toml``), and whether a model's answer to one is right.

They are for evaluation only: no training document may hold a line of theirs, nor be made after one.

    >>> accepted("with aunt Bea", ["aunt Bea"]), accepted("Bea or Zofia or Adam", ["Bea"])
    (True, False)
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hybridmem.evaluation.suites.model.fact_scores import FactScores, scores
from hybridmem.evaluation.suites.model.job_scores import FACT_TOKENS
from hybridmem.evaluation.suites.model.squad import normalised
from hybridmem.metrics import Proportion, observed_proportion
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel
from hybridmem.models.prompts import Message

FILE = Path(__file__).with_name("plain_english.toml")
SPARE_WORDS = 2
"""So many words may stand around an accepted answer."""

Job = Literal["answer", "update", "refuse", "facts", "yes-no", "who-said", "when"]

_SPANS = ((4, "1 to 4 memories"), (8, "5 to 8 memories"), (12, "9 to 12 memories"))
_SAYINGS = frozenset({"yes-no", "who-said", "when"})


@dataclass(frozen=True, slots=True)
class PlainFact:
    """A fact that a text states: every spelling of its subject and of its object that is right."""

    subject: tuple[str, ...]
    object: tuple[str, ...]

    def found_in(self, triple: tuple[str, str, str]) -> bool:
        """Whether `triple` says so, in whatever words it names the relation."""
        return accepted(triple[0], self.subject) and accepted(triple[2], self.object)


@dataclass(frozen=True, slots=True)
class PlainCase:
    """Memories (of the facts job: the text), a question about them, and what is right."""

    id: str
    job: Job
    memories: tuple[str, ...]
    question: str = ""
    answers: tuple[str, ...] = ()
    facts: tuple[PlainFact, ...] = ()

    @property
    def group(self) -> str:
        """What the case is counted with."""
        if self.job == "answer":
            return next(name for most, name in _SPANS if len(self.memories) <= most)
        return "who, when, yes or no" if self.job in _SAYINGS else self.job

    @property
    def messages(self) -> list[Message]:
        if self.job == "facts":
            return prompts.facts(" ".join(self.memories))
        return prompts.answer(self.question, self.memories)

    def is_right(self, said: str) -> bool:
        """Whether `said` is an accepted answer, the refusal, or all the facts and none besides."""
        if self.job == "refuse":
            return prompts.is_refusal(said)
        if self.job == "facts":
            listed = prompts.parse_facts(said)
            return matched(listed, self.facts) == len(self.facts) == len(listed)
        return not prompts.is_refusal(said) and accepted(said, self.answers)


@cache
def load(path: Path = FILE) -> tuple[PlainCase, ...]:
    """The cases, in the file's order."""
    return tuple(_case(record) for record in tomllib.loads(path.read_text(encoding="utf-8"))["case"])


def _case(record: dict[str, Any]) -> PlainCase:
    return PlainCase(
        id=record["id"],
        job=record["job"],
        memories=tuple(record["memories"]),
        question=record.get("question", ""),
        answers=tuple(record.get("answers", ())),
        facts=tuple(PlainFact(tuple(fact["subject"]), tuple(fact["object"])) for fact in record.get("facts", ())),
    )


def accepted(said: str, answers: Sequence[str]) -> bool:
    """Whether `said` is one of `answers` once normalised as in SQuAD, or holds one and at most two words more."""
    words = normalised(said).split()
    return any(_within(normalised(answer).split(), words) for answer in answers)


def _within(wanted: list[str], words: list[str]) -> bool:
    spare = len(words) - len(wanted)
    if not wanted or not 0 <= spare <= SPARE_WORDS:
        return False
    return any(words[at : at + len(wanted)] == wanted for at in range(spare + 1))


def matched(listed: Sequence[tuple[str, str, str]], facts: Sequence[PlainFact]) -> int:
    """How many of `facts` are among the triples `listed`, each of which stands for one fact at most."""
    left = list(listed)
    for fact in facts:
        hit = next((triple for triple in left if fact.found_in(triple)), None)
        if hit is not None:
            left.remove(hit)
    return len(listed) - len(left)


# a model's scores


@dataclass(frozen=True, slots=True)
class PlainScores:
    """Of the hand-written cases."""

    groups: dict[str, Proportion | None]
    all: Proportion | None
    refused_answerable: Proportion | None
    facts: FactScores
    """By subject and object: the relation's wording is free."""


def plain_scores(model: LanguageModel, cases: Sequence[PlainCase] | None = None) -> PlainScores:
    """What `model` makes of the hand-written `cases`, or of all of them."""
    cases = load() if cases is None else cases
    said = [g.text.strip() for g in model.generate([case.messages for case in cases], max_new_tokens=FACT_TOKENS)]
    responses = list(zip(cases, said, strict=True))
    groups: dict[str, list[bool]] = {}
    for case, text in responses:
        groups.setdefault(case.group, []).append(case.is_right(text))
    listed = [(case, prompts.parse_facts(text)) for case, text in responses if case.job == "facts"]
    return PlainScores(
        groups={group: observed_proportion(marks) for group, marks in groups.items()},
        all=observed_proportion(mark for marks in groups.values() for mark in marks),
        refused_answerable=observed_proportion(
            prompts.is_refusal(text) for case, text in responses if case.job not in {"facts", "refuse"}
        ),
        facts=scores(
            sum(matched(triples, case.facts) for case, triples in listed),
            sum(len(triples) for _, triples in listed),
            sum(len(case.facts) for case, _ in listed),
        ),
    )
