"""The times that an English text names, as periods of whole days seen from the day on which it was said.

>>> [str(phrase.period) for phrase in time_phrases("I left yesterday and come back next Friday.", date(2026, 5, 4))]
['2026-05-03', '2026-05-08']
>>> str(time_phrases("It was in March, the week before the fair.", date(2026, 5, 4))[0].period)
'2026-03-01 to 2026-03-31'

A library for points in time (dateparser reads other languages, see `foreign_dates`) gives "last week" as one moment;
what is remembered of a week, and asked about it, needs its first day and its last.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from hybridmem.core.text.dates import MONTHS, WEEKDAYS

Grain = Literal["day", "weekend", "week", "month", "season", "year"]


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends among them; `date.min` and `date.max` stand for an open end."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def shared(self, other: Period) -> int:
        """How many days the two have in common."""
        return max(0, (min(self.last, other.last) - max(self.first, other.first)).days + 1)


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """Words of a text that name a time."""

    words: str
    start: int
    end: int
    """Where they stand in the text."""
    period: Period
    grain: Grain
    is_relative: bool
    """Whether they mean another time on another day."""
    is_vague: bool = False
    """Whether they only come close, as "a few days ago" does."""
    is_stretch: bool = False
    """Whether all of the period is meant, as by "the last three weeks", and not some time in it."""


_NUMBERS = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)  # noqa: SIM905
} | {"a": 1, "an": 1, "couple": 2}
_VAGUE = {"few": 3, "several": 4}
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month in which each begins, in the meteorological reckoning of the northern half of the earth."""
_PAST, _FUTURE = {"last", "past", "previous"}, {"next", "coming", "following"}

_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS).replace("sep(", "sept?(")
_DAYNAME = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in WEEKDAYS) + "|tues|thurs?"
_WHOLE_DAYNAME = "|".join(WEEKDAYS)
_SEASON = "|".join(_SEASONS)
_YEAR = r"(?:19|20)\d\d"
_COUNT = rf"(?:\d{{1,3}}|(?:a )?(?:few|couple)(?: of)?|several|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNIT = r"(?:days?|nights?|weekends?|weeks?|fortnights?|months?|years?)"
_DATE = (
    rf"(?:(?P<iso>{_YEAR}-\d\d-\d\d)"
    rf"|(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ?(?P<m1>{_MONTH})\b\.?,? ?(?P<y1>{_YEAR})"
    rf"|(?P<m2>{_MONTH})\b\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? ?(?P<y2>{_YEAR}))\b"
)
_PREPOSITIONS = "in since until till by during of from before after around early mid late through between and to"
_PREPOSITION = f"(?:{_PREPOSITIONS.replace(' ', '|')})"
_IS_AHEAD = re.compile(
    r"\b(?:will|won't|going to|gonna|plan\w*|is|are|am|be|due|next|upcoming|tomorrow|soon|hope|booked|scheduled)\b"
    r"|\w['’](?:ll|s|re|m)\b",
    re.IGNORECASE,
)
_IS_BEHIND = re.compile(
    r"\b(?:was|were|did|didn't|had|has|have|went|got|came|saw|made|took|met|left|told|said|won|lost|bought|began|ran"
    r"|found|gave|felt|became|last|ago|yesterday|\w{2,}ed)\b",
    re.IGNORECASE,
)
_MOVED = re.compile(
    r"\b(?:moved?|moving|push(?:ed)?|shift(?:ed)?|postponed?|rescheduled?|changed?|delayed|deferred|slipped"
    r"|put (?:off|back)|brought forward)\b[^.;]*\b(?:from|to|for|until|till)\s*$",
    re.IGNORECASE,
)
"""What stands before the old or the new day of something that was moved: both lay ahead."""
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_NEAR = 300
"""Characters on each side of a phrase in which its tense is looked for."""
_WORD = re.compile(r"\w+")
_MODIFIERS = frozenset("last past previous this current next coming".split())  # noqa: SIM905
_NAMES = frozenset({*MONTHS, *WEEKDAYS, *(name[:3] for name in (*MONTHS, *WEEKDAYS)), "sept", "tues", "thur", "thurs"})
_HINTS = _NAMES | frozenset(
    """
    yesterday today tonight tomorrow tmrw ago back last past previous next coming following this night day days week
    weeks weekend weekends fortnight fortnights month months year years spring summer autumn fall winter
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
"""A sentence with none of these words, and without a number, names no time."""
_STARTS = (
    _NAMES
    | _MODIFIERS
    | {*_PREPOSITIONS.split(), *_NUMBERS, *_VAGUE, *_SEASONS}
    | frozenset(
        """
        the these on for yesterday today tonight tomorrow tmrw day days night nights weekend weekends week weeks
        fortnight fortnights half month months year years
        """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
    )
)
"""The words with which a phrase begins, beside numbers."""


def time_phrases(text: str, said_on: date) -> list[TimePhrase]:
    """The phrases of `text` that name a time, in order; none lies in another."""
    found: list[TimePhrase] = []
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        sentence = text[start:end]
        found += (phrase for phrase in _phrases(sentence, start, said_on))
        start = end
    return found


def beside_event(text: str, phrases: Sequence[TimePhrase]) -> list[TimePhrase]:
    """Phrases such as "two weeks before the trip", where another sentence of `text` names one day of that event;
    `phrases` are those that are known, and none of these lies in one of them."""
    found = []
    for match in _BESIDE_EVENT.finditer(text):
        if any(phrase.start < match.end() and match.start() < phrase.end for phrase in phrases):
            continue
        days = {
            phrase.period.first
            for phrase in phrases
            if phrase.grain == "day" and re.search(rf"\b{re.escape(match['event'])}\b", _around_phrase(text, phrase))
        }
        if len(days) == 1:
            (day,) = days
            count, vague = _count_of(match["many"].casefold())
            unit = _unit_of(match["many"].casefold())
            moved = _moved(day, unit, -count if match["side"].casefold() == "before" else count)
            found.append(TimePhrase(match.group(), match.start(), match.end(), around(moved, unit), unit, True, vague))
    return found


def _around_phrase(text: str, phrase: TimePhrase) -> str:
    """The sentence that `phrase` stands in."""
    begin = max((end.end() for end in _SENTENCE_END.finditer(text, 0, phrase.start)), default=0)
    after = _SENTENCE_END.search(text, phrase.end)
    return text[begin : after.start() if after else len(text)]


def _phrases(sentence: str, offset: int, said_on: date) -> Iterator[TimePhrase]:
    words = [(word.group().casefold(), word.start()) for word in _WORD.finditer(sentence)]
    # Tried at the few words with which a phrase begins, where a word of time follows: a search that takes text as it
    # comes spends a millisecond on a page.
    if _HINTS.isdisjoint(word for word, _ in words) and not any(word[0].isdigit() for word, _ in words):
        return
    reached = 0
    for word, at in words:
        if at < reached or not (word in _STARTS or word[0].isdigit()):
            continue
        match = _PHRASE.match(sentence, at)
        if match is not None:
            reached = match.end()
            phrase = _read(match, offset, said_on)
            if phrase is not None:
                yield phrase


def tells_when(text: str) -> bool:
    """Whether `text` says when something was or will be, or how long it took.

    >>> tells_when("We met two weeks ago."), tells_when("I've had it for three years."), tells_when("We may march on.")
    (True, True, False)
    >>> tells_when("It slipped: it's the 21st now."), tells_when("They live on the 3rd floor.")
    (True, False)
    """
    return _TELLS_ROUGHLY.search(text) is not None or bool(time_phrases(text, _ANY_DAY))


_ANY_DAY = date(2024, 6, 15)
_TELLS_ROUGHLY = re.compile(
    rf"\b(?:recently|lately|the other day|since (?:then|last)|(?:for|under|over|about|around|almost|nearly|after|within"
    rf"|took|takes)(?: me| us| about| almost| just| over)* {_COUNT} {_UNIT}"
    rf"|on the \d{{1,2}}(?:st|nd|rd|th)(?! (?:floor|street|avenue|grade|century|place)\b)"
    rf"|the \d{{1,2}}(?:st|nd|rd|th) (?:now|instead|not|then|already|at|or)"
    rf"|{_COUNT} {_UNIT} (?:now|later|earlier|old))\b|\bthe \d{{1,2}}(?:st|nd|rd|th)(?=[.,;:!?)]|$)",
    re.IGNORECASE,
)


def asks_when(question: str) -> bool:
    """Whether `question` asks for a time.

    >>> asks_when("When did Ana move?"), asks_when("Which day is the exam?"), asks_when("Where does Ana live?")
    (True, True, False)
    """
    return _ASKS_WHEN.search(question) is not None


_ASKS_WHEN = re.compile(
    r"\bwhen\b|\b(?:wann|quand|cuándo|quando|wanneer|kiedy|när|ne zaman|когда|коли|πότε|متى|कब)\b"
    r"|什么时候|什麼時候|何时|何時|いつ|언제|เมื่อไหร่|เมื่อไร"
    r"|\b(?:what|which)(?: \w+)? (?:day|date|weekday|week|weekend|month|year|season|time)\b"
    r"|\b(?:what|which) (?:day|date|weekday|week|weekend|month|year|season|time)\b|\bhow (?:long|recently)\b",
    re.IGNORECASE,
)


def period_asked(question: str, asked_on: date, read: Sequence[TimePhrase] | None = None) -> Period | None:
    """The time that `question` is about, seen from the day on which it is asked; None where it names none. `read`: its
    phrases, where they are known.

    >>> str(period_asked("What did I do before the move in 2023?", date(2026, 5, 4)))
    '0001-01-01 to 2023-12-31'
    >>> str(period_asked("What happened last week?", date(2026, 5, 4)))
    '2026-04-27 to 2026-05-03'
    """
    phrases = time_phrases(question, asked_on) if read is None else read
    yearless = len(phrases) > 1 and re.search(rf"\b(?:{_MONTH})\b", phrases[0].words, re.IGNORECASE)
    if yearless and not phrases[-1].is_relative and _RANGE.search(question):
        # "between August 11 and August 15, 2023": both are of that year.
        ends = time_phrases(question, phrases[-1].period.last)
        return Period(ends[0].period.first, ends[-1].period.last)
    # "last Friday, as you said on 23 January 2022" was last Friday then.
    fixed = [phrase for phrase in phrases if not phrase.is_relative] or phrases
    if not fixed:
        return None
    first, last = fixed[0].period, fixed[-1].period
    bound = _BOUND.search(question[: fixed[0].start])
    word = bound[1].casefold() if bound else ""
    if word in ("before", "until", "till", "by"):
        directly = bound is not None and not bound[2].strip() and word == "before"
        return Period(date.min, first.first - timedelta(days=1) if directly else first.last)
    if word in ("after", "since"):
        directly = bound is not None and not bound[2].strip() and word == "after"
        return Period(first.last + timedelta(days=1) if directly else first.first, date.max)
    return Period(min(first.first, last.first), max(first.last, last.last))


_RANGE = re.compile(r"\bbetween\b.*\band\b|\bfrom\b.*\b(?:to|until|till)\b", re.IGNORECASE)
_BOUND = re.compile(r"\b(before|until|till|by|after|since)\b((?: (?!and\b|or\b)\w+){0,5} ?)$", re.IGNORECASE)


def _read(match: re.Match[str], offset: int, said_on: date) -> TimePhrase | None:
    """The phrase that `match` is, in a sentence that begins at `offset`; None where it is no time, as 31 February."""
    kind = match.lastgroup
    words, start = match.group(), match.start()
    if kind == "month_after" or kind == "year_after":
        # The preposition is no part of the phrase: it stays where the phrase is replaced.
        words = words.split(maxsplit=1)[1]
        start = match.end() - len(words)
    try:
        read = _READERS[str(kind)](_Words(words, said_on, match.string, match.start(), match.end()))
    except (ValueError, OverflowError):
        return None
    if read is None:
        return None
    period, grain, relative, vague = read
    part = _PART.search(match.string[:start]) if grain in ("month", "season", "year") else None
    if part is not None:
        period = _part_of(period, part.lastgroup or "")
    stretch = kind == "counted_last"
    return TimePhrase(words, offset + start, offset + match.end(), period, grain, relative, vague, stretch)


_PART = re.compile(
    r"\b(?:(?P<first>early(?: in)?|(?:beginning|start) of)|(?P<middle>mid|middle of)|(?P<last>late(?: in)?|end of)"
    r"|(?P<half>first half of)|(?P<other_half>second half of))[ -](?:the )?$",
    re.IGNORECASE,
)


def _part_of(period: Period, which: str) -> Period:
    """The first, middle or last third of a month, a season or a year, or one half of it."""
    third, half = timedelta(days=period.days // 3), timedelta(days=period.days // 2)
    day = timedelta(days=1)
    return {
        "first": Period(period.first, period.first + third - day),
        "middle": Period(period.first + third, period.last - third),
        "last": Period(period.last - third + day, period.last),
        "half": Period(period.first, period.first + half - day),
        "other_half": Period(period.first + half, period.last),
    }[which]


@dataclass(frozen=True, slots=True)
class _Words:
    """A phrase with what is needed to understand it."""

    text: str
    said_on: date
    sentence: str
    start: int
    end: int

    @property
    def direction(self) -> int:
        """1 where the sentence speaks of what is ahead, -1 of what is behind, 0 where it does not say."""
        before = self.sentence[max(0, self.start - _NEAR) : self.start]
        if _MOVED.search(before):
            return 1
        rest = f"{before} {self.sentence[self.end : self.end + _NEAR]}"
        if _IS_BEHIND.search(rest):
            return -1
        return 1 if _IS_AHEAD.search(rest) else 0


_Meaning = tuple[Period, Grain, bool, bool] | None
"""Period, grain, whether it is relative, whether it is vague."""


def _fixed(given: _Words) -> _Meaning:
    day = _whole_date(re.search(_DATE, given.text, re.IGNORECASE))
    return _days(day), "day", False, False


def _anchored(given: _Words) -> _Meaning:
    """The week before 7 July 2023; two weeks after 2026-05-04; the Friday before 22 October 2023."""
    found = re.search(_DATE, given.text, re.IGNORECASE)
    day = _whole_date(found)
    head = given.text[: found.start()].casefold() if found else ""
    back = "before" in head or "preceding" in head or "prior" in head
    name = re.search(rf"\b({_DAYNAME})\b", head)
    if name:
        return _days(_weekday_from(day, _weekday(name[1]), -1 if back else 1)), "day", False, False
    unit, count = _unit_of(head), _count_of(head)[0]
    if re.search(r"\bof\b", head):
        return around(day, unit), unit, False, False
    moved = _moved(day, unit, -count if back else count)
    if unit in ("day",):
        return _days(moved), "day", False, False
    if re.search(rf"{_COUNT} {_UNIT}", head) and not re.match(r"the (?:week|month|year)\b", head):
        return around(moved, unit), unit, False, False
    step = timedelta(days=1)
    if unit == "weekend":
        return around(moved, unit), unit, False, False
    return (Period(moved, day - step) if back else Period(day + step, moved)), unit, False, False


def _day_of_year(given: _Words) -> _Meaning:
    """7 July; the year is the nearest that the sentence's tense allows."""
    words = given.text.casefold()
    month = _month(re.search(rf"\b({_MONTH})\b", words))
    number = int(_found(re.search(r"\d{1,2}", words)))
    return _days(_nearest(given, lambda year: date(year, month, number))), "day", True, False


def _month_of_year(given: _Words) -> _Meaning:
    words = given.text.casefold()
    year = int(_found(re.search(_YEAR, words)))
    season = re.search(rf"\b({_SEASON})\b", words)
    if season:
        return _season(year, season[1]), "season", False, False
    return _month_period(year, _month(re.search(rf"\b({_MONTH})\b", words))), "month", False, False


def _year(given: _Words) -> _Meaning:
    year = int(_found(re.search(_YEAR, given.text)))
    return Period(date(year, 1, 1), date(year, 12, 31)), "year", False, False


def _month_alone(given: _Words) -> _Meaning:
    month = _month(re.search(rf"\b({_MONTH})\b", given.text.casefold()))
    first = _nearest(given, lambda year: date(year, month, 1))
    return _month_period(first.year, month), "month", True, False


def _near_day(given: _Words) -> _Meaning:
    words = given.text.casefold()
    offset = next(
        days
        for start, days in (
            ("the day before yesterday", -2),
            ("day before yesterday", -2),
            ("the day after tomorrow", 2),
            ("day after tomorrow", 2),
            ("yesterday", -1),
            ("last night", -1),
            ("tomorrow", 1),
            ("tmrw", 1),
            ("", 0),
        )
        if words.startswith(start)
    )
    return _days(given.said_on + timedelta(days=offset)), "day", True, False


def _ago(given: _Words) -> _Meaning:
    words = given.text.casefold()
    count, vague = _count_of(words)
    unit = _unit_of(words)
    back = not re.search(r"from (?:now|today)|^in\b|later$", words)
    if words.startswith("in ") and given.direction < 1:
        # "I read it in two days" is no date.
        return None
    day = _moved(given.said_on, unit, -count if back else count)
    return around(day, unit) if unit != "day" else _days(day), unit, True, vague


def _halves(given: _Words) -> _Meaning:
    """Half a year ago; in a year and a half: in about that month."""
    words = given.text.casefold()
    ahead = re.search(r"from (?:now|today)|^in\b|later$", words)
    if words.startswith("in ") and given.direction < 1:
        return None
    months = 6 if "half a year" in words else 12 * _count_of(words.replace("and a half", ""))[0] + 6
    return around(_moved(given.said_on, "month", months if ahead else -months), "month"), "month", True, True


def _counted_last(given: _Words) -> _Meaning:
    """The last three weeks: a stretch that ends with the day on which it is said."""
    words = given.text.casefold()
    count, vague = _count_of(words)
    unit = _unit_of(words)
    if re.search(r"\b(?:next|coming)\b", words):
        return Period(given.said_on, _moved(given.said_on, unit, count)), unit, True, vague
    return Period(_moved(given.said_on, unit, -count), given.said_on), unit, True, vague


def _next_or_last(given: _Words) -> _Meaning:
    words = given.text.casefold().split()
    what = words[-1].rstrip(".")
    step = -1 if _PAST & set(words) else 1 if _FUTURE & set(words) else 0
    day = given.said_on
    if what in _SEASONS:
        return _season_near(given, what, step), "season", True, False
    if re.fullmatch(_DAYNAME, what):
        return _days(_weekday_from(day, _weekday(what), step) if step else _this_weekday(day, what)), "day", True, False
    if re.fullmatch(_MONTH, what):
        month = _month(re.search(rf"({_MONTH})", what))
        return _month_period(_year_of_month(day, month, step), month), "month", True, False
    unit = _unit_of(what)
    if unit == "day":
        return _days(day + timedelta(days=step)), "day", True, False
    return around(_moved(day, unit, step), unit), unit, True, False


def _before_last(given: _Words) -> _Meaning:
    """The Friday before last; the week after next."""
    words = given.text.casefold().removeprefix("the ").split()
    step = -1 if words[-1] == "last" else 1
    day = given.said_on
    if re.fullmatch(_DAYNAME, words[0]):
        return _days(_weekday_from(day, _weekday(words[0]), step) + timedelta(weeks=step)), "day", True, False
    if words[0] in ("day", "night"):
        return _days(day + timedelta(days=2 * step)), "day", True, False
    unit = _unit_of(words[0])
    return around(_moved(day, unit, 2 * step), unit), unit, True, False


def _weekday_and_weeks(given: _Words) -> _Meaning:
    """Friday week; a week from tomorrow; two Fridays ago."""
    words = given.text.casefold()
    name = re.search(rf"\b({_DAYNAME})s?\b", words)
    count = _count_of(re.sub(rf"\b(?:{_DAYNAME})s?\b", "", words))[0]
    if words.endswith(("ago", "back")):
        first = _weekday_from(given.said_on, _weekday(name[1]), -1) if name else given.said_on
        return _days(first - timedelta(weeks=count - 1)), "day", True, False
    first = (
        _weekday_from(given.said_on, _weekday(name[1]), 1)
        if name
        else given.said_on + timedelta(days="tomorrow" in words)
    )
    return _days(first + timedelta(weeks=count)), "day", True, False


def _weekday_alone(given: _Words) -> _Meaning:
    name = _found(re.search(rf"\b({_DAYNAME})\b", given.text.casefold()))
    if not given.direction:
        return None
    return _days(_weekday_from(given.said_on, _weekday(name), given.direction)), "day", True, False


def _day_of_month(given: _Words) -> _Meaning:
    """On the 15th: the last one or the next, where the sentence says which."""
    number = int(_found(re.search(r"\d{1,2}", given.text)))
    if not given.direction or number > 31:
        return None
    day = given.said_on
    # A month may lack the day; none of two that follow each other lacks the 30th or 31st but once.
    months = (_moved(day.replace(day=1), "month", given.direction * step) for step in range(3))
    days = (first.replace(day=number) for first in months if number <= calendar.monthrange(first.year, first.month)[1])
    return _days(next(each for each in days if (each - day).days * given.direction >= 0)), "day", True, False


_PATTERNS: tuple[tuple[str, str, Callable[[_Words], _Meaning]], ...] = (
    (
        "anchored",
        rf"(?:(?:the )?(?:{_COUNT} )?(?:{_UNIT}|{_DAYNAME}) (?:before|after|following|preceding|prior to|of)) "
        + re.sub(r"\?P<\w+>", "", _DATE),
        _anchored,
    ),
    ("fixed", "(?:the )?" + re.sub(r"\?P<\w+>", "", _DATE), _fixed),
    ("month_of_year", rf"(?:(?:{_MONTH})\b[.,]?|(?:{_SEASON})\b)(?: of)? ?{_YEAR}\b", _month_of_year),
    (
        "day_of_year",
        rf"(?:(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?)\b(?!:)",
        _day_of_year,
    ),
    (
        "before_last",
        rf"(?:the )?(?:(?:day|night|week|weekend|month|year|{_DAYNAME}) before last"
        rf"|(?:week|weekend|month|year|{_DAYNAME}) after next)",
        _before_last,
    ),
    (
        "weekday_and_weeks",
        rf"(?:{_WHOLE_DAYNAME}|tomorrow|today) week|{_COUNT} weeks? (?:on|from) (?:{_WHOLE_DAYNAME}|tomorrow|today)"
        rf"|{_COUNT} (?:{_WHOLE_DAYNAME})s? (?:ago|back)",
        _weekday_and_weeks,
    ),
    (
        "near_day",
        r"(?:the )?day before yesterday|(?:the )?day after tomorrow|yesterday(?: (?:morning|afternoon|evening|night))?"
        r"|last night|tomorrow(?: (?:morning|afternoon|evening|night))?|tmrw|today|tonight"
        r"|this (?:morning|afternoon|evening)",
        _near_day,
    ),
    (
        "halves",
        rf"(?:half a year|a year and a half|{_COUNT} and a half years) (?:ago|back|from now|from today|later)"
        r"|in half a year|in a year and a half",
        _halves,
    ),
    ("ago", rf"{_COUNT} {_UNIT} (?:ago|back|from now|from today)|in {_COUNT} {_UNIT}", _ago),
    ("counted_last", rf"(?:the |these )?(?:last|past|previous|next|coming) {_COUNT} {_UNIT}", _counted_last),
    (
        "next_or_last",
        rf"(?:the )?(?:this )?(?:last|past|previous|this|current|next|coming) "
        rf"(?:day|week|weekend|month|year|{_SEASON}|{_DAYNAME}|{_MONTH})",
        _next_or_last,
    ),
    ("weekday_alone", rf"(?:on )?(?:{_WHOLE_DAYNAME})|on (?:{_DAYNAME})", _weekday_alone),
    (
        "day_of_month",
        r"on the \d{1,2}(?:st|nd|rd|th)(?! (?:of|floor|street|avenue|grade|birthday|anniversary|century|place|time)\b)",
        _day_of_month,
    ),
    ("month_after", rf"{_PREPOSITION} (?:{_MONTH})\b(?!\.?,? ?\d)", _month_alone),
    ("year_after", rf"(?:{_PREPOSITION}|for|last|this) {_YEAR}", _year),
)
MONTH_NAMES = re.compile(_MONTH, re.IGNORECASE)
_BESIDE_EVENT = re.compile(
    rf"\b(?P<many>(?:the |{_COUNT} ){_UNIT}) (?P<side>before|after) (?:the|my|our|his|her|their) (?P<event>\w+)\b",
    re.IGNORECASE,
)
_READERS = {name: reader for name, _, reader in _PATTERNS}
_PHRASE = re.compile(
    r"(?<![\w-])(?:" + "|".join(f"(?P<{name}>{pattern})" for name, pattern, _ in _PATTERNS) + r")(?![\w-])",
    re.IGNORECASE,
)


def _found(match: re.Match[str] | None) -> str:
    if match is None:
        raise ValueError("the pattern that found the phrase found more than its reader knows")
    return match.group()


def _whole_date(match: re.Match[str] | None) -> date:
    if match is None:
        raise ValueError("no date")
    if match["iso"]:
        return date.fromisoformat(match["iso"])
    day, month, year = (match[a] or match[b] for a, b in (("d1", "d2"), ("m1", "m2"), ("y1", "y2")))
    return date(int(year), _month_number(month), int(day))


def _month(match: re.Match[str] | None) -> int:
    return _month_number(_found(match))


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.casefold()[:3]))


def _weekday(name: str) -> int:
    return next(number for number, day in enumerate(WEEKDAYS) if day.startswith(name.casefold()[:3]))


def _count_of(words: str) -> tuple[int, bool]:
    """The number in front of a unit, and whether it only comes close; 1 where there is none. A fortnight is two
    weeks."""
    if re.search(r"\bfortnights?\b", words):
        count, vague = _count_of(re.sub(r"\bfortnights?\b", "", words))
        return 2 * count, vague
    for word in re.findall(r"\w+", words):
        if word in _VAGUE:
            return _VAGUE[word], True
    for word in reversed(re.findall(r"\w+", words)):
        if word in _NUMBERS or (word.isdigit() and len(word) < 4):
            return _NUMBERS.get(word) or int(word), False
    return 1, False


def _unit_of(words: str) -> Grain:
    for unit in ("weekend", "fortnight", "week", "month", "year"):
        if unit in words:
            return "week" if unit == "fortnight" else unit  # type: ignore[return-value]
    return "day"


def _days(day: date) -> Period:
    return Period(day, day)


def around(day: date, grain: Grain) -> Period:
    """The week, weekend, month or year that `day` lies in; a weekend belongs to the week before it."""
    monday = day - timedelta(days=day.weekday())
    if grain == "week":
        return Period(monday, monday + timedelta(days=6))
    if grain == "weekend":
        return Period(monday + timedelta(days=5), monday + timedelta(days=6))
    if grain == "month":
        return _month_period(day.year, day.month)
    if grain == "year":
        return Period(date(day.year, 1, 1), date(day.year, 12, 31))
    return _days(day)


def _month_period(year: int, month: int) -> Period:
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _moved(day: date, unit: Grain, count: int) -> date:
    """`day` moved by `count` units; 29 February moves to 28 February where the year has none."""
    if unit in ("day", "week", "weekend"):
        return day + timedelta(days=count * (1 if unit == "day" else 7))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _weekday_from(day: date, weekday: int, step: int) -> date:
    """The next such weekday after `day`, or with a `step` of -1 the last one before it."""
    ahead = (weekday - day.weekday()) % 7 or 7
    return day + timedelta(days=ahead if step > 0 else ahead - 7 if ahead < 7 else -7)


def _this_weekday(day: date, name: str) -> date:
    return day + timedelta(days=_weekday(name) - day.weekday())


def _year_of_month(day: date, month: int, step: int) -> int:
    if step < 0:
        return day.year if month < day.month else day.year - 1
    if step > 0:
        return day.year if month > day.month else day.year + 1
    return day.year


def _nearest(given: _Words, at: Callable[[int], date]) -> date:
    """The date that `at` gives for a year: the first from now on where the sentence looks ahead, else the last one."""
    candidates = list(_of_years(given.said_on.year, at))
    if given.direction > 0:
        return min(day for day in candidates if day >= given.said_on)
    return max(day for day in candidates if day <= given.said_on)


def _of_years(around: int, at: Callable[[int], date]) -> Iterator[date]:
    # Eight years, for a 29 February.
    for year in range(max(1, around - 8), min(9999, around + 8) + 1):
        try:
            yield at(year)
        except ValueError:
            continue


def _season(year: int, name: str) -> Period:
    first = date(year, _SEASONS[name], 1)
    return Period(first, _moved(first, "month", 3) - timedelta(days=1))


def _season_near(given: _Words, name: str, step: int) -> Period:
    seasons = [_season(year, name) for year in range(given.said_on.year - 2, given.said_on.year + 3)]
    if step < 0:
        return max((each for each in seasons if each.last < given.said_on), key=lambda each: each.first)
    if step > 0:
        return min((each for each in seasons if each.first > given.said_on), key=lambda each: each.first)
    return min(seasons, key=lambda each: abs((each.first - given.said_on).days))
