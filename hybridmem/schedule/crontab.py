"""A schedule as a line of a crontab."""

from __future__ import annotations

import shlex

from hybridmem.core.errors import InvalidInput
from hybridmem.schedule.cron import local_zone
from hybridmem.schedule.invocation import NightCommand, program


def line(command: NightCommand, here: str | None = None) -> str:
    """The line, with the comments and variables above it. `here` is the cron daemon's time zone (this machine's).

    Raises `InvalidInput` for a path with a line break."""
    cron = command.plan.cron
    words = shlex.join([*program(), *command.arguments()])
    if "\n" in words:
        raise InvalidInput("a path with a line break cannot stand in a crontab: rename the folder")
    lines = [f"# Dreams of the hybridmem memory {command.memory.absolute()}"]
    if cron.zone != (here or local_zone()):
        lines.append("# Wants a cron that knows CRON_TZ, as cronie does.")
        lines.append(f"CRON_TZ={cron.zone}")
    # An unescaped percent sign ends the command and begins its standard input.
    lines.append(f"{cron.portable} {words.replace('%', chr(92) + '%')}")
    return "\n".join(lines) + "\n"
