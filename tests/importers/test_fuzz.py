"""Damaged files of every format: no importer crashes, and no line that is still whole is lost."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.importers import BrokenLine, ImportedFact, ImportedTurn, LeftOut, read
from tests.importers.exports import EXPORTS

BY_LINES = ("jsonl", "claude-code", "codex", "gemini", "mcp-memory", "whatsapp")
"""Formats of which every line stands for itself."""
SAID = [f"Said {name}." for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")]
BITS = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"\\",
        b",",
        b":",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"null",
        b"[[[[",
    ),
    *(
        b'{"type": 3}',
        b"NaN",
        b"1e999",
        b"-",
        b"---\n",
        b"# ",
        b"\\ud800",
        b"\xed\xa0\x80",
        b"99999999999999999999",
        b"\t",
    ),
)
"""What is put into a file: pieces of syntax, odd bytes and odd values."""
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 1.5, "", " ", "x", "user", "message", "\ud800", "a\x00b", [], {}, [[]], [{}]),
    *([None], {"": None}, {"text": 3}, {"type": []}, [{"type": {}, "text": "x"}], "x" * 300, "2026-13-45", 1e308),
)
"""Values of other types than those that are documented."""


def damaged(content: bytes, chance: random.Random) -> bytes:
    """`content` with some bytes turned, cut, doubled or put in."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(found) + 1)
        length = chance.choice((1, 1, 2, 5, 20, 100))
        kind = chance.randrange(4)
        if kind == 0:
            found[place:place] = chance.choice(BITS)
        elif kind == 1:
            del found[place : place + length]
        elif kind == 2:
            found[place:place] = found[chance.randrange(len(found) + 1) :][:length]
        elif place < len(found):
            found[place] = chance.randrange(256)
    return bytes(found)


def with_odd_values(content: bytes, chance: random.Random) -> bytes:
    """`content`, if it is JSON, with values of other types in some places; each line is one of its values, or all."""
    try:
        return json.dumps(_odd(json.loads(content), chance)).encode()
    except ValueError:
        pass
    lines = content.split(b"\n")
    place = chance.randrange(len(lines))
    try:
        lines[place] = json.dumps(_odd(json.loads(lines[place]), chance)).encode()
    except ValueError:
        return damaged(content, chance)
    return b"\n".join(lines)


def _odd(value: Any, chance: random.Random) -> Any:
    if not value or not isinstance(value, (dict, list)) or chance.random() < 0.15:
        return copy.deepcopy(chance.choice(ODD))
    place = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
    value[place] = _odd(value[place], chance)
    return value


def fuzz(folder: Path, inputs: int, seed: int) -> None:
    chance = random.Random(seed)
    for format, make in sorted(EXPORTS.items()):
        whole = make(folder / format, SAID)
        content = whole.read_bytes()
        parts = [line for line in content.split(b"\n") if b"Said " in line]
        for number in range(inputs // len(EXPORTS)):
            changed = with_odd_values(content, chance) if number % 3 == 0 else damaged(content, chance)
            whole.write_bytes(changed)
            try:
                entries = list(read(whole, chance.choice(("auto", format))))
            except InvalidInput as error:
                assert "\n" not in str(error), (format, number, changed)
                entries = None
            except Exception as error:
                raise AssertionError(f"{format}, input {number}: {changed!r}") from error
            if entries is None:
                assert format not in BY_LINES or _unreadable(changed, parts), (format, number, changed)
                continue
            assert all(isinstance(each, (ImportedTurn, ImportedFact, BrokenLine, LeftOut)) for each in entries)
            if format in BY_LINES:
                texts = "\n".join(each.text for each in entries if isinstance(each, ImportedTurn))
                left = changed.split(b"\n")
                for said, line in zip(SAID, parts, strict=True):
                    assert line not in left or said in texts, (format, number, said, changed)


def _unreadable(content: bytes, lines: list[bytes]) -> bool:
    """Whether hardly one of the file's lines is as it was, or it begins as another kind of file."""
    left = content.split(b"\n")
    return sum(line in left for line in lines) < 3 or content.startswith((b"\xff\xfe", b"\xfe\xff"))


def test_damaged_files_lose_no_whole_line(tmp_path: Path) -> None:
    fuzz(tmp_path, 540, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_damaged_files(tmp_path: Path) -> None:
    fuzz(tmp_path, 100_000, seed=2)
