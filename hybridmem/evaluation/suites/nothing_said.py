"""Sentences that state nothing positive: what a memory believes of them after a night, and what they retire.

JSON lines, one sentence each, negated, wished, quoted, conditional, joking ...:

    {"at":"2026-01-08T21:40","text":"I wish I lived in Lofoten.","kind":"wished","tempting":"the user lives in Lofoten",
     "slot":{"earlier":"I live in Kassel.","q":"Which town do I live in?","a":"Kassel"}}

`tempting` is what a careless reader would take from it. `slot`, which may be null, is a value that the user stated
before: it must still stand after the night.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate, InvalidInput
from hybridmem.dreaming import recipes
from hybridmem.evaluation.temporary import temporary_memory
from hybridmem.evaluation.week import WeekQuestion
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress

DAYS_BEFORE = 30
"""How long before its sentence an earlier value was stated."""


@dataclass(frozen=True, slots=True)
class EarlierValue:
    """A value that must still stand."""

    text: str
    question: WeekQuestion


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something said that states nothing positive."""

    at: datetime
    text: str
    kind: str
    tempting: str
    earlier: EarlierValue | None


def read(file: Path) -> list[Sentence]:
    """The sentences of `file`. Raises `InvalidInput` naming the line that is none."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise InvalidInput(f"the sentences {str(file)!r} cannot be read: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_sentence(json.loads(line)))
        except (InvalidDate, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{str(file)!r}, line {number} is no sentence ({error}): see bench week --help"
            ) from None
    return found


def _sentence(line: dict[str, Any]) -> Sentence:
    slot = line["slot"]
    return Sentence(
        at=parse_time(str(line["at"])),
        text=str(line["text"]),
        kind=str(line["kind"]),
        tempting=str(line["tempting"]),
        earlier=slot and EarlierValue(slot["earlier"], WeekQuestion(slot["q"], (slot["a"],), line["kind"])),
    )


def run(
    sentences: Sequence[Sentence],
    *,
    model: str | LanguageModel | None,
    progress: Progress,
    embedder: str | None = None,
    reader: Any = None,
) -> dict[str, Any]:
    """What was believed of the sentences, each in a namespace of its own, after a night that trains nothing."""
    recipe = replace(recipes.load("default"), strategy="noop")
    believed: list[dict[str, Any]] = []
    retired: list[dict[str, str]] = []
    standing = earlier = 0
    with temporary_memory(model=model, embedder=embedder, reader=reader) as opened:
        for number, sentence in enumerate(sentences, start=1):
            memory = opened.at(("sentence", str(number)))
            if sentence.earlier is not None:
                memory.add(sentence.earlier.text, at=sentence.at - timedelta(days=DAYS_BEFORE))
                memory.dream(recipe=recipe)
            (said,) = memory.add(sentence.text, at=sentence.at)
            memory.dream(recipe=recipe)
            facts = memory.ledger.facts(memory.namespace, include_retired=True)
            believed += [
                {"sentence": sentence.text, "kind": sentence.kind, "tempting": sentence.tempting, "fact": fact.text}
                for fact in facts
                if said.id in fact.sources and fact.current and not fact.quarantined
            ]
            retired += [{"sentence": sentence.text, "fact": fact.text} for fact in facts if not fact.current]
            if sentence.earlier is not None:
                earlier += 1
                answer = memory.answer(sentence.earlier.question.text)
                standing += sentence.earlier.question.verdict(answer.text) == "right"
            progress("sentences", number, len(sentences))
    return {
        "sentences": len(sentences),
        "believed": len(believed),
        "retired": len(retired),
        "earlier_values": earlier,
        "answered_with_the_earlier_value": standing,
        "facts": believed,
        "retired_facts": retired,
    }
