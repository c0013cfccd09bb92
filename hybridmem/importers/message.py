"""One chat message in the spelling of OpenAI, Anthropic, LangChain or a log file, as turns."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hybridmem.core.errors import InvalidDate, InvalidInput
from hybridmem.core.plain_json import sound_json
from hybridmem.core.records import Trust, checked_text
from hybridmem.core.roles import checked_trust, is_role, least_trusted, role_of, trust_of
from hybridmem.core.text.tokens import has_visible
from hybridmem.importers.base import ImportedTurn
from hybridmem.importers.identity import own_key
from hybridmem.importers.times import moment, moment_or_none

RECORD_KINDS = ("message", "text", "input_text", "output_text", "note", "memory", "episode", "chat")
"""What a log calls a line that has words, where it does not say whose: no speaker's role."""

TEXTS = ("text", "input_text", "output_text")
"""Types of parts that hold words."""

DEEPEST = 16
"""Deepest nesting of tools' results."""

PARTICIPANT = "participant"
"""The role of people in a chat of people who are not known to be the user."""

_HIDDEN = re.compile(
    r"(?:redacted[_-])?(?:thinking|thought|reasoning)(?:[_.-][^\W_]+)*|summary_text|encrypted_content|compaction|item_reference"
    # what a model asks of tools, by any provider's name for it
    r"|(?:[^\W_]+[_-])*(?:tool|function|call)[_-](?:use|calls?|request)|(?:[^\W_]+_)+call|mcp_(?:list_tools|approval_\w+)",
    re.IGNORECASE,
)
"""Types of messages and parts that nobody said: thoughts, and calls of tools."""
RESULT = re.compile(r"(?:[^\W_]+[_-])*(?:tool[_-]result|call_output|function[_-]response)", re.IGNORECASE)
"""Types of messages and parts that hold what a tool said."""

_TIMES = ("at", "timestamp", "created_at", "date", "ts")
"""Fields that say when it was said."""
_OTHER_TIMES = (
    *("datetime", "createdAt", "create_time", "created", "sent_at", "sentAt", "time", "timestamp_ms", "created_date"),
    *("inserted_at", "send_date", "date_sent", "createdDateTime", "date_created"),
)
"""The same in other programs; what is no date there may mean something else, and stays in the metadata."""
_SENDERS = (
    *("sender", "from", "author", "creator", "sender_name", "senderName", "sender_full_name", "author_name"),
    *("authorName", "from_name", "fromName"),
)
"""Fields that say who wrote a message, in chats of programs that have no roles."""
_SENDERS_NAMES = ("role", "nickname", "display_name", "displayName", "name", "username", "email")
"""What is taken of a sender who is an object, the first that is there."""
_OWN = ("isCreatedByUser", "is_user", "isUser", "fromMe", "from_me")
"""Fields that say whether the user did."""
_HELD = ("messages", "chat_messages", "conversation", "conversations", "history", "turns", "items", "data")
"""What an object calls the list of its messages."""
_WORDS = ("text", "content", "parts", "blocks")
"""Fields that hold the words: of OpenAI and Anthropic, of Gemini and Vercel's SDK, and of LlamaIndex."""
_KNOWN = {
    *(*_WORDS, "role", "type", "speaker", "name", "session", "session_id", "thread_id"),
    *(*_TIMES, "metadata", "trust", "source"),
}
_CALLS = ("tool_calls", "function_call", "tool_call_id", "audio", "refusal")
"""Fields of a message that needs no words."""


def is_message(value: object) -> bool:
    """Whether `value` looks like one message: an object with words, in any of the spellings."""
    if not isinstance(value, Mapping):
        return False
    inner = unwrapped(value)
    if isinstance(inner.get("parts"), list):
        return "role" in inner
    if isinstance(inner.get("value"), str) and is_role(inner.get("from")):
        return True  # as ShareGPT and the sets that follow it write a message
    if isinstance(inner.get("message"), str) and is_role(inner.get("role")):
        return True
    if _is_of_a_character(inner):
        return True
    return "text" in inner or any(isinstance(inner.get(name), (str, list, Mapping)) for name in ("content", "blocks"))


def _is_of_a_character(value: Mapping[str, Any]) -> bool:
    """Whether `value` is a message in a chat with a character, as SillyTavern writes it."""
    return isinstance(value.get("mes"), str) and isinstance(value.get("is_user"), bool)


def is_single(value: object) -> bool:
    """Whether `value` is one message, as an object or a client library's own class, and not a list of them."""
    return isinstance(value, Mapping) or _is_record(value)


def listed(value: Any) -> Sequence[Any]:
    """The messages of `value`: of a list, of an object that holds one as a graph's state does, or the one that it is.

    >>> len(listed([{"content": "a"}, {"content": "b"}])), len(listed({"messages": [{"content": "a"}]}))
    (2, 1)
    """
    if isinstance(value, Mapping) and not is_message(value) and isinstance(held := value.get("messages"), list):
        return held
    return [value] if is_single(value) else list(value)


def plain(value: object) -> object:
    """`value`, or the object that a client library's own class stands for: Pydantic's, as OpenAI, Anthropic and
    LangChain use it, or a dataclass."""
    if isinstance(value, Mapping) or not _is_record(value):
        return value
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump()
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}  # type: ignore[arg-type]


def _is_record(value: object) -> bool:
    if isinstance(value, type):
        return False
    return callable(getattr(value, "model_dump", None)) or dataclasses.is_dataclass(value)


def turns(
    value: object, *, source: str = "import", session: str | None = None, place: str | None = None
) -> list[ImportedTurn]:
    """The turns of one message: its words, and separately the tool results in it. `place` is where its id is unique,
    if it has no session.

    A message is an object, or one of a client library's own class. One without words (a bare tool call, a picture)
    gives none. Raises `InvalidInput` for a message that cannot be stored.

    >>> [(turn.role, turn.text) for turn in turns({"type": "human", "content": "I adopted a ferret."})]
    [('user', 'I adopted a ferret.')]
    """
    value = plain(value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        # LangChain's short form of a message
        value = {"role": value[0], "content": value[1]}
    if not isinstance(value, Mapping):
        raise InvalidInput("it is not an object with a text or content field")
    inner = unwrapped(value)
    if "text" not in inner and "content" not in inner and is_message(inner) and isinstance(inner.get("value"), str):
        inner = {**{name: item for name, item in inner.items() if name != "value"}, "content": inner["value"]}
    kind = inner.get("type")
    if isinstance(kind, str) and "role" not in inner and _HIDDEN.fullmatch(kind):
        return []
    if isinstance(kind, str) and "role" not in inner and RESULT.fullmatch(kind):
        # OpenAI's responses have a result as an item of its own, beside the messages
        kept = {name: item for name, item in inner.items() if name not in ("type", "output", "result")}
        inner = {**kept, "role": "tool", "content": _result_in(inner)}
    if isinstance(inner.get("message"), str) and is_role(inner.get("role")) and not any(map(inner.get, _WORDS)):
        inner = {**{name: item for name, item in inner.items() if name != "message"}, "content": inner["message"]}
    if _is_of_a_character(inner):
        kept = {name: item for name, item in inner.items() if name not in ("mes", "is_user")}
        inner = {**kept, "role": "user" if inner["is_user"] else "assistant", "content": inner["mes"]}
    role, sender = _said_by(inner)
    if not any(name in inner for name in (*_WORDS, *_CALLS)):
        if role == "assistant":
            return []
        raise InvalidInput("it has no text or content field")
    said, results = words(next((inner[name] for name in _WORDS if inner.get(name)), None))
    named = _string(inner, "session", "session_id", "thread_id") or session
    key = own_key(named or place, next((inner[name] for name in ("id", "uuid", "message_id") if inner.get(name)), None))
    common: dict[str, Any] = {
        "session": named,
        "at": _time(inner),
        "source": _string(inner, "source") or source,
        "metadata": _metadata(inner),
    }
    found = []
    if said is not None and has_visible(said):
        speaker = _string(inner, "speaker", "name") or sender
        found.append(ImportedTurn(checked_text(said), role, speaker, trust=_trust(inner, role), key=key, **common))
    for number, text in enumerate(results):
        if has_visible(text):
            part = f"{key}#{number}" if key else None
            found.append(ImportedTurn(checked_text(text), "tool", trust=trust_of("tool"), key=part, **common))
    return found


def conversation(value: object) -> tuple[Sequence[object], str | None] | None:
    """(messages, session name) of a list of messages, or of an object with one; None for anything else."""
    if isinstance(value, list):
        return (value, None) if value and any(map(is_message, value)) else None
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("chat"), Mapping) and (inner := conversation(value["chat"])) is not None:
        return inner[0], inner[1] or _session(value)
    if isinstance(value.get("messages"), list):
        return value["messages"], _session(value)
    if is_message(value):
        return None
    lists = (value[name] for name in _HELD if isinstance(value.get(name), list))
    held: list[Any] | None = next((each for each in lists if any(map(is_message, each))), None)
    if held is None and isinstance(value.get("choices"), list):
        # what a chat completion answers
        answers = [
            choice["message"] for choice in value["choices"] if isinstance(choice, Mapping) and "message" in choice
        ]
        held = [{"created": value.get("created"), **each} for each in answers if is_message(each)] or None
    return (held, _session(value)) if held is not None else None


def _session(value: Mapping[str, Any]) -> str | None:
    """What an object calls its conversation."""
    names = ("session", "session_id", "thread_id", "sessionId", "conversationId", "conversation_id", "id")
    return next((str(value[name]) for name in names if _is_name(value.get(name))), None)


def _is_name(value: object) -> bool:
    """Whether `value` can name a session."""
    if isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, str) and bool(value.strip())


def unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """LangChain writes a message inside `data` (`message_to_dict`) or `kwargs` (`dumps`): that object, typed."""
    if isinstance(value.get("data"), Mapping) and "content" in value["data"]:
        return {"type": value.get("type"), **value["data"]}
    if isinstance(value.get("kwargs"), Mapping) and isinstance(value.get("id"), list):
        kind = str(value["id"][-1]).removesuffix("Chunk").removesuffix("Message").lower() if value["id"] else "user"
        return {**value["kwargs"], "type": kind}
    return value


def _said_by(value: Mapping[str, Any]) -> tuple[str, str | None]:
    """(the role, who said it where that is a person's name). A sender who is not known to be the user is a participant
    of the chat: nobody's words pass for the user's."""
    named = value.get("role")
    if named is None:
        # LangChain and agents' logs call the role `type`; others, the kind of line, or of message beside its sender.
        kind = value.get("type")
        said = kind is not None and (is_role(kind) or (kind not in RECORD_KINDS and _sender(value) is None))
        named = kind if said else None
    if named is not None:
        return checked_text(role_of(named)), None
    sender = _sender(value)
    own = next((value[name] for name in _OWN if isinstance(value.get(name), bool)), None)
    if own is not None:
        other = role_of(sender) if sender is not None and is_role(sender) else PARTICIPANT
        return ("user" if own else other), (None if is_role(sender) else sender)
    if sender is not None and is_role(sender):
        return role_of(sender), None
    if sender is not None:
        return PARTICIPANT, sender
    labelled = next((value[name] for name in ("speaker", "name") if is_role(value.get(name))), None)
    return (role_of(labelled) if labelled is not None else "user"), None


def _sender(value: Mapping[str, Any]) -> str | None:
    """What a message calls who wrote it."""
    for field in _SENDERS:
        given = value.get(field)
        names = map(given.get, _SENDERS_NAMES) if isinstance(given, Mapping) else [given]
        if found := next((each.strip() for each in names if isinstance(each, str) and each.strip()), None):
            return found
    return None


def _trust(value: Mapping[str, Any], role: str) -> Trust:
    """A message may ask for less trust than its role has, and not for more."""
    named = value.get("trust")
    return trust_of(role) if named is None else least_trusted(trust_of(role), checked_trust(named))


def words(content: object, depth: int = 0) -> tuple[str | None, list[str]]:
    """(the words, the texts of tool results) of a content: a string, a part, or a list of strings and parts.

    Parts that nobody said, and pictures, are left out. Raises `InvalidInput` for anything else."""
    if depth > DEEPEST:
        raise InvalidInput(f"its content is nested more than {DEEPEST} deep: flatten it")
    content = plain(content)
    if isinstance(content, str):
        return content, []
    if content is None:
        return None, []
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, (list, tuple)):
        raise InvalidInput("its content is neither a string nor a list of parts")
    said: list[str] = []
    results: list[str] = []
    for block in map(plain, content):
        if isinstance(block, str):
            said.append(block)
        elif block is None:
            continue
        elif not isinstance(block, Mapping):
            raise InvalidInput("a part of its content is neither a string nor an object")
        elif (result := _result_in(block)) is not None:
            inner, nested = words(result, depth + 1)
            results += [inner or "", *nested]
        elif _HIDDEN.fullmatch(str(block.get("type"))) or block.get("thought"):
            continue
        elif isinstance(block.get("text"), str):
            said.append(block["text"])
        elif isinstance(block.get("text"), Mapping) and isinstance(block["text"].get("value"), str):
            # OpenAI's assistants write a text with its annotations.
            said.append(block["text"]["value"])
        elif block.get("type") in TEXTS and isinstance(block.get("content"), str):
            # as OpenTelemetry has it
            said.append(block["content"])
    return ("\n".join(said) if said else None), results


def _result_in(block: Mapping[str, Any]) -> Any:
    """The content of a part that holds a tool's result, as Anthropic, Bedrock and Gemini write it; None for others."""
    if isinstance(block.get("toolResult"), Mapping):
        return block["toolResult"].get("content") or ""
    if not RESULT.fullmatch(str(block.get("type"))):
        return None
    found = next((block[name] for name in ("content", "output", "result") if block.get(name) is not None), "")
    return found if isinstance(found, (str, list)) or (isinstance(found, Mapping) and "text" in found) else ""


def _string(value: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        found = value.get(name)
        if found is None or found == "":
            continue
        if isinstance(found, bool) or not isinstance(found, (str, int)):
            raise InvalidInput(f"its {name} is not a string")
        return checked_text(str(found))
    return None


def _time(value: Mapping[str, Any]) -> datetime | None:
    for name in _TIMES:
        try:
            found = moment(value.get(name))
        except InvalidDate as error:
            raise InvalidDate(f"its {name}: {error}") from None
        if found is not None:
            return found
    return next((found for name in _OTHER_TIMES if (found := moment_or_none(value.get(name))) is not None), None)


def _metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    """The message's own metadata, and its other fields with a plain value."""
    given = value.get("metadata")
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInput("its metadata is not an object")
    others = {
        key: item
        for key, item in value.items()
        if key not in _KNOWN and isinstance(item, (str, int, float, bool)) and item != ""
    }
    return sound_json({**others, **(given or {})}, "its metadata")
