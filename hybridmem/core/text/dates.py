"""Calendar dates in a text, and whether words such as "Thursday" or "the 17th" mean one.

>>> sorted(dates("From 2026-03-17 to 8 February 2026 and March 3rd, 2025."))
[datetime.date(2025, 3, 3), datetime.date(2026, 2, 8), datetime.date(2026, 3, 17)]
"""

from __future__ import annotations

import re
from datetime import date, timedelta

MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\.?,? (\d{{4}})\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.IGNORECASE)
_RELATIVE = re.compile(
    rf"\b(?:today|tonight|tomorrow|yesterday|tmrw|morning|evening|afternoon|noon|night|week\w*|month\w*|year\w*|next|last"
    rf"|ago|now|day|days|{'|'.join(f'{day[:3]}(?:{day[3:]})?s?' for day in WEEKDAYS)}|{_MONTH})\b",
    re.IGNORECASE,
)
_OFFSETS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "this morning": 0, "this evening": 0}
_NUMBER = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")


def dates(text: str) -> frozenset[date]:
    """The whole dates (day, month and year) that `text` names."""
    found = {_date(y, m, d) for y, m, d in _ISO.findall(text)}
    found |= {_date(y, _month(m), d) for d, m, y in _DAY_FIRST.findall(text)}
    found |= {_date(y, _month(m), d) for m, d, y in _MONTH_FIRST.findall(text)}
    return frozenset(each for each in found if each is not None)


def without_dates(text: str) -> str:
    """`text` without the dates that `dates` finds."""
    for pattern in (_ISO, _DAY_FIRST, _MONTH_FIRST):
        text = pattern.sub(" ", text)
    return text


def speaks_of_time(text: str) -> bool:
    """Whether `text` has a word from which a date may be told: a weekday, a month, "tomorrow", "next week"."""
    return _RELATIVE.search(text) is not None


def may_mean(words: str, day: date, said_on: date) -> bool:
    """Whether `words`, said on a day, may mean `day`: by its number, its weekday, or its distance.

    >>> may_mean("Thursday the 17th", date(2026, 9, 17), date(2026, 9, 8))
    True
    >>> may_mean("tomorrow", date(2026, 9, 9), date(2026, 9, 8)), may_mean("Friday", date(2026, 9, 9), date(2026, 9, 8))
    (True, False)
    """
    folded = words.casefold()
    if day in dates(words):
        return True
    if dates(words):
        return False
    if any(phrase in folded and said_on + timedelta(days=offset) == day for phrase, offset in _OFFSETS.items()):
        return True
    numbers = [int(number) for number in _NUMBER.findall(folded)]
    months = [MONTHS.index(name) + 1 for name in MONTHS if re.search(rf"\b{name[:3]}(?:{name[3:]})?\b", folded)]
    if months and day.month not in months:
        return False
    if numbers:
        return day.day in numbers
    return re.search(rf"\b{WEEKDAYS[day.weekday()][:3]}", folded) is not None


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.casefold()[:3]))


def _date(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
