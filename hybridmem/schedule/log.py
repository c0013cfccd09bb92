"""A scheduler's log: lines for people on standard error, and JSON objects for programs in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hybridmem.core.clock import Clock
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json


class ScheduleLog:
    """Opens the file for each line and writes the line at once, so that the file can be followed and rotated."""

    def __init__(
        self,
        clock: Clock,
        zone: str = "UTC",
        file: Path | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """`say` prints a line for people. Raises `InvalidInput` for a `file` that cannot be written."""
        self._clock = clock
        self._zone = ZoneInfo(zone)
        self._file = file
        self._say = say
        self._last: dict[Namespace | None, tuple[str, str]] = {}
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.open("a", encoding="utf-8").close()
            except OSError as error:
                raise InvalidInput(f"the log {file} cannot be written ({error.strerror}): name another file") from None

    def write(self, event: str, namespace: Namespace | None, text: str, **figures: Any) -> None:
        """Log `event`, a name for programs, with `text` for people. A repetition of the namespace's last entry is left
        out."""
        if self._last.get(namespace) == (event, text):
            return
        self._last[namespace] = (event, text)
        now = self._clock()
        name = "/".join(namespace) if namespace is not None else None
        if self._say is not None:
            self._say(f"{now.astimezone(self._zone):%Y-%m-%d %H:%M:%S}  {name + ': ' if name else ''}{text}")
        if self._file is not None:
            line = {"at": now, "event": event, "namespace": name, "text": text, **figures}
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(to_json(line)) + "\n")
