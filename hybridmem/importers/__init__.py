"""Files into turns: plain text, JSON lines, chats in OpenAI's, Anthropic's and LangChain's spelling, and LoCoMo.

turns = IntactTurns(read("chat.jsonl"))
added = memory.add_turns(turns)
report = ImportReport(tuple(episode.id for episode in added), tuple(turns.broken))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hybridmem.core.errors import UnknownFormat
from hybridmem.importers import jsonl, locomo, openai, text
from hybridmem.importers.base import BrokenLine, ImportedTurn, ImportReport, IntactTurns, checked_file
from hybridmem.importers.detect import detect

__all__ = ["FORMATS", "BrokenLine", "ImportReport", "ImportedTurn", "IntactTurns", "detect", "read"]

FORMATS: Mapping[str, Callable[[Path], Iterator[ImportedTurn | BrokenLine]]] = {
    "text": text.read,
    "jsonl": jsonl.read,
    "openai": openai.read,
    "locomo": locomo.read,
}


def read(path: str | Path, format: str = "auto") -> Iterator[ImportedTurn | BrokenLine]:
    """The turns of the file at `path` in order, with a `BrokenLine` in place of each that could not be read.

    The path and the format are checked at once. Raises `InvalidInput` for a file that cannot be read,
    `UnknownFormat`, and `InvalidEncoding` for a text that is not UTF-8. Texts and JSON lines are streamed."""
    if format != "auto" and format not in FORMATS:
        raise UnknownFormat(f"no format {format!r}: choose one of auto, {', '.join(FORMATS)}")
    file = checked_file(Path(path))
    return FORMATS[detect(file) if format == "auto" else format](file)
