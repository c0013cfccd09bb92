"""When a night is due: what cron means by an expression, and what the clocks do twice a year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger

from hybridmem.core.errors import InvalidInput
from hybridmem.schedule.cron import Cron, local_zone

NEW_YORK = "America/New_York"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local(cron: Cron, after: str, days: float) -> list[str]:
    start = at(after, cron.zone)
    fires = cron.between(start, start + timedelta(days=days))
    return [fire.astimezone(ZoneInfo(cron.zone)).isoformat(timespec="minutes") for fire in fires]


def test_nightly() -> None:
    cron = Cron.nightly("03:00", "Europe/Lisbon")
    assert cron.text == "0 3 * * *"
    assert cron.next(at("2026-07-01T02:59:59")) == at("2026-07-02T02:00:00")
    assert cron.next(at("2026-07-01T01:59:59")) == at("2026-07-01T02:00:00")
    assert cron.next(at("2026-07-01T02:00:00")) == at("2026-07-02T02:00:00"), "the moment itself is over"


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_sunday_has_three_names(sunday: str) -> None:
    """APScheduler's own reading of 0 is Monday."""
    cron = Cron.parse(f"0 3 * * {sunday}", "UTC")
    found = cron.next(at("2026-03-02T00:00"))
    assert (found, found.strftime("%A")) == (at("2026-03-08T03:00"), "Sunday")
    assert cron.portable == "0 3 * * 0"


@pytest.mark.parametrize("text", ["0 3 * * *", "*/20 */6 1-20 * *", "15 22 * 2,11 *", "30 1 31 * *"])
def test_apscheduler_agrees_where_it_reads_alike(text: str) -> None:
    trigger = CronTrigger.from_crontab(text, timezone="Europe/Lisbon")
    cron, moment = Cron.parse(text, "Europe/Lisbon"), at("2026-04-01T00:00")
    for _ in range(100):
        expected = trigger.get_next_fire_time(None, moment + timedelta(microseconds=1))
        moment = expected.astimezone(UTC)
        if expected.month in (3, 10):
            continue
        assert cron.next(moment - timedelta(seconds=1)) == moment


def by_definition(text: str) -> Callable[[datetime], bool]:
    """cron(8) again, minute by minute."""
    fields = []
    bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    for part, (low, high) in zip(text.split(), bounds, strict=True):
        values = set()
        for each in part.split(","):
            span, _, step = each.partition("/")
            first, _, last = span.partition("-")
            begin, end = (low, high) if span == "*" else (int(first), int(last or (high if step else first)))
            values |= set(range(begin, end + 1, int(step or 1)))
        fields.append(values)
    minute, hour, day, month, weekday = fields
    _, _, day_text, _, weekday_text = text.split()
    both = day_text.startswith("*") or weekday_text.startswith("*")

    def due(moment: datetime) -> bool:
        if moment.minute not in minute or moment.hour not in hour or moment.month not in month:
            return False
        on_day, on_weekday = moment.day in day, bool({moment.isoweekday() % 7, moment.isoweekday()} & weekday)
        return (on_day and on_weekday) if both else (on_day or on_weekday)

    return due


@pytest.mark.parametrize(
    "text",
    [
        "0 3 * * *",
        "*/20 */6 * * 1-5",
        "15,45 22 1,15 * *",
        "0 3 13 * 5",
        "0 3 */10 * 1",
        "5-10/5 4 * 2-4/2 0,6-7",
        "30 1 31 * *",
        "0 12 1-7 3 */3",
    ],
)
def test_it_means_what_cron_means(text: str) -> None:
    start = at("2026-02-20T00:00")
    minutes = (start + timedelta(minutes=number) for number in range(1, 90 * 24 * 60))
    expected = list(filter(by_definition(text), minutes))
    end = start + timedelta(days=90, minutes=-1)
    assert list(Cron.parse(text, "UTC").between(start, end)) == expected
    assert expected


def test_an_hour_that_the_clocks_skip_is_made_up_for() -> None:
    cron = Cron.nightly("02:30", NEW_YORK)
    days = [fire[:10] for fire in local(cron, "2026-03-06T12:00", 4)]
    assert days == ["2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"]


def test_an_hour_that_the_clocks_repeat_counts_once() -> None:
    cron = Cron.nightly("01:30", NEW_YORK)
    assert local(cron, "2026-10-30T12:00", 3) == [
        "2026-10-31T01:30-04:00",
        "2026-11-01T01:30-04:00",
        "2026-11-02T01:30-05:00",
    ]


@pytest.mark.parametrize("zone", [NEW_YORK, "Europe/Lisbon", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
@pytest.mark.parametrize("text", ["30 1 * * *", "15 2 * * *", "0 0 * * *"])
def test_every_day_of_years_has_one_night(zone: str, text: str) -> None:
    cron = Cron.parse(text, zone)
    days = [fire[:10] for fire in local(cron, "2025-12-31T12:00", 731)]
    expected = [(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)).strftime("%Y-%m-%d") for n in range(731)]
    assert days == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "0 fields and not 5"),
        ("0 3 * *", "4 fields and not 5"),
        ("@daily", "1 fields and not 5"),
        ("60 3 * * *", "'60' for its minute, which goes from 0 to 59"),
        ("0 24 * * *", "'24' for its hour"),
        ("0 3 0 * *", "'0' for its day of the month"),
        ("0 3 * 13 *", "'13' for its month"),
        ("0 3 * * 8", "'8' for its weekday"),
        ("0 3 * * mon-fri/0", "the step '0'"),
        ("0 3 * * 5-1", "the empty range '5-1'"),
        ("0 3 , * *", "'' for its day of the month"),
        ("0 3 31 2 *", "never due"),
        ("0 3 30,31 2 *", "never due"),
        ("٣ 3 * * *", "for its minute"),
        ("0 3 L * *", "'L' for its day of the month"),
    ],
)
def test_a_bad_expression(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why.replace("(", r"\(")):
        Cron.parse(text, "UTC")


@pytest.mark.parametrize("text", ["3", "24:00", "03:60", "3 am", "03:00:00", ""])
def test_a_bad_time(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a time of day"):
        Cron.nightly(text, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../../etc/passwd", "/etc/passwd", "Europe", "\x00"])
def test_an_unknown_zone(zone: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone is called"):
        Cron.nightly("03:00", zone)


def test_this_machine_has_a_zone() -> None:
    assert Cron.nightly("03:00", local_zone()).next(at("2026-01-01T00:00"))
