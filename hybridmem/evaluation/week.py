"""A week in somebody's life: what a person says to an agent, and what this person asks it some days later.

The format is a Python file of two literals, ``T`` (time, message) and ``Q`` (question, expected answer, kind), whose
first comment names the speaker. It is parsed and never run. Expected answers that are all right stand behind
slashes; ``REFUSE`` means that nothing in the week answers the question.

    # A real week (speaker Ruth; every message has its time). Q: question, expected, kind.
    T = [("2026-11-16T08:30", "We signed the lease, we're moving to Ghent."), ...]
    Q = [("Which city am I moving to?", "Ghent", "direct"), ("What is our dog called?", "REFUSE", "unanswerable"), ...]
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate, InvalidInput
from hybridmem.core.text.dates import MONTHS, WEEKDAYS
from hybridmem.core.text.topics import stem
from hybridmem.metrics import normalised_answer
from hybridmem.models.prompts import is_refusal

Verdict = Literal["right", "wrong", "refused"]
_SPEAKER = re.compile(r"speaker ([^;)]+)")
_ASIDE = re.compile(r"\([^)]*\)")
_PAGE = re.compile(r"\bpp?\.\s*(?=\d)|\bpages?\s+(?=\d)", re.IGNORECASE)
_GLUED = re.compile(r"(\d)(am|pm|mg|kg|km|cm|mm|ml|min|h)\b", re.IGNORECASE)
_IN_FULL = {
    **{name[:3]: name for name in (*MONTHS, *WEEKDAYS)},
    "sept": "september",
    "tues": "tuesday",
    "thurs": "thursday",
    "milligrams": "mg",
    "kilograms": "kg",
    "kilos": "kg",
    "kilometres": "km",
    "centimetres": "cm",
    "metres": "m",
    "millimetres": "mm",
    "millilitres": "ml",
    "minutes": "min",
    "mins": "min",
    "hours": "h",
    "hrs": "h",
}
"""One form for what is written in several."""
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "at",
        "on",
        "in",
        "to",
        "is",
        "are",
        "was",
        "my",
        "our",
        "your",
        "his",
        "her",
        "their",
        "it",
        "its",
        "by",
        "for",
        "from",
        "and",
        "with",
    ]
)
_REFUSE = "REFUSE"
AT = 10
"""Hits of a search for a question."""
RECALL = f"evidence_recall_at_{AT}"
"""The mean, over the questions whose answer a message spells out, of the share of these messages among the hits."""
_NOT_SPELT_OUT = frozenset(map(stem, ("yes", "no", "none")))
MOST_WORDS = 6
"""Words that a right answer may have beside those that were expected."""


@dataclass(frozen=True, slots=True)
class WeekQuestion:
    """A question, and the answers that are right; none where the week does not answer it."""

    text: str
    expected: tuple[str, ...]
    kind: str

    @property
    def answerable(self) -> bool:
        return bool(self.expected)

    def verdict(self, said: str) -> Verdict:
        """What an answer is: right, wrong, or a refusal (which is right where the question is unanswerable).

        >>> WeekQuestion("When do we get the keys?", ("5 December",), "changed").verdict("on the 5th of December")
        'right'
        >>> WeekQuestion("What is my mother's name?", (), "unanswerable").verdict("Ruth")
        'wrong'
        """
        if is_refusal(said):
            return "refused" if self.answerable else "right"
        return "right" if any(_agree(said, wanted) for wanted in self.expected) else "wrong"


@dataclass(frozen=True, slots=True)
class Week:
    """Messages in the order of time, and questions about them."""

    name: str
    speaker: str
    messages: tuple[tuple[datetime, str], ...]
    questions: tuple[WeekQuestion, ...]

    def evidence(self, question: WeekQuestion) -> frozenset[int]:
        """The places of the messages that have all words of an expected answer in them; none for an answer that no
        message spells out, such as yes or no."""
        wanted = [set(_words(_ASIDE.sub(" ", answer)) or _words(answer)) for answer in question.expected]
        return frozenset(
            place
            for place, (_, text) in enumerate(self.messages)
            if any(answer and answer <= set(_words(text)) for answer in wanted if not answer <= _NOT_SPELT_OUT)
        )


def read(file: Path) -> Week:
    """The week in `file`. Raises `InvalidInput`."""
    try:
        text = file.read_text("utf-8")
        values = {
            target.id: ast.literal_eval(node.value)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        speaker = _SPEAKER.search(text)
        return Week(
            name=file.stem,
            speaker=speaker[1].strip() if speaker else "",
            messages=tuple(sorted((parse_time(str(at)), str(said)) for at, said in values["T"])),
            questions=tuple(_question(*asked) for asked in values["Q"]),
        )
    except OSError as error:
        raise InvalidInput(f"the week {str(file)!r} cannot be read: {error.strerror}") from None
    except (InvalidDate, ValueError, SyntaxError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{str(file)!r} is no week ({error}): it needs T = [(time, message), ...] and Q = [(question, expected, "
            f"kind), ...]"
        ) from None


def _question(text: str, expected: str, kind: str) -> WeekQuestion:
    if expected.startswith(_REFUSE):
        return WeekQuestion(text, (), kind)
    return WeekQuestion(text, tuple(part.strip() for part in re.split(r"\s+/\s+", expected)), kind)


def _agree(said: str, wanted: str) -> bool:
    """Whether an answer says what was wanted, in whatever form of a word: all of its words and a few more, or a good
    half of them with every number."""
    own, other = _words(said), _words(_ASIDE.sub(" ", wanted)) or _words(wanted)
    if not own or not other:
        return False
    if other in (["yes"], ["no"]):
        return own[0] == other[0]
    if set(other) <= set(own):
        return len(own) <= len(other) + MOST_WORDS
    numbers = {word for word in other if any(c.isdigit() for c in word)}
    return set(own) <= set(other) and numbers <= set(own) and 2 * len(set(own)) >= len(set(other))


def _words(text: str) -> list[str]:
    spaced = re.sub(r"[/|]", " ", _PAGE.sub(" ", _GLUED.sub(r"\1 \2", text)))
    words: Sequence[str] = _ORDINAL.sub(r"\1", normalised_answer(spaced)).split()
    return [stem(_IN_FULL.get(word, word)) for word in words if word not in _SMALL]
