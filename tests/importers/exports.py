"""A small file of every format's documented shape, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hybridmem.importers import BrokenLine, ImportedFact, ImportedTurn, LeftOut, read

SECOND = 1_700_000_000
"""2023-11-14 22:13:20 UTC."""


def write(folder: Path, name: str, content: Any) -> Path:
    """A file of bytes, of text, or of a value as JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def turns(path: Path, **options: Any) -> list[ImportedTurn]:
    return [entry for entry in read(path, **options) if isinstance(entry, ImportedTurn)]


def facts(path: Path) -> list[tuple[str, str, str]]:
    found = [entry for entry in read(path) if isinstance(entry, ImportedFact)]
    return [(fact.subject, fact.relation, fact.object) for fact in found]


def broken(path: Path) -> list[BrokenLine]:
    return [entry for entry in read(path) if isinstance(entry, BrokenLine)]


def left_out(path: Path) -> list[str]:
    return [entry.reason for entry in read(path) if isinstance(entry, LeftOut)]


def said(path: Path, **options: Any) -> list[tuple[str, str | None, str]]:
    return [(turn.role, turn.speaker, turn.text) for turn in turns(path, **options)]


def chatgpt_conversation(*said: tuple[str, str], id: str = "0123456789abcdef-1", **fields: Any) -> dict[str, Any]:
    """A conversation of (role, text) messages, one below the other."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    parent = "root"
    for number, (role, text) in enumerate(said):
        node = f"{id}-message-{number}"
        message = {
            "id": node,
            "author": {"role": role},
            "create_time": SECOND + number,
            "content": {"content_type": "text", "parts": [text]},
        }
        mapping[node] = {"id": node, "message": message, "parent": parent, "children": []}
        parent = node
    return {"title": "Pets", "conversation_id": id, "mapping": mapping, "current_node": parent, **fields}


def claude_conversation(*said: tuple[str, str], uuid: str = "0123456789abcdef-c") -> dict[str, Any]:
    messages = [
        {
            "uuid": f"{uuid}-{number}",
            "sender": sender,
            "text": text,
            "content": [{"type": "text", "text": text}],
            "created_at": f"2026-03-01T09:00:{number:02}Z",
            "attachments": [],
        }
        for number, (sender, text) in enumerate(said)
    ]
    return {"uuid": uuid, "name": "Pets", "created_at": "2026-03-01T09:00:00Z", "chat_messages": messages}


def claude_code_line(kind: str, content: Any, number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": f"0123456789abcdef-{kind}-{number}",
        "sessionId": "s1",
        "timestamp": f"2026-03-01T09:00:{number:02}Z",
        "message": {"role": kind, "content": content},
        **fields,
    }


def codex_line(role: str, text: str, number: int = 0) -> dict[str, Any]:
    part = {"type": "input_text" if role == "user" else "output_text", "text": text}
    payload = {"type": "message", "role": role, "content": [part]}
    return {"timestamp": f"2026-03-01T09:00:{number:02}Z", "type": "response_item", "payload": payload}


def slack_message(user: str, text: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": f"{SECOND + number}.000100", **fields}


def messenger_message(sender: str, text: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    stamp = (SECOND + number) * 1000
    return {"sender_name": sender, "timestamp_ms": stamp, "content": text.encode().decode("latin-1"), **fields}


def discord_message(sender: str, text: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "type": "Default",
        "timestamp": f"2023-11-14T22:13:{20 + number}.123+00:00",
        "content": text,
        "author": {"id": "5", "name": sender.lower(), "nickname": sender, "isBot": False},
        **fields,
    }


def telegram_message(id: int, sender: str, text: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "type": "message",
        "date": "2023-11-14T23:13:20",
        "date_unixtime": str(SECOND + id),
        "from": sender,
        "from_id": f"user{len(sender)}",
        "text": text,
        **fields,
    }


def aider_session(*lines: str, at: str = "2023-11-14 22:13:20") -> str:
    return "\n".join(["", f"# aider chat started at {at}", "", "> Aider v0.86.2  ", "", *lines, ""])


def mem0_memory(id: str, text: str) -> dict[str, Any]:
    return {
        "id": id,
        "memory": text,
        "user_id": "ana",
        "metadata": {"topic": "pets"},
        "created_at": "2026-03-01T09:00:00Z",
    }


def letta_file(*said: tuple[str, str]) -> dict[str, Any]:
    messages = [
        {
            "id": f"message-{number}",
            "role": role,
            "content": [{"type": "text", "text": text}],
            "created_at": f"2026-03-01T09:00:{number:02}Z",
        }
        for number, (role, text) in enumerate(said)
    ]
    block = {"id": "block-0", "label": "human", "value": "Likes ferrets.", "description": "the user", "limit": 5000}
    return {"agents": [{"name": "Sam", "block_ids": ["block-0"], "messages": messages}], "blocks": [block], "tools": []}


def store_item(key: str, value: Any) -> dict[str, Any]:
    return {"namespace": ["users", "ana"], "key": key, "value": value, "created_at": "2026-03-01T09:00:00Z"}


def hindsight_document(id: str, text: str, *stated: str) -> dict[str, Any]:
    listed = [{"text": fact, "fact_type": "world", "mentioned_at": "2026-03-01T09:00:00Z"} for fact in stated]
    return {"id": id, "original_text": text, "tags": ["pets"], "created_at": "2026-03-01T08:00:00Z", "facts": listed}


EXPORTS: dict[str, Callable[[Path, Sequence[str]], Path]] = {
    "text": lambda folder, said: write(folder, "notes.txt", "\n\n".join(said)),
    "jsonl": lambda folder, said: write(folder, "log.jsonl", lines(*({"text": text} for text in said))),
    "openai": lambda folder, said: write(folder, "chat.json", [{"role": "user", "content": text} for text in said]),
    "chatgpt": lambda folder, said: write(
        folder, "conversations.json", [chatgpt_conversation(("user", t), id=f"0123456789abcdef-{t}") for t in said]
    ),
    "claude": lambda folder, said: write(
        folder, "conversations.json", [claude_conversation(("human", t), uuid=f"0123456789abcdef-{t}") for t in said]
    ),
    "claude-code": lambda folder, said: write(
        folder, "s1.jsonl", lines(*(claude_code_line("user", text, number) for number, text in enumerate(said)))
    ),
    "codex": lambda folder, said: write(
        folder, "rollout-1.jsonl", lines(*(codex_line("user", text, number) for number, text in enumerate(said)))
    ),
    "gemini": lambda folder, said: write(
        folder,
        "session-1.jsonl",
        lines(
            {"type": "session_metadata", "sessionId": "s1"}, *({"type": "user", "content": [{"text": t}]} for t in said)
        ),
    ),
    "slack": lambda folder, said: write(
        folder, "2023-11-14.json", [slack_message("U1", text, number) for number, text in enumerate(said)]
    ),
    "telegram": lambda folder, said: write(
        folder,
        "result.json",
        {
            "name": "Ivo",
            "type": "personal_chat",
            "id": 7,
            "messages": [telegram_message(number, "Ivo", text) for number, text in enumerate(said)],
        },
    ),
    "messenger": lambda folder, said: write(
        folder,
        "message_1.json",
        {
            "title": "Ivo",
            "messages": [messenger_message("Ivo", text, number) for number, text in enumerate(said)][::-1],
        },
    ),
    "discord": lambda folder, said: write(
        folder,
        "general.json",
        {
            "channel": {"id": "9", "name": "general"},
            "messages": [discord_message("Ivo", text, number) for number, text in enumerate(said)],
        },
    ),
    "whatsapp": lambda folder, said: write(
        folder,
        "WhatsApp Chat with Ivo.txt",
        "".join(f"[14/11/2023, 22:13:{number:02}] Ivo: {text}\n" for number, text in enumerate(said)),
    ),
    "aider": lambda folder, said: write(
        folder,
        ".aider.chat.history.md",
        aider_session(*(line for text in said for line in (f"#### {text}  ", "", "Done.", ""))),
    ),
    "mem0": lambda folder, said: write(
        folder, "mem0.json", {"results": [mem0_memory(f"0123456789abcdef{text}", text) for text in said]}
    ),
    "letta": lambda folder, said: write(folder, "sam.af", letta_file(*(("user", text) for text in said))),
    "langgraph": lambda folder, said: write(folder, "store.json", [store_item(text, {"text": text}) for text in said]),
    "mcp-memory": lambda folder, said: write(
        folder, "memory.jsonl", lines(*({"type": "entity", "name": "Ana", "observations": [text]} for text in said))
    ),
    "hindsight": lambda folder, said: write(
        folder, "000000.json", [hindsight_document(text, text, f"Fact: {text}") for text in said]
    ),
    "markdown": lambda folder, said: write(
        folder, "AGENTS.md", "".join(f"# {number}\n{text}\n" for number, text in enumerate(said))
    ),
    "csv": lambda folder, said: write(
        folder, "messages.csv", "role,created_at,text\n" + "".join(f'user,2026-03-01,"{text}"\n' for text in said)
    ),
}
"""Writes the texts as a file of each format, one message each, at once or longer month by month."""
