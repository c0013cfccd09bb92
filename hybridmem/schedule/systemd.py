"""A schedule as a systemd timer and the service that it starts."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem.schedule.cron import WEEKDAYS, Cron
from hybridmem.schedule.invocation import NightCommand, program

NAME = "hybridmem-dream"


def units(command: NightCommand) -> dict[str, str]:
    """The two unit files by name, for the user's manager or the system's."""
    what = f"Dreams of the hybridmem memory {command.memory.absolute()}".replace("%", "%%")
    service = [
        "[Unit]",
        f"Description={what}",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={quoted([*program(), *command.arguments()])}",
        "Nice=10",
        "# SIGTERM goes to the scheduler alone, which stops its dream such that the next night resumes it.",
        "KillMode=mixed",
        "TimeoutStopSec=120",
        "",
    ]
    timer = [
        "[Unit]",
        f"Description={what}, by the clock",
        "",
        "[Timer]",
        *(f"OnCalendar={each}" for each in calendar(command.plan.cron)),
        "# A night that was missed because the machine was off is made up for at its start.",
        "Persistent=true",
        "AccuracySec=1s",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    return {f"{NAME}.service": "\n".join(service), f"{NAME}.timer": "\n".join(timer)}


def calendar(cron: Cron) -> list[str]:
    """The calendar events at which `cron` is due: two where either the day or the weekday is enough.

    >>> calendar(Cron.parse("0 3 * * 1-5", "Europe/Lisbon"))
    ['Mon,Tue,Wed,Thu,Fri *-*-* 03:00:00 Europe/Lisbon']
    """
    weekdays = ",".join(WEEKDAYS[day].title() for day in cron.weekdays) + " " if len(cron.weekdays) < 7 else ""
    months, days = _some(cron.months, 12), _some(cron.days, 31)
    time = f"{_some(cron.hours, 24)}:{_some(cron.minutes, 60)}:00 {cron.zone}"
    if cron.either_day:
        return [f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}"]
    return [f"{weekdays}*-{months}-{days} {time}"]


def _some(numbers: Sequence[int], all: int) -> str:
    return "*" if len(numbers) == all else ",".join(f"{number:02}" for number in numbers)


def quoted(arguments: Sequence[str]) -> str:
    """A command line for systemd: in double quotes where needed, with literal ``%`` and ``$``.

    >>> quoted(["hybridmem", "--memory", "/srv/my memory"])
    'hybridmem --memory "/srv/my memory"'
    """
    return " ".join(map(_word, arguments))


def _word(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = escaped == text and text and not any(character.isspace() or character in "';" for character in text)
    return text if plain else f'"{escaped}"'
