"""The dates of a proposition, held to what its message says of time.

A small reader does no arithmetic with calendars: it writes a day, or a year, that nobody said. What was said is put in
its place ("on Saturday", "31 March"); `hybridmem.core.text.resolved` works out the day where that is certain.
"""

from __future__ import annotations

import re
from datetime import date

from hybridmem.core.text.dates import MONTHS, WEEKDAYS, dates, speaks_of_time
from hybridmem.core.text.resolved import is_deictic, phrases
from hybridmem.dreaming.reading.source import Source
from hybridmem.dreaming.reading.support import closest_sentences

_MONTH = "|".join(name.capitalize() for name in MONTHS)
_WEEKDAY = "|".join(name.capitalize() for name in WEEKDAYS)
_YEAR = r"(?:19|20)\d\d"
_DAY = re.compile(
    rf"(?P<before>\s*\b(?:on|by|until|since|from|for|to)\s+)?(?:the\s+)?(?:(?P<weekday>{_WEEKDAY}),?\s+)?(?:the\s+)?"
    rf"\b(?P<date>{_YEAR}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH}),? {_YEAR}"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR})\b(?:,? {_YEAR}\b)?"
)
_MONTH_OF_YEAR = re.compile(
    rf"(?P<before>\s*\b(?:in|by|until|since|from)\s+)?\b(?P<month>{_MONTH}),? (?P<year>{_YEAR})\b"
)


def as_said(proposition: str, source: Source) -> str:
    """`proposition` with what its message says of time in the place of days and years that it does not give.

    A day is kept that the message, or a turn before it, names or counts to ("tomorrow"), and so is the day on which it
    was said, where the sentence says nothing else of time.
    """
    told = " ".join((source.text, *source.before))
    said_on = source.episode.at.date()
    counted = [phrase.period for phrase in phrases(told, said_on) if is_deictic(phrase, told)]
    known = {*dates(told), *(period.first for period in counted if period.days == 1)}
    if not any(map(speaks_of_time, closest_sentences(proposition, source.text))):
        known.add(said_on)
    months = {(period.first.year, period.first.month) for period in counted}

    def day(match: re.Match[str]) -> str:
        found = next(iter(dates(match["date"])), None)
        if found is None or found in known:
            return match[0]
        as_told = _day_as_told(told, found) or (match["weekday"] if _says(told, match["weekday"]) else None)
        return f"{match['before'] or ''}{as_told}" if as_told else ""

    def month(match: re.Match[str]) -> str:
        year, number = int(match["year"]), MONTHS.index(match["month"].casefold()) + 1
        if match["year"] in told or (year, number) in months or any((d.year, d.month) == (year, number) for d in known):
            return match[0]
        return f"{match['before'] or ''}{match['month']}" if _says(told, match["month"]) else ""

    return re.sub(r"\s+([.,;])", r"\1", _MONTH_OF_YEAR.sub(month, _DAY.sub(day, proposition))).strip()


def _day_as_told(told: str, day: date) -> str | None:
    """The words of `told` for a day of that month without its year, or for that number of a day."""
    name = MONTHS[day.month - 1]
    written = rf"{name[:3]}(?:{name[3:]})?\.?"
    number = rf"0?{day.day}(?:st|nd|rd|th)?"
    found = re.search(rf"\b{number}(?: of)? {written}\b|\b{written} {number}\b", told, re.IGNORECASE)
    found = found or re.search(rf"\bthe {day.day}(?:st|nd|rd|th)\b", told, re.IGNORECASE)
    return found[0] if found else None


def _says(told: str, name: str | None) -> bool:
    """Whether `told` has that month or weekday, or its first three letters."""
    return bool(name) and re.search(rf"\b{name[:3]}(?:{name[3:]})?\b", told, re.IGNORECASE) is not None  # type: ignore[index]
