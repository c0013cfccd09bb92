"""Claude.ai's export: ``conversations.json`` (a list, or JSON lines), ``projects.json`` with their documents, and
``memories.json``, which is what Claude made of the conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.dating import dated_within
from hybridmem.importers.identity import own_key
from hybridmem.importers.long_text import passages
from hybridmem.importers.message import words
from hybridmem.importers.times import moment_or_none

SOURCE = "claude"


def recognises(value: object) -> bool:
    """Whether `value` is one conversation, one project, the memories, or one account of ``users.json``."""
    return _is_conversation(value) or _is_project(value) or _is_memories(value) or _is_account(value)


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> list[Entry]:
        if _is_conversation(value):
            return _conversation(number, value)
        if _is_project(value):
            return list(_project(value))
        if _is_memories(value):
            return list(_memories(value))
        if _is_account(value):
            return [LeftOut("accounts")]
        raise InvalidInput("it is neither a conversation nor a project")


def _is_conversation(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("chat_messages"), list)


def _is_project(value: object) -> bool:
    return isinstance(value, Mapping) and "uuid" in value and isinstance(value.get("docs"), list)


def _is_memories(value: object) -> bool:
    return isinstance(value, Mapping) and ("conversations_memory" in value or "project_memories" in value)


def _is_account(value: object) -> bool:
    return isinstance(value, Mapping) and {"uuid", "email_address"} <= value.keys()


def _conversation(number: int, value: Mapping[str, Any]) -> list[Entry]:
    session = str(value.get("uuid") or f"conversation {number}")
    named = {"title": value.get("name"), "project": value.get("project_uuid")}
    metadata = {key: name for key, name in named.items() if isinstance(name, str) and name.strip()}
    turns: list[ImportedTurn] = []
    entries: list[Entry] = []
    for index, message in enumerate(value["chat_messages"], 1):
        try:
            said = list(_turns(message, session, metadata, index))
        except InvalidInput as error:
            entries.append(BrokenLine(number, f"conversation {number}, message {index}: {error}"))
            continue
        turns += said
        entries += [] if said else [LeftOut("no words")]
    started = moment_or_none(value.get("created_at")) or moment_or_none(value.get("updated_at"))
    return [*dated_within(turns, started), *entries]


def _turns(message: object, session: str, metadata: Mapping[str, Any], index: int) -> Iterator[ImportedTurn]:
    """The words of a message, and each document that was attached to it: that is a page, and not what was said."""
    if not isinstance(message, Mapping):
        raise InvalidInput("it is not an object")
    sender = str(message.get("sender") or message.get("role") or "")
    role = role_of(sender or "unknown")
    at = moment_or_none(message.get("created_at"))
    key = own_key(session, message.get("uuid")) or f"{session}/{index}"
    text = _said(message)
    if text:
        yield ImportedTurn(checked_text(text), role, None, session, at, SOURCE, trust_of(role), dict(metadata), key)
    attachments = message.get("attachments")
    for place, attached in enumerate(attachments if isinstance(attachments, list) else []):
        document = attached.get("extracted_content") if isinstance(attached, Mapping) else None
        if isinstance(document, str) and document.strip():
            about = {**metadata, "file": str(attached.get("file_name") or "")}
            for part, passage in enumerate(passages(document)):
                place_key = f"{key}#{place}.{part}"
                yield ImportedTurn(passage, "document", None, session, at, SOURCE, trust_of("web"), about, place_key)


def _said(message: Mapping[str, Any]) -> str:
    """The text parts of `content`, without thoughts and tools; `text` in older exports, which have no parts."""
    content = message.get("content")
    parts = [part for part in content if part is not None] if isinstance(content, list) else content
    said, _ = words(parts) if parts else (None, [])
    if not (said or "").strip() and isinstance(message.get("text"), str):
        said = message["text"]
    return (said or "").strip()


def _memories(value: Mapping[str, Any]) -> Iterator[Entry]:
    """What Claude remembers, over all conversations and of each project; a later export replaces it."""
    projects = value.get("project_memories")
    texts = {"": value.get("conversations_memory"), **(projects if isinstance(projects, Mapping) else {})}
    for project, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            yield LeftOut("no words")
            continue
        about = {"project": str(project)} if project else {}
        for part, passage in enumerate(passages(text)):
            key = f"memory of {project or 'all'}#{part}"
            yield ImportedTurn(passage, "assistant", None, None, None, SOURCE, trust_of("assistant"), about, key)


def _project(value: Mapping[str, Any]) -> Iterator[Entry]:
    """The documents of a project, and its instructions."""
    name = str(value.get("name") or value["uuid"])
    session = f"project {value['uuid']}"
    started = moment_or_none(value.get("created_at"))
    prompt = value.get("prompt_template")
    documents = [{"uuid": value["uuid"], "filename": "instructions", "content": prompt}, *value["docs"]]
    for document in documents:
        content = document.get("content") if isinstance(document, Mapping) else None
        if not isinstance(content, str) or not content.strip():
            yield LeftOut("no words")
            continue
        role = "system" if document is documents[0] else "document"
        about = {"project": name, "file": str(document.get("filename") or "")}
        at = moment_or_none(document.get("created_at")) or started
        for part, passage in enumerate(passages(content)):
            key = f"{document.get('uuid')}#{part}"
            yield ImportedTurn(passage, role, None, session, at, SOURCE, trust_of("web"), about, key)
