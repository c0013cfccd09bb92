"""Whether two answers to one question are the same: in other words, with a preposition, or as a date and its day."""

from __future__ import annotations

from datetime import date

from hybridmem.core.text.dates import dates, may_mean
from hybridmem.core.text.moods import is_negated
from hybridmem.core.text.tokens import contains_words, normalised, tokens
from hybridmem.metrics import is_correct
from hybridmem.models import prompts

_MORE_WORDS = 3
"""Words that the longer of two equal answers may have beside those of the shorter one."""


def agrees(one: str, other: str, said_on: date) -> bool:
    """Whether the answers `one` and `other`, read from what was said on that day, mean the same.

    >>> agrees("Thursday the 17th", "2026-09-17", date(2026, 9, 8)), agrees("Dr. Belkacem", "Belkacem", date.min)
    (True, True)
    >>> agrees("Riga", "Oslo", date.min), agrees("not in Riga", "Riga", date.min)
    (False, False)
    """
    if is_correct(one, other) or is_correct(other, one):
        return True
    if is_negated(one) != is_negated(other):
        return False
    for first, second in ((one, other), (other, one)):
        named = dates(second)
        if named:
            return any(may_mean(first, day, said_on) for day in named)
    shorter, longer = sorted((normalised(one), normalised(other)), key=len)
    more = len(tokens(longer)) - len(tokens(shorter))
    return contains_words(longer, shorter) and more <= _MORE_WORDS and not _adds_number(shorter, longer)


def answers(said: str, expected: str, said_on: date) -> bool:
    """Whether `said` is no refusal and means what was `expected`."""
    return not prompts.is_refusal(said) and agrees(said, expected, said_on)


def _adds_number(shorter: str, longer: str) -> bool:
    return {word for word in tokens(longer) if word.isdigit()} > {word for word in tokens(shorter) if word.isdigit()}
