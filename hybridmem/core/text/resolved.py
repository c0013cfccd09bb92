"""A text with dates in the place of "yesterday" and "next Friday", so that it means the same on another day.

>>> resolved("I moved to Porto yesterday.", date(2026, 5, 4)), resolved("My exam is next Friday.", date(2026, 5, 4))
('I moved to Porto on 2026-05-03.', 'My exam is on 2026-05-08.')
>>> resolved("We met two weeks before the trip. The trip was on 20 June 2026.", date(2026, 7, 1))
'We met in the week of 2026-06-01. The trip was on 20 June 2026.'
"""

from __future__ import annotations

import re
from datetime import date

from hybridmem.core.text.languages import language
from hybridmem.core.text.periods import MONTH_NAMES, TimePhrase, beside_event, time_phrases

_PREPOSITION = re.compile(
    r"\b(on|by|until|till|since|from|to|of|for|before|after|at|in|during|through|between|around|over|within|than)\s+$",
    re.IGNORECASE,
)
_PART_OF_DAY = re.compile(r"\b(morning|afternoon|evening|night|tonight)\b", re.IGNORECASE)
_RECURRING = re.compile(r"\b(?:every|each|most|all|alternate|per|any|some|a)\s+$", re.IGNORECASE)
_PLURAL = re.compile(r"\s+(?:nights|mornings|evenings|afternoons)\b", re.IGNORECASE)
_QUOTES = "'\"“”‘’«»„"
_POSSESSIVE = re.compile(r"['’]s?\b")

LONGEST_FOREIGN = 2_000
"""Characters of a text in another language than English that are read for dates: dateparser takes a second for ten
thousand, and a night reads long texts in pieces that are shorter."""

NEAR = 80
"""Characters before a phrase that decide how it is written."""


def phrases(text: str, said_on: date) -> list[TimePhrase]:
    """The phrases of `text` that name a time, in English or in another language that is known by its words."""
    spoken = language(text)
    if spoken == "en":
        return time_phrases(text, said_on)
    from hybridmem.core.text.foreign_dates import foreign_phrases

    return foreign_phrases(text[:LONGEST_FOREIGN], said_on, spoken)


def resolved(text: str, said_on: date) -> str:
    """`text`, said on that day, with a date for each phrase that means another time on another day.

    A month or a day without its year stays as it is: many of them come again every year."""
    spoken = language(text)
    found = phrases(text, said_on)
    written = _Writer(spoken)
    if spoken == "en":
        found += beside_event(text, found)
    for phrase in sorted(found, key=lambda phrase: -phrase.start):
        if is_deictic(phrase, text):
            text = text[: phrase.start] + written(phrase, text) + text[phrase.end :]
    return text


def value_resolved(value: str, said_on: date) -> str:
    """`value`, the answer to a question, as `resolved` writes it in a sentence.

    >>> value_resolved("next Friday", date(2026, 5, 4)), value_resolved("Porto", date(2026, 5, 4))
    ('2026-05-08', 'Porto')
    """
    written = resolved(value, said_on)
    return value if written == value else re.sub(r"^(?:on|in|around) ", "", written, flags=re.IGNORECASE)


def is_deictic(phrase: TimePhrase, text: str) -> bool:
    """Whether `phrase` of `text` means another time on another day, so that a date has to take its place."""
    if not phrase.is_relative or _RECURRING.search(_before(phrase, text)) or _PLURAL.match(text, phrase.end):
        return False
    if _is_name(phrase, text):
        return False
    words = phrase.words.casefold().split()
    if phrase.grain == "day" and words[0] not in ("last", "this", "next", "the") and any(w.isdigit() for w in words):
        # "7 July"; "3 days ago" has a word that looks from today.
        return words[-1] in ("ago", "back", "now", "today", "days", "day")
    return not (len(words) == 1 and MONTH_NAMES.fullmatch(words[0]))


def _before(phrase: TimePhrase, text: str) -> str:
    """What stands right before `phrase`: a text may have thousands, and is not to be read anew for each."""
    return text[max(0, phrase.start - NEAR) : phrase.start]


def _is_name(phrase: TimePhrase, text: str) -> bool:
    """Whether a phrase is what something is called: 'Yesterday', The Day After Tomorrow, Yesterday's Bar."""
    before, following = _before(phrase, text), text[phrase.end : phrase.end + 1]
    if before[-1:] in _QUOTES and following in _QUOTES and before and following:
        return True
    words = phrase.words.split()
    if len(words) > 2 and all(word[0].isupper() for word in words):
        return True
    inside = before.strip() and not re.search(r"[.!?:\n\"“(]\s*$", before)
    return bool(inside) and words[0] in ("Yesterday", "Today", "Tonight", "Tomorrow")


class _Writer:
    """Writes a period in the place of a phrase."""

    def __init__(self, spoken: str) -> None:
        self._english = spoken == "en"

    def __call__(self, phrase: TimePhrase, text: str) -> str:
        if not self._english:
            return _iso(phrase)
        date_words = _in_words(phrase)
        if _POSSESSIVE.match(text, phrase.end):
            return date_words
        before = _before(phrase, text)
        if _PREPOSITION.search(before):
            return date_words
        preposition = "around" if phrase.is_vague else "on" if phrase.grain in ("day", "weekend") else "in"
        written = f"{preposition} {date_words}"
        at_start = not before.strip() or re.search(r"[.!?]\s+$", before)
        return written[0].upper() + written[1:] if at_start else written


def _in_words(phrase: TimePhrase) -> str:
    period = phrase.period
    if phrase.is_stretch:
        return f"the time from {period.first} to {period.last}"
    if phrase.grain == "day":
        part = _PART_OF_DAY.search(phrase.words)
        if part is None:
            return str(period.first)
        return f"the {'evening' if part[1].casefold() == 'tonight' else part[1].casefold()} of {period.first}"
    if phrase.grain == "week":
        return f"the week of {period.first}"
    if phrase.grain == "weekend":
        return f"the weekend of {period.first}"
    if phrase.grain == "month":
        return f"{period.first:%B} {period.first.year:04}"
    if phrase.grain == "season":
        return f"{phrase.words.split()[-1].casefold()} {period.first.year}"
    return f"{period.first.year:04}"


def _iso(phrase: TimePhrase) -> str:
    """A period as ISO 8601 writes it, which every language reads."""
    first: date = phrase.period.first
    if phrase.grain == "week":
        year, week, _ = first.isocalendar()
        return f"{year:04}-W{week:02}"
    if phrase.grain == "month":
        return f"{first:%Y-%m}"
    return f"{first:%Y}" if phrase.grain == "year" else str(first)
