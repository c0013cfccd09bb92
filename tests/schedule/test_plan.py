"""Quiet hours, lengths of time, retries, and plans that could never dream."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.jobs import DreamJob
from hybridmem.schedule.cron import Cron
from hybridmem.schedule.durations import duration, written
from hybridmem.schedule.plan import SchedulePlan
from hybridmem.schedule.quiet import QuietHours
from hybridmem.schedule.retries import Retries


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_quiet_hours() -> None:
    quiet = QuietHours.parse(["08:00-20:00"], "UTC")
    assert quiet.until(at("2026-03-01T07:59:59")) is None
    assert quiet.until(at("2026-03-01T08:00:00")) == at("2026-03-01T20:00:00")
    assert quiet.until(at("2026-03-01T19:59:59")) == at("2026-03-01T20:00:00")
    assert quiet.until(at("2026-03-01T20:00:00")) is None


def test_quiet_hours_over_midnight_and_side_by_side() -> None:
    quiet = QuietHours.parse(["22:00-06:00", "06:00-07:30"], "Europe/Lisbon")
    assert quiet.until(at("2026-07-01T22:30:00")) == at("2026-07-02T06:30:00")
    assert quiet.until(at("2026-07-02T06:30:00")) is None


def test_quiet_hours_when_the_clocks_change() -> None:
    """Lisbon's clocks go from 01:00 to 02:00: eight quiet hours are seven."""
    quiet = QuietHours.parse(["22:00-06:00"], "Europe/Lisbon")
    assert quiet.until(at("2026-03-28T22:00:00")) == at("2026-03-29T05:00:00")


@pytest.mark.parametrize(
    "text", ["", "8-20", "08:00", "08:00-25:00", "24:00-08:00", "08:60-09:00", "a-b", "08:00-24:01"]
)
def test_bad_quiet_hours(text: str) -> None:
    with pytest.raises(InvalidInput, match="are no quiet hours"):
        QuietHours.parse([text], "UTC")


@pytest.mark.parametrize("texts", [["00:00-24:00"], ["03:00-03:00"], ["06:00-18:00", "18:00-06:00"]])
def test_quiet_hours_that_cover_the_whole_day(texts: list[str]) -> None:
    with pytest.raises(InvalidInput, match="cover the whole day"):
        QuietHours.parse(texts, "UTC")


def test_a_plan_whose_every_night_is_quiet_for_too_long() -> None:
    quiet = QuietHours.parse(["01:00-20:00"], "UTC")
    plan = SchedulePlan(Cron.nightly("03:00", "UTC"), None, quiet=quiet, catch_up=timedelta(hours=12))
    with pytest.raises(InvalidInput, match="every night"):
        plan.check(at("2026-03-01T00:00:00"))
    SchedulePlan(Cron.nightly("03:00", "UTC"), None, quiet=quiet, catch_up=timedelta(hours=17)).check(
        at("2026-03-01T00:00")
    )
    SchedulePlan(Cron.parse("0 3,23 * * *", "UTC"), None, quiet=quiet).check(at("2026-03-01T00:00:00"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("12h", 43200), ("2d", 172800), ("1.5h", 5400)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds) == duration(written(duration(text)))


@pytest.mark.parametrize("text", ["", "12", "-1h", "h", "1y", "1h30m", "999999999999d", "nan"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a length of time"):
        duration(text)
    assert duration("0") == duration(written(timedelta(0))) == timedelta(0)


def failed(error_type: str | None = None) -> DreamJob:
    return DreamJob("job_1", ("a",), "failed", at("2026-03-01T00:00:00"), error_type=error_type)


def test_retries_back_off_with_jitter_and_end() -> None:
    retries = Retries(most=8, first=timedelta(minutes=1), longest=timedelta(minutes=30))
    waits = [retries.after(attempt, failed(), random.Random(attempt)) for attempt in range(1, 9)]
    for wait, minutes in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert 0.75 <= wait / timedelta(minutes=minutes) <= 1.25
    assert len(set(waits)) == 8
    assert retries.after(9, failed(), random.Random(0)) is None


@pytest.mark.parametrize("error_type", ["InvalidInput", "ModelNotFound", "MissingExtra", "ModelError"])
def test_what_will_not_mend_itself_is_not_tried_again(error_type: str) -> None:
    assert Retries().after(1, failed(error_type), random.Random(0)) is None
    assert Retries().after(1, failed("ModelTooLarge"), random.Random(0)) is not None


@pytest.mark.parametrize("most", [-1, 21])
def test_too_many_retries(most: int) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 20"):
        Retries(most)
