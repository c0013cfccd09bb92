"""The people, things and relations of the synthetic stream: invented names, and the wordings of ``fiction.toml``."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_SOURCE = Path(__file__).with_name("fiction.toml")
_SYLLABLES = ("onsets", "vowels", "onsets", "vowels", "ends")
_PORTS, _NUMBERS, _CODES = range(1024, 10000), range(10, 1000), range(1000, 10000)
_HOURS, _MINUTES = range(5, 12), ("00", "10", "15", "30", "40", "45")
_SUBJECTS = {
    "person": "{name} {other}",
    "project": "the {name} project",
    "server": "the {name} server",
    "boat": "the ferry {name}",
    "café": "Café {name}",
    "team": "the {name} team",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation with its wordings; ``{s}`` stands for the subject and ``{o}`` for the value."""

    name: str
    subject: str
    """Kind of the subject."""
    object: str
    """Kind of the value."""
    statements: tuple[str, ...]
    updates: tuple[str, ...]
    """Statements of a value that replaces another."""
    questions: tuple[str, ...]
    indirect: tuple[str, ...]
    """Questions in other words than the statements and the other questions."""
    dated: str
    """A question for the value of the day ``{d}``."""

    def state(self, template: str, subject: str, value: str) -> str:
        """`template` about `subject`, with a capital letter in front."""
        text = template.format(s=subject, o=value)
        return _with_articles(text[0].upper() + text[1:], value)


def _with_articles(text: str, value: str) -> str:
    return text.replace(f" a {value}", f" an {value}") if value[0].lower() in "aeiou" else text


@cache
def relations() -> tuple[Relation, ...]:
    """All relations, in the order of the file."""
    return tuple(
        Relation(
            name=entry["name"],
            subject=entry["subject"],
            object=entry["object"],
            statements=tuple(entry["statements"]),
            updates=tuple(entry["updates"]),
            questions=tuple(entry["questions"]),
            indirect=tuple(entry["indirect"]),
            dated=entry["dated"],
        )
        for entry in _source()["relation"]
    )


@cache
def unrelated() -> tuple[tuple[str, str], ...]:
    """Questions about the world with their answers, which no night should change."""
    return tuple((entry["question"], entry["answer"]) for entry in _source()["locality"])


@cache
def small_talk() -> tuple[str, ...]:
    """What people say to an agent without asking for anything that it was told."""
    return tuple(_source()["small_talk"]["texts"])


@cache
def padding() -> tuple[str, ...]:
    """Sentences that state nothing worth remembering, for long texts."""
    return tuple(_source()["padding"]["sentences"])


def choices(kind: str) -> int:
    """How many values of `kind` an `Inventor` draws from, all of them as likely: log2 of it are a value's bits."""
    names = math.prod(len(_source()["names"][part]) for part in _SYLLABLES)
    invented = {
        "port": len(_PORTS),
        "time": len(_HOURS) * len(_MINUTES),
        "number": len(_NUMBERS),
        "code": len(_CODES),
        "petname": names,
        "person": names**2,
    }
    listed = len(_source()["values"].get(kind, ()))
    return listed or invented[kind]


@cache
def _source() -> dict[str, Any]:
    return tomllib.loads(_SOURCE.read_text(encoding="utf-8"))


class Inventor:
    """Draws names and values; no name comes twice, neither as a whole nor in its parts."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used = {word.casefold() for values in _source()["values"].values() for word in values}

    def subject(self, kind: str) -> str:
        """A fresh subject of `kind`: ``Zane Kolu``, ``the Tavrin project``."""
        return _SUBJECTS[kind].format(name=self._name(), other=self._name())

    def value(self, kind: str, other_than: Sequence[str] = ()) -> str:
        """A value of `kind`, none of `other_than`. Invented kinds are fresh; listed ones may come again."""
        listed: list[str] = _source()["values"].get(kind, [])
        while True:
            drawn = self._rng.choice(listed) if listed else self._invent(kind)
            if drawn not in other_than:
                return drawn

    def _invent(self, kind: str) -> str:
        match kind:
            case "port":
                return str(self._rng.choice(_PORTS))
            case "time":
                return f"{self._rng.choice(_HOURS)}:{self._rng.choice(_MINUTES)}"
            case "number":
                return str(self._rng.choice(_NUMBERS))
            case "code":
                return f"{self._rng.choice(_CODES)}"
            case "petname":
                return self._name()
            case "person":
                return self.subject("person")
        raise ValueError(f"no values of the kind {kind!r}: list them in {_SOURCE.name}")

    def _name(self) -> str:
        sounds = _source()["names"]
        while True:
            word = "".join(self._rng.choice(sounds[kind]) for kind in _SYLLABLES)
            if word not in self._used:
                self._used.add(word)
                return word.capitalize()
