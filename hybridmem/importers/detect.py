"""The format of a file, detected by its content."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from hybridmem.core.errors import EmptyText, InvalidInput, UnknownFormat
from hybridmem.importers import (
    aider,
    chatgpt,
    claude,
    claude_code,
    codex,
    csv_rows,
    discord,
    gemini,
    hindsight,
    langgraph,
    letta,
    locomo,
    markdown,
    mcp_memory,
    mem0,
    messenger,
    openai,
    slack,
    telegram,
    whatsapp,
)
from hybridmem.importers import text as plain_text
from hybridmem.importers.base import document, lines
from hybridmem.importers.encoding import opened
from hybridmem.importers.json_values import Shape, first_values, is_several
from hybridmem.importers.message import is_message
from hybridmem.importers.reader import JsonFormat

HEAD = 64 * 2**10
SAMPLE = 20
"""Lines, or items of a list, that are parsed as JSON for the detection."""

JSON_FORMATS: tuple[JsonFormat, ...] = (
    JsonFormat("chatgpt", chatgpt.recognises, chatgpt.Reader),
    JsonFormat("claude", claude.recognises, claude.Reader),
    JsonFormat("claude-code", claude_code.recognises, claude_code.Reader),
    JsonFormat("codex", codex.recognises, codex.Reader),
    JsonFormat("telegram", telegram.recognises, telegram.Reader),
    JsonFormat("messenger", messenger.recognises, messenger.Reader),
    JsonFormat("discord", discord.recognises, discord.Reader),
    JsonFormat("slack", slack.recognises, slack.Reader),
    JsonFormat("letta", letta.recognises, letta.Reader),
    JsonFormat("langgraph", langgraph.recognises, langgraph.Reader),
    JsonFormat("mcp-memory", mcp_memory.recognises, mcp_memory.Reader),
    JsonFormat("mem0", mem0.recognises, mem0.Reader),
    JsonFormat("hindsight", hindsight.recognises, hindsight.Reader),
    JsonFormat("gemini", gemini.recognises, gemini.Reader),
)
"""Formats that each value of a file tells, the most particular first."""

_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_BINARY = (b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"SQLite format 3", b"\xff\xd8\xff", b"GIF8", b"Rar!")
_OTHERS = (
    ("RTF", re.compile(r"\{\\rtf\d")),
    ("a calendar or address file", re.compile(r"BEGIN:V(?:CALENDAR|CARD)\b", re.IGNORECASE)),
    ("a file of subtitles", re.compile(r"WEBVTT\b|\d+\r?\n\d\d:\d\d:\d\d[,.]\d{3} --> ")),
    (
        "mail",
        re.compile(
            r"From \S+@\S+ .*\d{4}\r?\n|(?=(?:[\w-]+: .*\r?\n|[ \t].*\r?\n)*From: )"
            r"(?=(?:[\w-]+: .*\r?\n|[ \t].*\r?\n)*Date: )(?:[\w-]+: .*\r?\n|[ \t].*\r?\n){3,}\r?\n"
        ),
    ),
    ("XML", re.compile(r"<\?xml\b")),
)
"""Texts that hold words in a form of their own: as lines, they would be the user's."""
_BINARY_SHARE = 0.05
"""Control characters in binary files: every seventh or so. A text may have lost one or two bytes."""


def detect(path: Path) -> str:
    """The name of the file's format. Raises `UnknownFormat` and `EmptyText`.

    A file that starts like JSON is JSON lines if at least half of its first lines are objects, and otherwise one
    document. A text may start with a bracket too, so broken JSON is an error only if the file's suffix says JSON."""
    with opened(path) as stream:
        head = stream.read(HEAD)
    if not head.strip():
        raise EmptyText(f"{path} is empty: there is nothing to import")
    _refuse_binary(path, head)
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if begins == b"[" and (of_items := _json_format(first_values(path, "list", SAMPLE))):
        return of_items.name
    objects, sampled, parsed = _objects(path)
    if sampled > 1 and objects and 2 * objects >= sampled:
        of_lines = _json_format(parsed)
        return of_lines.name if of_lines is not None else "jsonl"
    json_like = begins in (b"{", b"[")
    if begins == b"{" and is_several(path):
        of_several = _json_format(first_values(path, "several", SAMPLE))
        return of_several.name if of_several is not None else "jsonl"
    if json_like and (whole := _whole(path)):
        return "jsonl" if sampled == 1 and whole == "message" else whole.replace("message", "openai")
    suffix = path.suffix.lower()
    if suffix in {".jsonl", ".ndjson"} or (json_like and objects):
        of_lines = _json_format(parsed)
        return of_lines.name if of_lines is not None else "jsonl"
    if begins == b"[" and any(map(is_message, first_values(path, "list", SAMPLE))):
        return "openai"  # cut, or broken in the middle
    if suffix == ".json" and (json_like or _is_document(path)):
        value = document(path)
        raise UnknownFormat(f"{path} is JSON without messages: it holds {json.dumps(value)[:40]} alone")
    return _text_format(path, head)


def shape_of(path: Path) -> Shape:
    """How a JSON file holds its values. Raises `InvalidInput` for a file that cannot be read."""
    with opened(path) as stream:
        begins = stream.read(HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    objects, sampled, _ = _objects(path)
    if sampled > 1 and objects and 2 * objects >= sampled:
        return "lines"
    named_lines = path.suffix.lower() in {".jsonl", ".ndjson"}
    if begins == b"[" and not (named_lines and objects):
        return "list"
    if begins == b"{" and is_several(path):
        return "several"
    return "lines" if (named_lines or objects) and not _is_document(path) else "object"


def json_format(name: str) -> JsonFormat | None:
    """The format of that name, if it is one of JSON values."""
    return next((each for each in JSON_FORMATS if each.name == name), None)


def _json_format(values: Iterable[object]) -> JsonFormat | None:
    """The format that most of `values` are of."""
    votes: Counter[int] = Counter()
    for value in values:
        number = next((n for n, each in enumerate(JSON_FORMATS) if each.recognises(value)), None)
        if number is not None:
            votes[number] += 1
    return JSON_FORMATS[votes.most_common(1)[0][0]] if votes else None


def _refuse_binary(path: Path, head: bytes) -> None:
    controls = len(head) - len(head.translate(None, _CONTROL))
    if head.startswith(_BINARY) or (controls > 1 and controls > _BINARY_SHARE * len(head)):
        raise UnknownFormat(
            f"{path} is a binary file: the importers read text, Markdown, JSON and JSON lines, and zips"
        )


def _text_format(path: Path, head: bytes) -> str:
    """The format of what is no JSON."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    if whatsapp.recognises(path):
        return "whatsapp"
    if aider.recognises(path):
        return "aider"
    if path.name.lower() not in markdown.INSTRUCTIONS and plain_text.is_chat(path):
        return "text"
    if markdown.recognises(path, text):
        return "markdown"
    start = text.lstrip()[:500].lower()
    if start.startswith(("<!doctype html", "<html")) or (start.startswith("<") and "<body" in text[:20_000].lower()):
        raise UnknownFormat(f"{path} is HTML: import the export's JSON instead, or save the page as text or Markdown")
    if csv_rows.header(text) is not None or path.suffix.lower() in {".csv", ".tsv"}:
        return "csv"
    if (kind := next((name for name, begins in _OTHERS if begins.match(text.lstrip())), None)) is not None:
        raise UnknownFormat(
            f"{path} is {kind}, which no importer reads: save its words as text, Markdown or JSON lines"
        )
    return "text"


def _objects(path: Path) -> tuple[int, int, list[object]]:
    """(number of JSON objects among the first lines, number of these lines, the parsed ones)."""
    sampled = objects = 0
    parsed: list[object] = []
    for _, raw in lines(path):
        if raw is None or raw.strip():
            sampled += 1
            value = _parsed(raw) if raw is not None else None
            if isinstance(value[0] if isinstance(value, list) and value else value, dict):
                objects += 1
                parsed.append(value)
        if sampled == SAMPLE:
            break
    return objects, sampled, parsed


def _parsed(raw: bytes) -> object:
    try:
        value: object = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value


def _is_document(path: Path) -> bool:
    try:
        document(path)
    except InvalidInput:
        return False
    return True


def _whole(path: Path) -> str | None:
    """The format of a file that is one JSON document, ``message`` for a single one; None for what is no JSON."""
    try:
        value = document(path)
    except InvalidInput:
        return None
    if value in ([], {}):
        raise EmptyText(f"{path} holds nothing: there is nothing to import")
    if locomo.recognises(value):
        return "locomo"
    if (found := _json_format([value])) is not None:
        return found.name
    if (holder := next((each for each in JSON_FORMATS if each.held(value)), None)) is not None:
        return holder.name
    if openai.recognises(value):
        return "message" if is_message(value) else "openai"
    raise UnknownFormat(
        f"{path} is JSON of a shape that no importer reads: docs/importing.md lists the exports, messages and lines "
        f"that are read"
    )
