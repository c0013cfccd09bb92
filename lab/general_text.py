"""Plain text for general English: public-domain novels and PEPs, and task dialogues (SGD, CC BY-SA 4.0)."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

_BREAK = b"<|doc|>"
_SENTENCE = re.compile(r"(?<=[.!?])[\"”']?\s+(?=[\"“']?[A-Z])")


class GeneralText:
    """Chunks of the files in a folder, unpacked once, when the first chunk is asked for."""

    def __init__(self, folder: Path, least: int = 560, most: int = 700) -> None:
        self._folder, self._least, self._most = folder, least, most
        self._sources: list[bytes] = []

    def chunk(self, rng: Random) -> str:
        """A run of `least` to `most` characters from one document, beginning at a sentence, line or paragraph."""
        if not self._sources:
            self._sources = [_novels(self._folder), _peps(self._folder), _dialogues(self._folder)]
        while True:
            kind = rng.choices((0, 1, 2), cum_weights=(65, 75, 100))[0]
            source = self._sources[kind]
            start = int(rng.random() * max(1, len(source) - 4 * self._most))
            taken = source[start : start + 2 * self._most]
            if _BREAK in taken:
                continue
            text = taken.decode("utf-8", errors="ignore")
            text = _at_sentence(text) if kind == 0 else text.partition("\n")[2].lstrip("\n")
            text = _shortened(text, rng.randint(self._least, self._most))
            if len(text) >= self._least // 2:
                return text


def _at_sentence(text: str) -> str:
    """Prose from its first sentence break on, its hard-wrapped lines joined."""
    found = _SENTENCE.search(text)
    prose = text[found.end() :] if found else ""
    return re.sub(r"\n{2,}", "\n\n", re.sub(r"(?<!\n)\n(?!\n)", " ", prose.replace("\r", "")))


def _shortened(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text.strip()
    return text[:characters].rpartition(" ")[0].strip()


def _novels(folder: Path) -> bytes:
    return lzma.decompress((folder / "novels.txt.xz").read_bytes())


def _peps(folder: Path) -> bytes:
    return _joined(record["text"] for record in _records(folder / "peps.jsonl.xz"))


def _dialogues(folder: Path) -> bytes:
    names = {"USER": "User", "SYSTEM": "Agent"}
    return _joined(
        "\n".join(f"{names[speaker]}: {text}" for speaker, text in record["turns"])
        for record in _records(folder / "sgd_dialogues.jsonl.xz")
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _joined(texts: Iterable[str]) -> bytes:
    return f"\n{_BREAK.decode()}\n".join(texts).encode()
