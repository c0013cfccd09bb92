"""The format of a file, detected by its content."""

from __future__ import annotations

import json
from pathlib import Path

from hybridmem.core.errors import EmptyText, InvalidEncoding, InvalidInput, UnknownFormat
from hybridmem.importers import locomo, openai
from hybridmem.importers.base import document, lines
from hybridmem.importers.message import is_message

HEAD = 64 * 2**10
SAMPLE = 20
"""Lines that are parsed as JSON for the detection."""

_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def detect(path: Path) -> str:
    """One of ``text``, ``jsonl``, ``openai`` and ``locomo``. Raises `UnknownFormat`, `EmptyText`, `InvalidEncoding`.

    A file that starts like JSON is JSON lines if at least half of its first lines are objects, and otherwise one
    document. A text may start with a bracket too, so broken JSON is an error only if the file's suffix says JSON."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head.strip():
        raise EmptyText(f"{path} is empty: there is nothing to import")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidEncoding(f"{path} is UTF-16: convert it, as in iconv -f utf-16 -t utf-8")
    if len(head.translate(None, _CONTROL)) < len(head):
        raise UnknownFormat(f"{path} is a binary file: the importers read text, JSON lines, OpenAI messages and LoCoMo")
    json_like = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    objects, sampled = _objects(path)
    if sampled > 1 and objects and 2 * objects >= sampled:
        return "jsonl"
    if json_like and (whole := _whole(path)):
        return "jsonl" if sampled == 1 and whole == "message" else whole.replace("message", "openai")
    suffix = path.suffix.lower()
    if suffix in {".jsonl", ".ndjson"} or (json_like and objects):
        return "jsonl"
    if json_like and suffix == ".json":
        document(path)
    return "text"


def _objects(path: Path) -> tuple[int, int]:
    """(number of JSON objects among the first lines, number of these lines)."""
    objects = sampled = 0
    for _, raw in lines(path):
        if raw is None or raw.strip():
            sampled += 1
            objects += raw is not None and _is_object(raw)
        if sampled == SAMPLE:
            break
    return objects, sampled


def _is_object(raw: bytes) -> bool:
    try:
        value = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return isinstance(value[0] if isinstance(value, list) and value else value, dict)


def _whole(path: Path) -> str | None:
    """``locomo``, ``openai`` or ``message`` (a single one) for a file that is one JSON document; else None."""
    try:
        value = document(path)
    except InvalidInput:
        return None
    if locomo.recognises(value):
        return "locomo"
    if openai.recognises(value):
        return "message" if is_message(value) else "openai"
    raise UnknownFormat(
        f"{path} is JSON of a shape that no importer reads: expected messages, LoCoMo samples, or one object a line"
    )
