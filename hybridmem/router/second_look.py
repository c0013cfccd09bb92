"""A second look at the memories: each of them read alone, where the answer over all of them together is unsure.

A small reader is easily led by the memories beside the one that matters: over five it often refuses, or answers from
the wrong one, where it reads the right one rightly when that is alone. So every answer that a memory gives alone is a
candidate, and what the readings say of each other is what the router's heads judge it by.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybridmem.core.text.kinds import of_one_kind
from hybridmem.metrics import normalised_answer
from hybridmem.models import prompts
from hybridmem.models.base import Generation

_SMALL = frozenset({"at", "by", "for", "from", "i", "in", "is", "it", "its", "my", "of", "on", "our"}) | frozenset(
    {"to", "we", "with", "your"}
)
"""Words in which two answers may differ and still say the same."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the readings of single memories say of one answer."""

    alone: float
    """Probability of the surest reading of one memory that gives it; 0 where none does."""
    rival: float
    """Probability of the surest reading, of one memory or of all, that gives another answer."""
    later: float
    """Probability of the surest other answer of its kind that a memory gives alone which is later than all that give
    this one; 0 where there is none. It may be the value of today."""
    together: float
    """1 where the reading of all memories gives it, -1 where that gives another answer, 0 where it refuses."""
    first: bool
    """Whether the memory that the search ranks first gives it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer of one of the readings."""

    said: Generation
    memory: int | None
    """Number of the memory that gives it alone; None for all of them together."""
    agreement: Agreement


def candidates(together: Generation, alone: Sequence[Generation], first: int | None) -> list[Candidate]:
    """The answers of the readings, that over all memories first, each once.

    `alone` has one reading for each memory, oldest first, of which the search ranks number `first` first. Refusals are
    no candidates: where every reading refuses, there are none."""
    readings: list[tuple[int | None, Generation]] = [(None, together), *enumerate(alone)]
    answering = [(memory, said) for memory, said in readings if not prompts.is_refusal(said.text)]
    found: list[Candidate] = []
    for memory, said in answering:
        if not any(same(said.text, other.said.text) for other in found):
            found.append(Candidate(said, memory, _agreement(said, together, answering, first)))
    return found


def _agreement(
    said: Generation, together: Generation, answering: Sequence[tuple[int | None, Generation]], first: int | None
) -> Agreement:
    agreeing = [(memory, other) for memory, other in answering if same(said.text, other.text)]
    others = [(memory, other) for memory, other in answering if not same(said.text, other.text)]
    places = [memory for memory, _ in agreeing if memory is not None]
    return Agreement(
        alone=_surest(other for memory, other in agreeing if memory is not None),
        rival=_surest(other for _, other in others),
        later=_surest(
            other
            for memory, other in others
            if memory is not None and places and memory > max(places) and of_one_kind(said.text, other.text)
        ),
        together=0.0 if prompts.is_refusal(together.text) else 1.0 if agreeing[0][0] is None else -1.0,
        first=first is not None and first in places,
    )


def same(one: str, other: str) -> bool:
    """Whether two answers say the same: the words of one are among the other's, small ones left out.

    >>> same("In Lisbon.", "Lisbon"), same("Lisbon", "Porto"), same("6 March", "on the 6th of March")
    (True, False, False)
    """
    left, right = set(_words(one)), set(_words(other))
    return bool(left and right) and (left <= right or right <= left)


def _words(text: str) -> list[str]:
    words = normalised_answer(text).split()
    return [word for word in words if word not in _SMALL] or words


def _surest(readings: Iterable[Generation]) -> float:
    """The highest probability of an answer among the `readings`; 0 for none."""
    return max((math.exp(said.logprob) for said in readings if said.logprob <= 0), default=0.0)
