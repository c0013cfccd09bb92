from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.text.dates import dates, may_mean, speaks_of_time, without_dates

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(DAYS)
def test_a_date_is_found_however_it_is_written(day: date) -> None:
    for written in (
        f"{day}",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%b} {day.day}, {day.year}",
        f"{day.day}. {day:%B}",
    ):
        found = dates(f"It is on {written} at noon.")
        assert found == ({day} if str(day.year) in written else frozenset())
    assert "2" not in without_dates("on 2026-03-17")


@given(DAYS, DAYS)
def test_a_number_means_its_own_day_alone(day: date, said_on: date) -> None:
    assert may_mean(f"the {day.day}th of {day:%B}", day, said_on)
    assert not may_mean(f"the {day.day % 28 + 1}th", day, said_on) or day.day % 28 + 1 == day.day


def test_words_of_time() -> None:
    assert speaks_of_time("see you Thursday")
    assert not speaks_of_time("see you at the fountain")
    assert dates("31 February 2026") == frozenset()
