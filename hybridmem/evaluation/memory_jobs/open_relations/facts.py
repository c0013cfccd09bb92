"""A fact of the open vocabulary, and what both families of such facts share: word lists and frames with slots."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import values
from hybridmem.evaluation.memory_jobs.drawing import any_of, is_held_out
from hybridmem.evaluation.memory_jobs.sentences import capitalised, fill

_FOLDER = Path(__file__).parent
_CAPITAL = re.compile(r"\{([A-Z]\w*)\}")
_KIND = re.compile(r"\{((?:a )?\w+)\}")


@dataclass(frozen=True, slots=True)
class OpenFact:
    """`subject` stands in `relation` to `value`, as `statement` says.

    The answer to each of `questions` is `value`, and to `reverse_question` it is `subject`. `kind` is the subject's
    kind in `values.py`, to draw further facts about it."""

    subject: str
    relation: str
    value: str
    statement: str
    questions: tuple[str, ...]
    reverse_question: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of sentences, plainest first."""

    statements: tuple[str, ...]
    questions: tuple[str, ...] = ()
    reverse_questions: tuple[str, ...] = ()


HELD_OUT = {"statements": 4, "questions": 3, "reverse_questions": 3}
"""How many frames at the end of each list are kept for evaluation."""


def tables(file: str) -> dict[str, Any]:
    """The tables of a TOML file beside this module."""
    return tomllib.loads((_FOLDER / file).read_text(encoding="utf-8"))


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of `text`, which are parted by commas."""
    return tuple(phrase.strip() for phrase in " ".join(text.split()).split(",") if phrase.strip())


def frames(table: Mapping[str, Sequence[str]], held_out: bool) -> Frames:
    """The frames of `table` that are trained, or that are held out."""
    parts = {}
    for key, some in table.items():
        kept = len(some) - HELD_OUT[key]
        parts[key] = tuple(some[kept:] if held_out else some[:kept])
    return Frames(**parts)


def half(words: Sequence[str], held_out: bool) -> tuple[str, ...]:
    """Those of `words` that training never draws if `held_out`, and the others if not."""
    return tuple(word for word in words if is_held_out(word) == held_out)


def with_article(noun: str) -> str:
    """`noun` behind "a" or "an"."""
    return fill("a {o}", "", noun)


def sample(kind: str, rng: Random, held_out: bool) -> str:
    """A value of a kind of `values.py`, with its article if that is "a thing"; a "person" may be "my sister".

    Besides, a "name" is a person's, and a "day" has no year."""
    if kind == "name":
        return values.person(rng, held_out)
    if kind == "day":
        return _day(rng, held_out)
    if kind == "person":
        return values.sample_subject(kind, rng, held_out)
    if kind.startswith("a "):
        return with_article(values.sample(kind.removeprefix("a "), rng, held_out))
    return values.sample(kind, rng, held_out)


def _day(rng: Random, held_out: bool) -> str:
    while "," in (day := values.sample("birthday", rng, held_out)):
        pass
    return day


def fill_kinds(phrase: str, rng: Random, held_out: bool) -> str:
    """`phrase` with each ``{kind}`` replaced by a value of that kind."""
    return _KIND.sub(lambda match: sample(match[1], rng, held_out), phrase)


def fresh_value(options: Sequence[str], subject: str, rng: Random, held_out: bool) -> str:
    """One of `options` with its kinds filled in, which neither holds `subject` nor is part of it."""
    for _ in range(20):
        value = fill_kinds(any_of(rng, options), rng, held_out)
        if value not in subject and (subject == SPEAKER or subject not in value):
            break
    return value


def say(frame: str, **slots: str) -> str:
    """`frame` with its slots filled; ``{S}`` is ``{s}`` at the start of a sentence, unless `slots` has it."""
    for name in _CAPITAL.findall(frame):
        slots.setdefault(name, capitalised(slots[name.lower()]))
    return frame.format(**slots)


def some_frames(rng: Random, given: Sequence[str], count: int) -> Iterator[str]:
    """`count` distinct frames of `given` at most, the earlier ones more often."""
    left = list(dict.fromkeys(given))
    for _ in range(min(count, len(left))):
        yield left.pop(int(rng.random() ** 1.7 * len(left)))


def plain_first(rng: Random, given: Sequence[str]) -> str:
    """One of `given`, the earlier ones more often."""
    return given[int(rng.random() ** 1.7 * len(given))]


def question_word(rng: Random, asks: tuple[str, ...]) -> str:
    """One of the ways to ask, the first in half of all cases."""
    return asks[0] if rng.random() < 0.5 else any_of(rng, asks)
