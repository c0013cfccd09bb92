"""BEAM (Tavakoli et al. 2025, arXiv:2510.27246): chats of 100 thousand to 10 million tokens with an assistant, and
probing questions for ten abilities.

Two forms are read: folders of its repository (``chats/100K/1/chat.json`` with
``probing_questions/probing_questions.json``), one or any number of them; and rows of its data set as JSON (``chat``,
``probing_questions``), in a list or one a line.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.evaluation.conversations.base import Conversation, Question, json_files
from hybridmem.importers.base import ImportedTurn, document, parse_json
from hybridmem.importers.encoding import opened

UNANSWERABLE = "abstention"
"""The ability whose questions have no answer in the chat."""
CHAT, QUESTIONS = "chat.json", Path("probing_questions/probing_questions.json")
_MARK = re.compile(r"\s*->->[\s\d,.]*$")
"""What the generator left behind a user's message: its place in the plan."""


def load(path: Path) -> list[Conversation]:
    """The chats in or below the folder `path`, or of a file of rows. Raises `InvalidInput` and `UnknownFormat`."""
    if path.is_dir() and (folders := sorted({file.parent for file in path.rglob(CHAT)}, key=_in_order)):
        read = [
            _conversation("-".join(folder.parts[-2:]), document(folder / CHAT), document(folder / QUESTIONS))
            for folder in folders
            if (folder / QUESTIONS).is_file()
        ]
        if read:
            return read
        raise InvalidInput(f"{path} holds chats without {QUESTIONS}: name a folder of BEAM's chats")
    return [
        _conversation(str(row.get("conversation_id") or number), row["chat"], _literal(row["probing_questions"], file))
        for file in json_files(path, "a folder of BEAM's chats, or a file of its rows", (".json", ".jsonl"))
        for number, row in enumerate(_rows(file), 1)
    ]


def _in_order(folder: Path) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in folder.parts]


def _rows(file: Path) -> list[Mapping[str, Any]]:
    if file.suffix == ".jsonl":
        with opened(file) as stream:
            value: Any = [parse_json(line.decode("utf-8")) for line in stream if line.strip()]
    else:
        value = document(file)
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, Mapping) and isinstance(row.get("chat"), list) for row in rows) or not all(
        row.get("probing_questions") for row in rows
    ):
        raise UnknownFormat(f"{file} is not in BEAM's format: expected rows with chat and probing_questions")
    return rows


def _literal(value: Any, file: Path) -> Any:
    """The questions of a row, which the data set keeps as Python writes them."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        pass
    try:
        return json.loads(value)
    except ValueError:
        raise InvalidInput(f"{file} has probing_questions that are neither Python's nor JSON's") from None


def _conversation(name: str, chat: Any, asked: Any) -> Conversation:
    try:
        return _chat(name, chat, asked)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnknownFormat(
            f"the chat {name} is not in BEAM's format: expected batches of messages, and questions by ability"
        ) from None


def _chat(name: str, chat: Any, asked: Any) -> Conversation:
    turns: list[ImportedTurn] = []
    places: list[str] = []
    for number, session in enumerate(_sessions(chat), 1):
        at: datetime | None = None
        for message in session:
            at = _time(message.get("time_anchor")) or at
            text = _MARK.sub("", str(message.get("content") or "")).strip()
            if not text:
                continue
            role = str(message.get("role") or "user")
            turns.append(ImportedTurn(text, role=role, session=f"{name}/{number}", at=at, source="beam"))
            places.append(str(message.get("id", "")))
    return Conversation(name, tuple(turns), tuple(places), tuple(_questions(asked, Counter(places))))


def _sessions(chat: list[Any]) -> Iterator[list[Mapping[str, Any]]]:
    """The messages of each batch; chats of 10 million tokens have their batches within plans."""
    for part in chat:
        if isinstance(part, Mapping) and "turns" in part:
            yield [message for turn in part["turns"] for message in turn]
        elif isinstance(part, Mapping):
            for batches in part.values():
                yield from _sessions(batches or [])
        else:
            yield part


def _questions(asked: Mapping[str, Any], known: Counter[str]) -> Iterator[Question]:
    for ability, questions in asked.items():
        for each in questions:
            named = dict.fromkeys(_numbers(each.get("source_chat_ids")))
            # A number that stands twice in a chat, or nowhere, does not say where the answer is.
            clear = all(known[number] == 1 for number in named)
            yield Question(
                str(each["question"]),
                ability.replace("_", " "),
                tuple(named) if clear else (),
                None if each.get("answer") is None else str(each["answer"]),
                ability != UNANSWERABLE,
            )


def _numbers(value: Any) -> Iterator[str]:
    """The message numbers in `source_chat_ids`, which is a list, or lists by what they say."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, (int, str)) and not isinstance(value, bool):
        yield str(value)


def _time(anchor: object) -> datetime | None:
    """The day of a time anchor: March-15-2024."""
    if not isinstance(anchor, str):
        return None
    try:
        return datetime.strptime(anchor.strip(), "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        return None
