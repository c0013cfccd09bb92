"""The times that a text names: what each phrase means, seen from the day on which it was said."""

from __future__ import annotations

from datetime import date, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.text.periods import asks_when, period_asked, tells_when, time_phrases
from hybridmem.core.text.resolved import phrases, resolved, value_resolved

MONDAY = date(2026, 5, 4)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def meant(text: str, said_on: date = MONDAY) -> list[str]:
    return [str(phrase.period) for phrase in time_phrases(text, said_on)]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("I moved yesterday.", "2026-05-03"),
        ("the day before yesterday", "2026-05-02"),
        ("We leave the day after tomorrow.", "2026-05-06"),
        ("My exam is next Friday.", "2026-05-08"),
        ("We met on Friday.", "2026-05-01"),
        ("The exam is on Friday.", "2026-05-08"),
        ("last Sat we danced", "2026-05-02"),
        ("We met on the 15th.", "2026-04-15"),
        ("We met on the 3rd of March 2024.", "2024-03-03"),
        ("before the 3rd of March, 2024", "2024-03-03"),
        ("The exam is on the 31st.", "2026-05-31"),
        ("They moved my appointment to Friday.", "2026-05-08"),
        ("It was postponed until Friday because Ana was ill.", "2026-05-08"),
        ("Ana moved to Porto on Friday.", "2026-05-01"),
        ("We met on the 31st.", "2026-03-31"),
        ("last week", "2026-04-27 to 2026-05-03"),
        ("this past weekend", "2026-05-02 to 2026-05-03"),
        ("a couple of days ago", "2026-05-02"),
        ("two weeks ago", "2026-04-20 to 2026-04-26"),
        ("a year ago", "2025-01-01 to 2025-12-31"),
        ("half a year ago", "2025-11-01 to 2025-11-30"),
        ("a year and a half ago", "2024-11-01 to 2024-11-30"),
        ("two and a half years ago", "2023-11-01 to 2023-11-30"),
        ("the last three weeks", "2026-04-13 to 2026-05-04"),
        ("It will start in two weeks.", "2026-05-18 to 2026-05-24"),
        ("in July 2023", "2023-07-01 to 2023-07-31"),
        ("in the beginning of November 2022", "2022-11-01 to 2022-11-10"),
        ("in late July 2023", "2023-07-22 to 2023-07-31"),
        ("in the second half of 2022", "2022-07-02 to 2022-12-31"),
        ("the winter of 2022", "2022-12-01 to 2023-02-28"),
        ("we went in March", "2026-03-01 to 2026-03-31"),
        ("we went on 29 February", "2024-02-29"),
        ("on 8th December, 2023", "2023-12-08"),
        ("the Friday before 22 October 2023", "2023-10-20"),
        ("two weeks before August 11, 2023", "2023-07-24 to 2023-07-30"),
        ("the week before 7 July 2023", "2023-06-30 to 2023-07-06"),
        ("the week of 23 August 2023", "2023-08-21 to 2023-08-27"),
    ],
)
def test_a_phrase_means_its_days(text: str, period: str) -> None:
    assert meant(text) == [period]


@pytest.mark.parametrize(
    "text",
    [
        "I may march on",
        "31 February 2026",
        "I read it in two days",
        "He sat in the sun",
        "It was on the 2nd floor",
        "A second cup",
        "May I?",
        "",
    ],
)
def test_what_names_no_time(text: str) -> None:
    assert meant(text) == []
    assert not tells_when(text) or "two days" in text


def test_year_edges_and_leap_days() -> None:
    assert meant("yesterday", date(2026, 1, 1)) == ["2025-12-31"]
    assert meant("next month", date(2026, 12, 31)) == ["2027-01-01 to 2027-01-31"]
    assert meant("a year ago", date(2024, 2, 29)) == ["2023-01-01 to 2023-12-31"]
    assert meant("a month ago", date(2024, 3, 31)) == ["2024-02-01 to 2024-02-29"]
    assert meant("tomorrow", date.max) == []
    assert meant("3000 years ago, and 900 years ago", date(500, 1, 1)) == []


@settings(deadline=None)
@given(DAYS, st.sampled_from(["yesterday", "next Friday", "last week", "two months ago", "this weekend", "last March"]))
def test_what_is_resolved_means_the_same_on_every_other_day(day: date, phrase: str) -> None:
    said = f"We went there {phrase}."
    written = resolved(said, day)
    assert phrase not in written
    for later in (day + timedelta(days=1), day + timedelta(days=400)):
        assert resolved(written, later) == written


_WORDS = st.sampled_from(
    "the a 3 last next week friday before 7 july 2023 ago in for . ! on and may day days 31st".split()  # noqa: SIM905
)


@settings(deadline=None)
@given(st.one_of(st.text(st.characters(codec="ascii"), max_size=80), st.lists(_WORDS, max_size=14).map(" ".join)), DAYS)
def test_any_text_is_read(text: str, day: date) -> None:
    for phrase in time_phrases(text, day):
        assert text[phrase.start : phrase.end] == phrase.words
        assert phrase.period.first <= phrase.period.last
    resolved(text, day)
    period_asked(text, day)


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("What happened last week?", "2026-04-27 to 2026-05-03"),
        ("What did I do before the move in 2023?", "0001-01-01 to 2023-12-31"),
        ("What did I do before 2023?", "0001-01-01 to 2022-12-31"),
        ("What changed since March?", "2026-03-01 to 9999-12-31"),
        ("What came after July 2023?", "2023-08-01 to 9999-12-31"),
        ("Where was John between August 11 and August 15 2023?", "2023-08-11 to 2023-08-15"),
        ("What did she finish last Friday, on 23 January, 2022?", "2022-01-23"),
        ("Where does Ana live?", "None"),
    ],
)
def test_the_period_of_a_question(question: str, period: str) -> None:
    assert str(period_asked(question, MONDAY)) == period


def test_who_asks_when_and_who_tells() -> None:
    assert [asks_when(q) for q in ("When did Ana move?", "Wann war das?", "Which week was it?", "Where is Ana?")] == [
        True,
        True,
        True,
        False,
    ]
    assert [tells_when(t) for t in ("I've had it for 3 years", "on the 15th we met", "recently", "I like tea")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Yesterday's game was great, and yesterday I ran.", "2026-05-03's game was great, and on 2026-05-03 I ran."),
        ("We leave tomorrow morning.", "We leave on the morning of 2026-05-05."),
        ("We met last month and last year.", "We met in April 2026 and in 2025."),
        ("A few days ago I fell.", "Around 2026-05-01 I fell."),
        ("from tomorrow until next Monday", "from 2026-05-05 until 2026-05-11"),
        ("We met two weeks before the trip. The trip was on 20 June 2026.", "We met in the week of 2026-06-01. The trip was on 20 June 2026."),  # noqa: E501
        # What comes again, and what has its date already, stays.
        ("Bin day is every Friday.", "Bin day is every Friday."),
        ("My birthday is on 7 July.", "My birthday is on 7 July."),
        ("It happened on 8 May 2025.", "It happened on 8 May 2025."),
        # Other languages, by dateparser.
        ("Ich bin gestern nach Porto gezogen", "Ich bin 2026-05-03 nach Porto gezogen"),
        ("J'ai déménagé il y a deux semaines", "J'ai déménagé 2026-W17"),
        ("Me mudé ayer a Oporto", "Me mudé 2026-05-03 a Oporto"),
        ("pasado mañana volamos", "2026-05-06 volamos"),
        ("depois de amanhã voamos", "2026-05-06 voamos"),
        ("l'altro ieri mi sono trasferito", "2026-05-02 mi sono trasferito"),
        ("모레 간다", "2026-05-06 간다"),
        ("Friday before last I fell", "On 2026-04-24 I fell"),
        ("I leave the week after next.", "I leave in the week of 2026-05-18."),
        ("We fly Friday week.", "We fly on 2026-05-15."),
        ("We fly a week on Friday.", "We fly on 2026-05-15."),
        ("Tomorrow week we fly.", "On 2026-05-12 we fly."),
        ("I fell two Fridays ago.", "I fell on 2026-04-24."),
        ("We moved a fortnight ago.", "We moved in the week of 2026-04-20."),
        ("'Yesterday' is my favourite song.", "'Yesterday' is my favourite song."),
        ("I saw The Day After Tomorrow.", "I saw The Day After Tomorrow."),
        ("I work at Yesterday's Bar.", "I work at Yesterday's Bar."),
        ("昨天我搬到了波尔图", "2026-05-03我搬到了波尔图"),
    ],
)  # fmt: skip
def test_dates_in_the_place_of_words(said: str, written: str) -> None:
    assert resolved(said, MONDAY) == written


def test_a_value_has_its_date_alone() -> None:
    assert value_resolved("next Friday", MONDAY) == "2026-05-08"
    assert value_resolved("on Elm Street", MONDAY) == "on Elm Street"


def test_questions_in_other_languages_name_periods() -> None:
    asked = "Was geschah letzte Woche?"
    assert str(period_asked(asked, MONDAY, phrases(asked, MONDAY))) == "2026-04-27 to 2026-05-03"


def test_thousands_of_days_in_one_text_take_no_time() -> None:
    started = process_time()
    assert resolved("yesterday " * 5_000, date(2026, 5, 4)).count("2026-05-03") == 5_000
    assert process_time() - started < 5
