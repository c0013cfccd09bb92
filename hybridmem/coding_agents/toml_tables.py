"""One table of a TOML file, put in and taken out: every other byte stays.

The file is parsed before and after. A change that would touch anything else is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from hybridmem.core.errors import InvalidInput

_HEADER = re.compile(r"[ \t]*\[{1,2}[^\r\n]*")


def parse(text: str) -> dict[str, Any]:
    """The document. Raises `InvalidInput`, which says the line."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"it is no TOML: {error}") from None


def with_table(text: str, path: Sequence[str], table: Mapping[str, Any]) -> str:
    """`text` with `table` (texts, numbers, booleans and lists of them) at `path`, at the end of the file where it is
    new. Raises `InvalidInput` for what is no TOML, and where the table above it is written in one line.

    >>> print(with_table("a = 1\\n", ("servers", "memory"), {"command": "run", "args": ["x"]}))
    a = 1
    <BLANKLINE>
    [servers.memory]
    command = "run"
    args = ["x"]
    <BLANKLINE>
    """
    before = parse(text)
    if _at(before, path) == table:
        return text
    text = without_table(text, path)
    line = "\r\n" if "\r\n" in text else "\n"
    head = "" if not text or text.endswith("\n") else line
    head += line if text.strip() else ""
    block = [f"[{'.'.join(map(_key, path))}]", *(f"{_key(name)} = {_value(each)}" for name, each in table.items())]
    made = text + head + "".join(each + line for each in block)
    if _parsed(made) != _put(before, path, dict(table)):
        raise InvalidInput(f"{path[0]} is written in one line: write it as a table, [{path[0]}]")
    return made


def without_table(text: str, path: Sequence[str]) -> str:
    """`text` without the table at `path` and those below it; as it is where there is none. Raises `InvalidInput`."""
    before = parse(text)
    if _at(before, path) is None:
        return text
    kept: list[str] = []
    dropped: list[str] = []
    within = False
    for each in text.splitlines(keepends=True):
        if _HEADER.match(each):
            header = _path(each)
            inside = header is not None and header[: len(path)] == list(path)
            if inside and not within and kept and not kept[-1].strip() and "".join(kept).strip():
                kept.pop()  # the blank line that stands before it
            if not inside and within:
                # what stands before the next table, as a comment, is that one's
                kept += _trailing(dropped)
            within, dropped = inside, []
        if within:
            dropped.append(each)
        else:
            kept.append(each)
    if within:
        kept += [each for each in _trailing(dropped) if each.strip()]
    made = "".join(kept)
    if _parsed(made) != _put(before, path, None):
        raise InvalidInput(f"[{'.'.join(path)}] stands in it in a form of its own: take it out by hand")
    return made


def _trailing(lines: Sequence[str]) -> list[str]:
    """The blank lines and comments at the end of `lines`."""
    count = 0
    while count < len(lines) and (not lines[-1 - count].strip() or lines[-1 - count].lstrip().startswith("#")):
        count += 1
    return list(lines[len(lines) - count :])


def _path(header: str) -> list[str] | None:
    """The keys of a header line; None for a line that only looks like one."""
    found = _parsed(header.strip())
    if found is None:
        return None
    path = []
    while isinstance(found, Mapping) and len(found) == 1:
        ((name, found),) = found.items()
        path.append(name)
        found = found[0] if isinstance(found, list) and found else found
    return path


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return parse(text)
    except InvalidInput:
        return None


def _at(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _put(document: Mapping[str, Any], path: Sequence[str], value: dict[str, Any] | None) -> dict[str, Any]:
    """A copy of `document` with `value` at `path`; with None, without it and the tables that it leaves empty."""
    name, *rest = path
    inner = document.get(name)
    if rest:
        value = _put(inner if isinstance(inner, Mapping) else {}, rest, value) or None
    others = {key: each for key, each in document.items() if key != name}
    return others if value is None else {**others, name: value}


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's strings, numbers and booleans are TOML's, but for this character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
