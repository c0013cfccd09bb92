"""The messages of a chat, read one by one, so that one that cannot be read costs itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut


def one_by_one(
    messages: Iterable[object], read: Callable[[object], ImportedTurn | LeftOut], where: str = ""
) -> tuple[list[ImportedTurn], list[Entry]]:
    """The turns that `read` makes of `messages`, and what is none or raised `InvalidInput`, told of at its place.

    `where` comes before the place, as in "chat 2, "."""
    turns: list[ImportedTurn] = []
    others: list[Entry] = []
    for index, message in enumerate(messages, 1):
        try:
            entry = read(message)
        except InvalidInput as error:
            others.append(BrokenLine(index, f"{where}message {index}: {error}"))
            continue
        if isinstance(entry, LeftOut):
            others.append(entry)
        else:
            turns.append(entry)
    return turns, others
