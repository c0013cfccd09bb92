"""LangChain's messages as episodes, and back."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)

from hybridmem.conversation import words_of
from hybridmem.core import roles
from hybridmem.core.records import Episode, sound_text
from hybridmem.core.text.tokens import has_visible
from hybridmem.importers.base import ImportedTurn

FIELD = "langchain_message"
"""The entry of an episode's metadata with everything of a message but its words."""


def role_of(message: BaseMessage) -> str:
    """The role as hybridmem names it."""
    named = message.role if isinstance(message, ChatMessage) else message.type
    return roles.role_of(named)


def chat_message(message: BaseMessage) -> dict[str, Any]:
    """`message` as `hybridmem.conversation` reads it."""
    return {"role": role_of(message), "content": message.content}


def turn_of(message: BaseMessage, *, session: str, source: str) -> ImportedTurn:
    """`message` as a turn to remember: its words are the text, and the rest (tool calls, ids, pictures) is metadata.

    A message without words gets a description of what it does as its text, with the trust of a tool."""
    kept = message_to_dict(message)
    text = _text(words_of(message.content))
    wordless = not has_visible(text)
    if isinstance(message.content, str):
        kept["data"]["content"] = sound_text(message.content)
    if kept["data"]["content"] == text and not wordless:
        del kept["data"]["content"]  # the text has all of it, and later changes of the text apply to the message
    role = role_of(message)
    trust = roles.trust_of("tool" if wordless else role)
    return ImportedTurn(
        text=_description(message) if wordless else text,
        role=role,
        speaker=message.name,
        session=session,
        at=None,
        source=source,
        trust=trust,
        metadata={FIELD: json.loads(json.dumps({**kept, "wordless": wordless}, default=str))},
    )


def message_of(episode: Episode) -> BaseMessage:
    """The message behind `episode`, with its present words. For an episode remembered in another way, a message with
    its words and role."""
    kept = episode.metadata.get(FIELD)
    if not isinstance(kept, dict):
        return _plain(episode)
    data = dict(kept["data"])
    said = _text(words_of(data["content"])) if "content" in data else None
    if said is None:
        data["content"] = "" if kept["wordless"] else episode.text
    elif not kept["wordless"] and said != episode.text:
        data["content"] = episode.text
    return messages_from_dict([{"type": kept["type"], "data": data}])[0]


def _text(words: str) -> str:
    """`words` as the text of a memory, which has no NUL character; the output of a tool may."""
    return sound_text(words).replace("\x00", "\ufffd")


def _description(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    descriptions = [f"{call['name']}({json.dumps(call['args'], ensure_ascii=False, default=str)})" for call in calls]
    if descriptions:
        return f"called {', '.join(descriptions)}"
    kinds = [part.get("type", "part") for part in message.content if isinstance(part, dict)]
    return f"({', '.join(kinds) or 'an empty message'})"


def _plain(episode: Episode) -> BaseMessage:
    if episode.role == "user":
        return HumanMessage(episode.text, name=episode.speaker)
    if episode.role == "assistant":
        return AIMessage(episode.text, name=episode.speaker)
    if episode.role == "system":
        return SystemMessage(episode.text)
    if episode.role == "tool":
        return ToolMessage(episode.text, tool_call_id=str(episode.metadata.get("tool_call_id", episode.id)))
    return ChatMessage(content=episode.text, role=episode.role)
