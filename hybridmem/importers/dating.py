"""A time for every turn. What the file does not date gets the time of the turn before it, of its conversation or of the
file, and its metadata says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.base import Entry, ImportedFact, ImportedTurn
from hybridmem.importers.identity import DATED_BY
from hybridmem.importers.times import NO_ZONE

ON_LOCAL_CLOCKS = ("whatsapp", "telegram", "aider")
"""Formats of programs that write the time as the device shows it, and not in UTC."""


@dataclass(frozen=True, slots=True)
class ChatClock:
    """How to read the times of files that do not say it themselves."""

    day_first: bool | None = None
    """Whether 03/04 is in April; None for what the chat tells."""
    zone: tzinfo | None = None
    """Where the clock stood; None for where this machine's stands in formats `ON_LOCAL_CLOCKS`, and else for UTC."""


HERE = ChatClock()


def zone_of(name: str | None) -> tzinfo | None:
    """The time zone of that name (IANA's database), None for none. Raises `InvalidInput`."""
    if name is None or name.upper() == "UTC":
        return None if name is None else UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"there is no time zone {name!r}: write it as Europe/Lisbon, or UTC") from None


class Dates:
    """Dates the turns of one file, in order."""

    def __init__(self, fallback: datetime | None) -> None:
        """`fallback`: the file's own time; None leaves turns undated that have no neighbour either."""
        self._fallback = fallback
        self._last: tuple[str | None, datetime] | None = None
        """The last turn's session and time: chats come one after the other."""

    def dated(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if isinstance(entry, ImportedTurn):
                yield self._dated(entry)
            elif isinstance(entry, ImportedFact) and entry.valid_from is None:
                yield replace(entry, valid_from=self._fallback)
            else:
                yield entry

    def _dated(self, turn: ImportedTurn) -> ImportedTurn:
        if turn.at is not None:
            if turn.metadata.get(DATED_BY) != "file":
                self._last = (turn.session, turn.at)
            return turn
        if self._last is not None and self._last[0] == turn.session:
            return _stamped(turn, self._last[1], "neighbour")
        return _stamped(turn, self._fallback, "file") if self._fallback is not None else turn


def dated_within(turns: Sequence[ImportedTurn], conversation: datetime | None) -> list[ImportedTurn]:
    """The turns of one conversation. An undated one gets the time of the dated turn before it, or of the first after
    it, or else the conversation's."""
    first = next((turn.at for turn in turns if turn.at is not None), None)
    near, named = (first, "neighbour") if first is not None else (conversation, "conversation")
    found = []
    for turn in turns:
        if turn.at is not None:
            near, named = turn.at, "neighbour"
            found.append(turn)
        else:
            found.append(_stamped(turn, near, named) if near is not None else turn)
    return found


def in_zone(entries: Iterable[Entry], format: str, zone: tzinfo | None) -> Iterator[Entry]:
    """`entries` of a file of `format`, whose times without a zone are those of a clock in `zone` (None: as `ChatClock`
    says), which a turn's metadata then names.

    It comes after the keys are made, so that a turn's key is what the file says, wherever it is imported."""
    for entry in entries:
        if isinstance(entry, ImportedTurn) and entry.at is not None and entry.at.tzinfo is NO_ZONE:
            at, name = _placed(entry.at, format, zone)
            entry = replace(entry, at=at, metadata={**entry.metadata, **({"timezone": name} if name else {})})
        elif isinstance(entry, ImportedFact) and entry.valid_from is not None and entry.valid_from.tzinfo is NO_ZONE:
            entry = replace(entry, valid_from=_placed(entry.valid_from, format, zone)[0])
        yield entry


def _placed(written: datetime, format: str, zone: tzinfo | None) -> tuple[datetime, str | None]:
    """(the moment, its zone's name) of a time without a zone; no name where nobody says that it is UTC."""
    if zone is None and format not in ON_LOCAL_CLOCKS:
        return written.replace(tzinfo=UTC), None
    there = written.replace(tzinfo=zone)
    try:
        return there.astimezone(UTC), str(zone or there.astimezone().tzname())
    except (OverflowError, OSError, ValueError):
        return written.replace(tzinfo=UTC), "UTC"


def file_time(path: Path) -> datetime | None:
    """When the file was last written; None where the system does not say."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None


def _stamped(turn: ImportedTurn, at: datetime, by: str) -> ImportedTurn:
    return replace(turn, at=at, metadata={**turn.metadata, DATED_BY: by})
