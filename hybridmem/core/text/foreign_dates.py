"""The times that a text in another language than English names, by dateparser.

>>> [str(phrase.period) for phrase in foreign_phrases("Ich bin gestern umgezogen.", date(2026, 5, 4), "de")]
['2026-05-03']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from hybridmem.core.text.periods import Grain, TimePhrase, around

_LATER = timedelta(days=1000)
_WORD = re.compile(r"\w+")
_TWO_DAYS = re.compile(
    r"(?P<ahead>\bpasado mañana\b|\bdepois de amanhã\b|\bdopodomani\b|\bpojutrze\b|\bi övermorgon\b"
    r"|あさって|明後日|모레)"
    r"|(?P<behind>\bl['’]altro ?ieri\b|\bieri l['’]altro\b|\banteontem\b|\bi förrgår\b|おととい|一昨日|그저께)",
    re.IGNORECASE,
)
"""The day after tomorrow and the day before yesterday, of which dateparser knows a part of the words or none."""
_BEFORE = 3
"""Words before what dateparser's search found that may belong to it."""
_SHORTEST = 3
"""Letters of a phrase, at least, where a script has letters: dateparser takes "am" and "a" for times."""


def foreign_phrases(text: str, said_on: date, language: str) -> list[TimePhrase]:
    """The phrases of `text`, in the language of that code (ISO 639-1), that name a time, in order."""
    from dateparser.search import search_dates

    # Words of a text and no date of a document: nobody means the present hour by "3".
    found = search_dates(text, languages=[language], settings=_settings(said_on)) or []
    own = list(_two_days_away(text, said_on))
    placed = _placed(text, found, said_on, language)
    others = [each for each in placed if not any(each.start < one.end and one.start < each.end for one in own)]
    return sorted([*own, *others], key=lambda phrase: phrase.start)


def _two_days_away(text: str, said_on: date) -> Iterator[TimePhrase]:
    for match in _TWO_DAYS.finditer(text):
        day = said_on + timedelta(days=2 if match.lastgroup == "ahead" else -2)
        yield TimePhrase(match.group(), match.start(), match.end(), around(day, "day"), "day", True)


def _placed(text: str, found: list[tuple[str, Any]], said_on: date, language: str) -> Iterator[TimePhrase]:
    reached = 0
    for words, meant in found:
        start = text.find(words, reached)
        if start < 0:
            continue
        span = _span(text, start, start + len(words), meant.date(), said_on, language)
        reached = start + len(words)
        if span is None:
            continue
        whole = text[slice(*span)]
        day, grain = _parsed(whole, said_on, language) or (meant.date(), "day")
        later = _parsed(whole, said_on + _LATER, language)
        is_relative = later is not None and later[0] - day == _LATER
        if is_relative or any(char.isdigit() for char in whole):
            yield TimePhrase(whole, *span, around(day, grain), grain, is_relative)


def _span(text: str, start: int, end: int, meant: date, said_on: date, language: str) -> tuple[int, int] | None:
    """Where the words stand that mean the day: dateparser's search takes "ayer a" for yesterday, and of "il y a deux
    semaines" the end alone. It ends with the first word, and
    begins with the earliest, for which its parser reads that day. None for a single letter or a number."""
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    inside = [place for place, (first, last) in enumerate(words) if first < end and last > start]
    if not inside:
        return None
    spans = [
        (words[first][0], words[last][1])
        for first in range(max(0, inside[0] - _BEFORE), inside[-1] + 1)
        for last in range(max(first, inside[0]), inside[-1] + 1)
    ]
    # A script without spaces has the phrase within one word.
    for first, last in sorted({*spans, (start, end)}, key=lambda span: (span[1], span[0])):
        said = text[first:last]
        if said.isdecimal() or (said.isascii() and len(said) < _SHORTEST):
            continue
        parsed = _parsed(said, said_on, language)
        if parsed is not None and parsed[0] == meant:
            return first, last
    return None


def _parsed(words: str, said_on: date, language: str) -> tuple[date, Grain] | None:
    from dateparser.date import DateDataParser

    found = DateDataParser(languages=[language], settings=_settings(said_on)).get_date_data(words)
    if found is None or found.date_obj is None:
        return None
    grain: Grain = found.period if found.period in ("week", "month", "year") else "day"
    return found.date_obj.date(), grain


def _settings(said_on: date) -> dict[str, Any]:
    # Noon, so that hours back and forth stay on their day.
    return {"RELATIVE_BASE": datetime.combine(said_on, time(12)), "RETURN_AS_TIMEZONE_AWARE": False}
