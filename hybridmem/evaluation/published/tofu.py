"""TOFU (Maini et al. 2024, arXiv:2401.06121): invented authors, of whom some must be forgotten again.

The file has 20 questions and answers on each author, all of one author's one after another. The memory is told the
answers, sentences by themselves; a row is tested where its answer gives one value and the question asks for it, since
the stream compares values, not ROUGE. The last night deletes the forget split, the last tenth of the authors that were
told (one at least), as ``forget10`` is the last tenth of TOFU's. Two authors more are never told: questions on them
have no answer. TOFU's real-world facts are the unrelated questions.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.text.mentions import mentions
from hybridmem.evaluation.published.base import require_enough
from hybridmem.evaluation.stream import Probe, Stream, StreamDelete, StreamFact

ROWS = 20
"""Of an author."""
UNTOLD = 2
"""Authors that are never told."""
FORGET = 0.1
"""Proportion of the told authors that is deleted."""
WORLD = "world_facts_perturbed.json"
MOST_LOCAL = 50

_ASKS = re.compile(r"\A(?:what|what's|which|where|when|who|in which|in what|can you name|could you name)\b", re.I)
_QUOTED = re.compile(r"[\"“]([^\"“”]+?)[.,]?[\"”]")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(rf"\b{_MONTH} {_DAY},? \d{{4}}|\b{_DAY}(?: of)? {_MONTH},?(?: in the year)? \d{{4}}")


@dataclass(frozen=True, slots=True)
class Row:
    """One question of the file with its answer, a sentence or more."""

    question: str
    answer: str

    @property
    def value(self) -> str | None:
        """The one thing in the answer that the question asks for: a title, a date or a name; None where there is none,
        or more."""
        for found in (self._new(_QUOTED.findall(self.answer)), self._new(_DATE.findall(self.answer)), self._names()):
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _new(self, values: Sequence[str]) -> list[str]:
        """Those of `values` that do not stand in the question, once each."""
        return [value for value in dict.fromkeys(values) if value.casefold() not in self.question.casefold()]

    def _names(self) -> list[str]:
        names = self._new(sorted(mentions(self.answer).names))
        spans = (re.search(rf"\b{re.escape(name)}\b", self.answer, re.I) for name in names)
        return [span.group() for span in spans if span is not None]


def stream(path: Path, nights: int, authors: int) -> Stream:
    """`nights` of so many `authors` of the file at `path`. Raises `InvalidInput`."""
    rows = [Row(record["question"], record["answer"]) for record in records(path)]
    blocks = [rows[at : at + ROWS] for at in range(0, len(rows) - ROWS + 1, ROWS)]
    told = nights * authors
    require_enough(len(blocks), told + UNTOLD, f"authors, of whom {UNTOLD} are never told", path)
    events: list[StreamFact | StreamDelete] = []
    for number, block in enumerate(blocks[:told]):
        events += _facts(block, number, 1 + number // authors)
    forget = max(1, round(FORGET * told))
    forgotten = {f"a{number}" for number in range(told - forget, told)}
    ids = [event.id for event in events if isinstance(event, StreamFact) and event.id.partition(".")[0] in forgotten]
    events += [StreamDelete(nights + 1, id) for id in ids]
    unknown = [Probe("unanswerable", row.question) for block in blocks[-UNTOLD:] for row in _asking(block)]
    world = records(path.with_name(WORLD))[:MOST_LOCAL]
    return Stream(tuple(events), (*unknown, *(Probe("locality", one["question"], one["answer"]) for one in world)))


def _facts(block: Sequence[Row], number: int, night: int) -> Iterator[StreamFact]:
    tested = _tested(block)
    for at, row in enumerate(block):
        if row in tested:
            yield StreamFact(night, f"a{number}.{at}", row.answer, str(row.value), (row.question,), relation="TOFU")


def _tested(block: Sequence[Row]) -> list[Row]:
    """The rows of an author that are told and tested: the answer names the author too, and gives a value that is not
    the author."""
    name = author(block)
    return [row for row in _asking(block) if name in row.answer and row.value is not None and row.value not in name]


def _asking(block: Sequence[Row]) -> list[Row]:
    """The rows of an author whose question asks for something and names the author."""
    return [row for row in block if _ASKS.match(row.question) and author(block) in row.question]


def author(block: Sequence[Row]) -> str:
    """The name that most of an author's questions have."""
    found = Counter(name for row in block for name in mentions(row.question).names if " " in name)
    if not found:
        return ""
    name = found.most_common(1)[0][0]
    spans = (re.search(rf"\b{re.escape(name)}\b", row.question, re.I) for row in block)
    return next(span.group() for span in spans if span is not None)


def records(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of the file at `path`, each with a ``question`` and an ``answer``. Raises `InvalidInput`."""
    found = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            record = json.loads(line)
            if not all(isinstance(record[key], str) and record[key].strip() for key in ("question", "answer")):
                raise InvalidInput(f"{path} line {number}: question and answer must be strings that are not empty")
            found.append(record)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}; name the folder that holds it with --data") from None
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(f"{path} holds no questions and answers as JSON lines: take TOFU's own file") from None
    return found
