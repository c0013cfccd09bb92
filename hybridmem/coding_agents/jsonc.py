"""JSON with comments and trailing commas (JSONC), changed in place: every byte that a change is not about stays.

>>> with_member('{"model": "opus"} // mine', ("mcp", "memory"), {"on": True})
'{"model": "opus", "mcp": {"memory": {"on": true}}} // mine'
>>> without('{"model": "opus", "mcp": {"memory": {"on": true}}} // mine', ("mcp", "memory"))
'{"model": "opus"} // mine'
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hybridmem.core.errors import InvalidInput

Path = Sequence[str | int]
"""From the document down: names of members, numbers of elements."""

DEEPEST = 200
"""Objects and arrays within one another; a file that has more is refused."""
INDENT = "  "
"""One step, in a file that does not show its own."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*[\s\S]*?\*/)*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_REST_OF_LINE = re.compile(r"[ \t]*(?://[^\n]*|/\*[^\n]*?\*/[ \t]*(?=\r?\n))?")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the part of the text that it takes, from `start` up to `end`."""

    value: Any
    start: int
    end: int
    items: tuple[Item, ...] = ()
    """The members of an object, or the elements of an array."""
    comma: int | None = None
    """Where a comma stands behind the last item."""


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object or an element of an array."""

    name: str | int
    start: int
    """Where it begins: a member's at its name."""
    node: Node


def parse(text: str) -> Any:
    """The value of the document; an empty one is an empty object. Raises `InvalidInput`, which says the line."""
    return _document(text).value


def with_member(text: str, path: Sequence[str], value: Any) -> str:
    """`text` with `value` as the member at `path`, in the place of the one that is there, else as the last; the objects
    on the way are made. Raises `InvalidInput` where something else is in the way, and for what is no JSON."""
    if not text.strip("\ufeff \t\r\n"):
        made: Any = value
        for name in reversed(path):
            made = {name: made}
        return text + json.dumps(made, indent=INDENT, ensure_ascii=False) + "\n"
    root = _document(text)
    node, depth = root, 0
    for depth, name in enumerate(path):
        if not isinstance(node.value, dict):
            raise InvalidInput(f"{_named(path[:depth])} is not an object")
        item = _item(node, name)
        if item is None:
            break
        node = item.node
    else:
        return _spliced(text, node.start, node.end, _written(text, root, value, node, len(path)))
    for name in reversed(path[depth + 1 :]):
        value = {name: value}
    return _appended(text, root, node, depth, json.dumps(path[depth], ensure_ascii=False) + ": ", value)


def with_element(text: str, path: Sequence[str], value: Any) -> str:
    """`text` with `value` as the last element of the array at `path`, which is made where nothing is there.

    Raises as `with_member` does."""
    if not text.strip("\ufeff \t\r\n"):
        return with_member(text, path, [value])
    root = _document(text)
    node = _found(root, path)
    if node is None:
        return with_member(text, path, [value])
    if not isinstance(node.value, list):
        raise InvalidInput(f"{_named(path)} is not a list")
    return _appended(text, root, node, len(path), "", value)


def without(text: str, path: Path) -> str:
    """`text` without the member or element at `path`, and without the objects and arrays that then hold nothing, not
    even a comment; as it is where nothing is there. Raises `InvalidInput` for what is no JSON."""
    while path:
        holder = _found(_document(text), path[:-1])
        if holder is None or _item(holder, path[-1]) is None:
            return text
        text = _removed(text, holder, path[-1])
        path = path[:-1]
        above = _found(_document(text), path[:-1]) if path else None
        left = _item(above, path[-1]) if above is not None else None
        if left is None or left.node.items or _has_comment(text, left):
            return text
    return text


def _has_comment(text: str, item: Item) -> bool:
    """Whether a comment stands in an item that holds nothing, or between its name and that."""
    name = _STRING.match(text, item.start)
    between = text[name.end() if name else item.start : item.node.start].strip(" \t\r\n:")
    return bool(between or text[item.node.start + 1 : item.node.end - 1].strip())


def _found(node: Node, path: Path) -> Node | None:
    """The value at `path` below `node`; None where nothing is there."""
    for name in path:
        if (item := _item(node, name)) is None:
            return None
        node = item.node
    return node


def _item(node: Node, name: str | int) -> Item | None:
    """The item of that name; of several, the last, which is the one that counts."""
    return next((item for item in reversed(node.items) if item.name == name), None)


def _named(path: Path) -> str:
    return ".".join(map(str, path)) or "the document"


def _spliced(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _appended(text: str, root: Node, node: Node, depth: int, name: str, value: Any) -> str:
    """`text` with one more item, behind the last of `node`, which lies `depth` below the document."""
    line = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text, root)
    if not node.items:
        inner = text[node.start + 1 : node.end - 1]
        margin = _margin(text, node.start) if depth else ""
        made = line + margin + unit + name + _dumped(value, unit, margin + unit, line) + line + margin
        if not inner.strip():
            return _spliced(text, node.start + 1, node.end - 1, made)
        # a comment stands in it
        at = node.end - 1 - (len(inner) - len(inner.rstrip()))
        return _spliced(text, at, node.end - 1, made)
    last = node.items[-1]
    if "\n" not in text[node.start : last.start]:
        if node.comma is None:
            return _spliced(text, last.node.end, last.node.end, f", {name}{json.dumps(value, ensure_ascii=False)}")
        at = node.comma + 1
        return _spliced(text, at, at, f" {name}{json.dumps(value, ensure_ascii=False)},")
    margin = _margin(text, last.start)
    written = line + margin + name + _dumped(value, unit, margin, line)
    behind = last.node.end if node.comma is None else node.comma + 1
    rest = _REST_OF_LINE.match(text, behind)
    # A comment on the last item's line stays with it.
    at = rest.end() if rest is not None and rest.group().strip() else behind
    if node.comma is not None:
        return _spliced(text, at, at, written + ",")
    return text[:behind] + "," + text[behind:at] + written + text[at:]


def _removed(text: str, node: Node, name: str | int) -> str:
    """`text` without the item, its comma and the blank before it."""
    at = next(n for n in reversed(range(len(node.items))) if node.items[n].name == name)
    item = node.items[at]
    if len(node.items) == 1:
        inner = text[node.start + 1 : item.start] + text[_end(text, node, at) : node.end - 1]
        return _spliced(text, node.start + 1, node.end - 1, inner if inner.strip() else "")
    end = item.node.end
    if at == len(node.items) - 1:
        comma = _comma(text, node.items[at - 1])
        blank = text[comma + 1 : item.start]
        kept = blank.rstrip()
        # The comma before it goes, and a comment between the two stays.
        rest = text[_end(text, node, at) :]
        return text[: comma if node.comma is None else comma + 1] + kept + _on_a_line(blank[len(kept) :], rest)
    comma = _comma(text, item)
    comments = text[end:comma] if text[end:comma].strip() else ""
    rest = comments + text[comma + 1 :]
    if at == 0:
        return text[: item.start] + rest.lstrip()
    start = len(text[: item.start].rstrip())
    return text[:start] + _on_a_line(text[start : item.start], rest)


def _comma(text: str, item: Item) -> int:
    """Where the comma behind `item` stands, which has one; a comment may stand before it."""
    return text.index(",", _BLANK.match(text, item.node.end).end())  # type: ignore[union-attr]


def _on_a_line(blank: str, rest: str) -> str:
    """`rest`, on a line of its own where `blank`, which stood in front of what goes, began one: a comment may end the
    line before."""
    ahead = rest[: len(rest) - len(rest.lstrip())]
    return rest if "\n" not in blank or "\n" in ahead else blank + rest[len(ahead) :]


def _end(text: str, node: Node, at: int) -> int:
    """Where the last item of `node` ends, with the comma behind it."""
    return node.items[at].node.end if node.comma is None else node.comma + 1


def _written(text: str, root: Node, value: Any, node: Node, depth: int) -> str:
    """`value` in the place of `node`, over several lines where that was."""
    if "\n" not in text[node.start : node.end]:
        return json.dumps(value, ensure_ascii=False)
    line = "\r\n" if "\r\n" in text else "\n"
    return _dumped(value, _unit(text, root), _margin(text, node.start), line)


def _dumped(value: Any, unit: str, margin: str, line: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", line + margin)


def _unit(text: str, root: Node) -> str:
    """One step of indentation in this document."""
    if root.items and "\n" in text[root.start : root.items[0].start]:
        margin = _margin(text, root.items[0].start)
        if margin:
            return margin
    return INDENT


def _margin(text: str, at: int) -> str:
    """The blank at the beginning of the line of `at`."""
    begin = text.rfind("\n", 0, at) + 1
    return text[begin : begin + len(text[begin:at]) - len(text[begin:at].lstrip(" \t"))]


# ---- reading


def _document(text: str) -> Node:
    start = _skipped(text, 1 if text.startswith("\ufeff") else 0)
    if start == len(text):
        return Node({}, len(text), len(text))
    node = _value(text, start, 0)
    if (end := _skipped(text, node.end)) != len(text):
        _refuse(text, end)
    return node


def _skipped(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank is not None else at


def _value(text: str, at: int, depth: int) -> Node:
    if depth > DEEPEST:
        raise InvalidInput(f"more than {DEEPEST} objects lie within one another")
    if text.startswith(("{", "["), at):
        return _container(text, at, depth)
    if (string := _STRING.match(text, at)) is not None:
        return Node(_string(text, string), at, string.end())
    if (scalar := _SCALAR.match(text, at)) is None:
        _refuse(text, at)
    return Node(json.loads(scalar.group()), at, scalar.end())


def _container(text: str, start: int, depth: int) -> Node:
    """An object or an array, whichever begins at `start`."""
    is_object = text[start] == "{"
    closing = "}" if is_object else "]"
    items: list[Item] = []
    comma: int | None = None
    at = _skipped(text, start + 1)
    while not text.startswith(closing, at):
        if items and comma is None:
            _refuse(text, at)
        begin, name = at, len(items)
        label: str | int = name
        if is_object:
            string = _STRING.match(text, at)
            if string is None:
                _refuse(text, at)
            label = _string(text, string)
            at = _skipped(text, string.end())
            if not text.startswith(":", at):
                _refuse(text, at)
            at = _skipped(text, at + 1)
        node = _value(text, at, depth + 1)
        items.append(Item(label, begin, node))
        at = _skipped(text, node.end)
        comma = at if text.startswith(",", at) else None
        at = _skipped(text, at + 1) if comma is not None else at
    value: Any = (
        {str(item.name): item.node.value for item in items} if is_object else [item.node.value for item in items]
    )
    return Node(value, start, at + 1, tuple(items), comma)


def _string(text: str, found: re.Match[str]) -> str:
    try:
        made: str = json.loads(found.group())
    except ValueError:
        _refuse(text, found.start())
    return made


def _refuse(text: str, at: int) -> NoReturn:
    line = text.count("\n", 0, at) + 1
    raise InvalidInput(f"it is no JSON in line {line}" if text[at:].strip() else "it is cut: its JSON has no end")
