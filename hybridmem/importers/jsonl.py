"""JSON lines: one message or one whole conversation per line. Read as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from hybridmem.core.errors import InvalidInput
from hybridmem.importers import message
from hybridmem.importers.base import BrokenLine, ImportedTurn, lines, too_long


def read(path: Path) -> Iterator[ImportedTurn | BrokenLine]:
    """The turns of each line in order, with a `BrokenLine` for each line that cannot be read.

    A line is an object with `text` or `content`, and perhaps `role`, `speaker` or `name`, `session`, `at`
    (or `timestamp`, `created_at`), `metadata` and `trust`; or a conversation as the `openai` importer reads it."""
    for number, raw in lines(path):
        if raw is None:
            yield too_long(number)
        elif raw.strip():
            try:
                yield from _turns(path, number, raw)
            except UnicodeDecodeError as error:
                yield BrokenLine(number, f"it is not valid UTF-8 at byte {error.start + 1}")
            except json.JSONDecodeError as error:
                yield BrokenLine(number, f"it is not valid JSON at character {error.pos + 1}: {error.msg}")
            except (InvalidInput, ValueError, RecursionError) as error:
                yield BrokenLine(number, str(error))


def _turns(path: Path, number: int, raw: bytes) -> list[ImportedTurn]:
    """All turns of one line, so that a conversation is imported as a whole or not at all."""
    value = json.loads(raw.decode("utf-8"))
    found = message.conversation(value)
    if found is None:
        return message.turns(value, source="jsonl")
    messages, session = found
    name = session or f"{path.stem}/{number}"
    return [turn for each in messages for turn in message.turns(each, source="jsonl", session=name)]
