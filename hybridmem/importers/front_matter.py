"""The block of YAML, or of TOML between plus signs, at the beginning of a Markdown file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.importers.encoding import opened

MAX_FILE = 64 * 2**20
"""Bytes of the largest Markdown file that is read."""
EXPORT_MARK = "hybridmem"
"""The entry that a file of `hybridmem export --markdown` has: what it says is in a memory already."""

_BLOCK = re.compile(r"---[ \t]*\r?\n(?P<yaml>.{0,65536}?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(?P<toml>.{0,65536}?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"([A-Za-z_][\w -]{0,60}?):(?:\s+(.*))?")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a file says about itself."""

    fields: dict[str, Any]
    """Plain JSON values; dates in ISO 8601."""
    end: int
    """Where the body begins."""


def parse(text: str) -> FrontMatter | None:
    """The front matter at the beginning of `text`; None where there is none.

    Where it is no YAML, as people and models write it by hand, its lines are read as ``name: value``."""
    found = _BLOCK.match(text)
    if found is None:
        return _toml(text)
    fields = _fields(found["yaml"])
    return FrontMatter(fields, found.end()) if fields or not found["yaml"].strip() else None


def _toml(text: str) -> FrontMatter | None:
    found = _TOML.match(text)
    if found is None:
        return None
    try:
        return FrontMatter(_plain(tomllib.loads(found["toml"].replace("\r\n", "\n"))), found.end())
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def blocks(text: str) -> Iterator[tuple[dict[str, Any], str]]:
    """(front matter, the text behind it) of each block of a file that is made of such blocks."""
    found = parse(text)
    while found is not None:
        fields, start = found.fields, found.end
        following = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
        found, end = None, len(text)
        for mark in following.finditer(text, start):
            # a rule in the text is no block
            if (next_block := parse(text[mark.start() : mark.start() + 70_000])) is not None and next_block.fields:
                found, end = FrontMatter(next_block.fields, mark.start() + next_block.end), mark.start()
                break
        yield fields, text[start:end].strip()


def text_of(path: Path) -> str:
    """The whole of a Markdown file. Raises `InvalidInput` and `InvalidEncoding`."""
    if path.stat().st_size > MAX_FILE:
        raise InvalidInput(f"{path} is a Markdown file above {MAX_FILE:,} bytes: split it")
    with opened(path) as stream:
        raw = stream.read()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidEncoding(
            f"{path} is not valid UTF-8 at byte {error.start + 1}: convert it, as in iconv -f latin1 -t utf-8"
        ) from None


def _fields(yaml_text: str) -> dict[str, Any]:
    import yaml

    try:
        loaded = yaml.load(yaml_text, _loader())  # noqa: S506  a safe loader, without references
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        loaded = None
    if isinstance(loaded, dict):
        return {str(name): _plain(value) for name, value in loaded.items()}
    found = (_FIELD.fullmatch(line.strip()) for line in yaml_text.splitlines() if not line.startswith((" ", "\t", "-")))
    return {each[1]: (each[2] or "").strip().strip("\"'") for each in found if each is not None}


@cache
def _loader() -> Any:
    """YAML's safe loader, which takes no references: a few lines of them stand for gigabytes."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("references are not read")
            return super().compose_node(parent, index)

    return Loader


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)
