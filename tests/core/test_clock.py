"""What is taken for a time, and what a date without a time means."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.clock import end_of_time, parse_time
from hybridmem.core.errors import InvalidDate


class Timestamp(datetime):
    """A moment as pandas gives it."""

    def to_pydatetime(self) -> datetime:
        return datetime(2026, 3, 1, 9, tzinfo=UTC)


NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T09:00:00Z",
        "2026-03-01t09:00:00z",
        "2026-03-01 09:00",
        "2026-03-01T14:45:00+05:45",
        1772355600,
        1772355600.0,
        np.int64(1772355600),
        np.datetime64("2026-03-01T09:00"),
        np.datetime64("2026-03-01T09:00:00.000000000"),
        Timestamp(2026, 3, 1),
        datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_one_moment_in_many_forms(value: Any) -> None:
    assert parse_time(value) == end_of_time(value) == NINE


@pytest.mark.parametrize(
    "value", ["2026-03-01", "20260301", "2026-W09-7", date(2026, 3, 1), np.datetime64("2026-03-01")]
)
def test_a_bare_date_is_its_whole_day(value: Any) -> None:
    assert parse_time(value) == datetime(2026, 3, 1, tzinfo=UTC)
    assert end_of_time(value) == datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)


def test_a_leap_second_is_the_last_of_its_minute() -> None:
    assert parse_time("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-02-30",
        "2026-03-01T24:00:00Z",
        "0001-01-01T00:00:00+05:45",
        True,
        None,
        [],
        float("nan"),
        1e18,
        np.datetime64("NaT"),
    ],
)
def test_anything_else_is_refused_in_one_line(value: Any) -> None:
    with pytest.raises(InvalidDate) as refused:
        parse_time(value)
    assert "\n" not in str(refused.value)


@given(st.dates())
def test_every_day_ends_after_it_begins(day: date) -> None:
    assert parse_time(day).date() == end_of_time(day).date() == day
    assert end_of_time(f"{day.isoformat()}") == end_of_time(day)
