"""A chat saved as one JSON document: a list of messages, ``{"messages": [...]}``, or a list of such objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.importers import message
from hybridmem.importers.base import BrokenLine, Entry, document
from hybridmem.importers.identity import file_name
from hybridmem.importers.json_values import JsonValue, values
from hybridmem.importers.jsonl import spoken


def read(path: Path) -> Iterator[Entry]:
    """The turns of each message in order, in the spellings of OpenAI, Anthropic, Gemini and LangChain.

    A conversation without a name is a session named after the file. A message that cannot be read is a `BrokenLine`
    with its number in the document; of a list that is cut or broken, the whole items are read. Raises `InvalidInput`
    and `UnknownFormat`."""
    value, broken = _document(path)
    if not recognises(value):
        raise UnknownFormat(f'{path} holds no messages: expected a list of them, or {{"messages": [...]}}')
    conversations = value if isinstance(value, list) and message.conversation(value) is None else [value]
    stem = file_name(path.stem)
    number = 0
    for index, each in enumerate(conversations, 1):
        messages, session = message.conversation(each) or ([each], None)
        name = session or (stem if len(conversations) == 1 else f"{stem}/{index}")
        for one in messages:
            number += 1
            try:
                yield from spoken(message.turns(one, source="openai", session=name))
            except (InvalidInput, RecursionError) as error:
                yield BrokenLine(number, f"message {number}: {error}")
    yield from broken


def _document(path: Path) -> tuple[Any, list[BrokenLine]]:
    """The value of the file, and what of its list could not be read. Raises `InvalidInput`."""
    try:
        return document(path), []
    except InvalidInput:
        items = list(values(path, "list", recognises))
        read = [item.value for item in items if isinstance(item, JsonValue)]
        if not any(map(recognises, read)):
            raise
        return read, [item for item in items if isinstance(item, BrokenLine)]


def recognises(value: object) -> bool:
    """Whether a JSON document is a chat, a list of chats or a single message."""
    if message.conversation(value) is not None or message.is_message(value):
        return True
    return isinstance(value, list) and any(message.conversation(each) is not None for each in value)
