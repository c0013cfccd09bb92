"""ChatGPT's export, ``conversations.json``: a list of conversations, each a tree of messages.

What is read is the branch that the user saw last: from `current_node` up through `parent`, as child links can be
missing. Hidden messages, the custom instructions, thoughts and system messages are left out.

DeepSeek exports the same trees; its messages are made of fragments, of which a request is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import role_of, trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut
from hybridmem.importers.dating import dated_within
from hybridmem.importers.identity import own_key
from hybridmem.importers.times import moment_or_none

SOURCE = "chatgpt"
_UNSAID = {
    "user_editable_context": "the custom instructions",
    "model_editable_context": "the custom instructions",
    "thoughts": "reasoning",
    "reasoning_recap": "reasoning",
}
_FRAGMENTS = {"REQUEST": "user", "RESPONSE": "assistant"}
"""Whose words a fragment of DeepSeek's holds; the others are thoughts and searches."""
_CITATION = re.compile("\ue200[^\ue201]{0,2000}\ue201|[\ue200-\ue206]")
"""Where a page shows a source or a widget, in characters that no font has."""


def recognises(value: object) -> bool:
    """Whether `value` is one conversation."""
    return isinstance(value, Mapping) and isinstance(value.get("mapping"), Mapping)


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> list[Entry]:
        if not recognises(value):
            raise InvalidInput("it is no conversation: it has no mapping of messages")
        title = value.get("title")
        named = next((value[name] for name in ("conversation_id", "id") if isinstance(value.get(name), str)), None)
        branch = _branch(value)
        session = named or (branch[0][0] if branch else f"conversation {number}")
        metadata = {"title": title} if isinstance(title, str) and title.strip() else {}
        entries: list[Entry] = []
        turns: list[ImportedTurn] = []
        for id, message in branch:
            try:
                turn = _turn(message, id, session, metadata)
            except InvalidInput as error:
                entries.append(BrokenLine(number, f"conversation {number}, message {id}: {error}"))
                continue
            if isinstance(turn, LeftOut):
                entries.append(turn)
            else:
                turns.append(turn)
        begun = (moment_or_none(value.get(name)) for name in ("create_time", "inserted_at", "update_time"))
        started = next((at for at in begun if at is not None), None)
        return [*dated_within(turns, started), *entries]


def _branch(conversation: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """(id, message) of the nodes from the root to the current one."""
    mapping = conversation["mapping"]
    current = conversation.get("current_node")
    if not isinstance(current, str) or current not in mapping:
        current = _last(mapping)
    seen: set[str] = set()
    found: list[tuple[str, Mapping[str, Any]]] = []
    while isinstance(current, str) and current not in seen:
        seen.add(current)
        node = mapping.get(current)
        if not isinstance(node, Mapping):
            break
        if isinstance(node.get("message"), Mapping):
            found.append((current, _whole(node["message"])))
        current = node.get("parent")
    return found[::-1]


def _whole(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """`message`, or what DeepSeek has as fragments in ChatGPT's form."""
    fragments = message.get("fragments")
    if not isinstance(fragments, list):
        return message
    said = [each for each in fragments if isinstance(each, Mapping) and each.get("type") in _FRAGMENTS]
    role = _FRAGMENTS[said[0]["type"]] if said else "assistant"
    parts = [each.get("content") for each in said]
    return {"author": {"role": role}, "create_time": message.get("inserted_at"), "content": {"parts": parts}}


def _last(mapping: Mapping[str, Any]) -> str | None:
    """The leaf that was written last, for a conversation that does not name its current node."""
    nodes = {id: node for id, node in mapping.items() if isinstance(node, Mapping)}
    parents = {node["parent"] for node in nodes.values() if isinstance(node.get("parent"), str)}
    leaves = [id for id in nodes if id not in parents]
    said = {id: _whole(nodes[id]["message"]) for id in leaves if isinstance(nodes[id].get("message"), Mapping)}
    dated = [(at, id) for id, message in said.items() if (at := moment_or_none(message.get("create_time"))) is not None]
    return max(dated)[1] if dated else (leaves[-1] if leaves else None)


def _turn(message: Mapping[str, Any], id: str, session: str, metadata: Mapping[str, Any]) -> ImportedTurn | LeftOut:
    author, content, about = (
        each if isinstance(each, Mapping) else {}
        for each in (message.get("author"), message.get("content"), message.get("metadata"))
    )
    named = str(author.get("role") or "")
    role = role_of(named or "unknown")
    kind = content.get("content_type")
    if role == "system":
        return LeftOut("system messages")
    if about.get("is_visually_hidden_from_conversation") is True:
        return LeftOut("hidden messages")
    if isinstance(kind, str) and kind in _UNSAID:
        return LeftOut(_UNSAID[kind])
    # an assistant's message to a tool is a call, whatever it is written in
    if role == "assistant" and message.get("recipient") not in (None, "all"):
        return LeftOut("tool calls")
    text = _CITATION.sub("", "\n".join(_texts(content))).strip()
    if not text:
        return LeftOut("no words")
    at = moment_or_none(message.get("create_time"))
    key = own_key(session, id)
    return ImportedTurn(checked_text(text), role, None, session, at, SOURCE, trust_of(role), dict(metadata), key)


def _texts(content: Mapping[str, Any]) -> Iterator[str]:
    """The strings of a content; what is spoken is in objects with a text (`audio_transcription`)."""
    parts = content.get("parts")
    for part in parts if isinstance(parts, list) else [content.get("text")]:
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str) and text.strip():
            yield text
