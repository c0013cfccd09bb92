"""Tables of messages: CSV, with commas, semicolons or tabs, whose first row names the columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.importers import message
from hybridmem.importers.base import MAX_LINE, BrokenLine, Entry
from hybridmem.importers.encoding import opened
from hybridmem.importers.identity import file_name
from hybridmem.importers.jsonl import spoken

DELIMITERS = (",", ";", "\t")
WORDS = {"text", "content", "message", "memory", "body"}
"""Columns that hold what was said."""
COLUMNS = {
    *WORDS,
    *("role", "speaker", "name", "sender", "author", "user", "session", "session_id", "conversation_id", "thread_id"),
    *("date", "time", "datetime", "at", "timestamp", "ts", "created_at", "id", "message_id", "title", "source"),
}
"""Names by which a first row is told from prose with commas."""
_RENAMED = {
    **dict.fromkeys(WORDS, "text"),
    **dict.fromkeys(("user", "from", "sender_name", "author_name", "user_name", "username"), "sender"),
    **dict.fromkeys(("conversation_id", "conversation", "chat", "chat_session", "chat_name", "channel"), "session"),
    **dict.fromkeys(("datetime", "time", "message_date", "date_sent", "sent_at", "sent", "date_time"), "at"),
}


_SEPARATOR = re.compile(r"sep=.\r?\n")
"""The line that spreadsheet programs write before a table."""


def header(head: str) -> tuple[str, list[str]] | None:
    """(delimiter, columns) of a table that begins with `head`; None where it is none.

    >>> header("date,role,text\\n2026-03-01,user,hello")
    (',', ['date', 'role', 'text'])
    """
    first = _SEPARATOR.sub("", head.lstrip("\ufeff")).split("\n", 1)[0].strip()
    for delimiter in DELIMITERS:
        names = [_column(name) for name in first.split(delimiter)]
        known = [name for name in names if name in COLUMNS or name in _RENAMED]
        if len(names) > 1 and 2 * len(known) >= len(names) and len(set(names)) == len(names) and len(known) > 1:
            return delimiter, names
    return None


def _column(written: str) -> str:
    """A column's name as it is compared: "Created At" is created_at."""
    return "_".join(written.strip().strip('"').lower().replace("_", " ").replace("-", " ").split())


def read(path: Path) -> Iterator[Entry]:
    """The messages of the rows in order. Raises `UnknownFormat` for a table without a column of words."""
    with TextIOWrapper(opened(path), encoding="utf-8-sig", errors="replace", newline="") as stream:
        found = header(stream.readline() + stream.readline())
    if found is None:
        raise UnknownFormat(f"{path} is no table of messages: its first row has to name a text column")
    delimiter, names = found
    if not WORDS & set(names):
        raise UnknownFormat(
            f"{path} is a table without a column of words: call one of {', '.join(names[:8])} text, or write JSON lines"
        )
    return _rows(path, delimiter, names)


def _rows(path: Path, delimiter: str, names: list[str]) -> Iterator[Entry]:
    keys = [_RENAMED.get(name, name) for name in names]
    session = file_name(path.stem)
    csv.field_size_limit(MAX_LINE)
    with TextIOWrapper(opened(path), encoding="utf-8-sig", errors="replace", newline="") as stream:
        first = stream.readline()
        rows = csv.reader(stream if _SEPARATOR.fullmatch(first) else chain([first], stream), delimiter=delimiter)
        next(rows, None)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BrokenLine(rows.line_num, f"it is not a row of a table: {error}")
                continue
            if not any(cell.strip() for cell in row):
                continue
            try:
                if len(row) != len(keys):
                    raise InvalidInput(f"it has {len(row)} columns where the first row names {len(keys)}")
                # of two columns with one meaning, the first counts
                fields: dict[str, str] = {}
                for key, cell in zip(keys, row, strict=True):
                    if cell.strip():
                        fields.setdefault(key, cell)
                if "date" in fields and "at" in fields and "time" in names:
                    fields["at"] = f"{fields.pop('date')} {fields['at']}"
                if "role" in fields and (sender := fields.pop("sender", None) or fields.pop("author", None)):
                    fields.setdefault("speaker", sender)
                fields.setdefault("text", "")
                yield from spoken(message.turns(fields, source="csv", session=session))
            except InvalidInput as error:
                yield BrokenLine(rows.line_num, str(error))
