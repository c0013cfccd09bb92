"""JSON with comments is changed in place: what a change is not about stays, byte for byte."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.coding_agents import jsonc
from hybridmem.coding_agents.file_change import FileChange, taken_back
from hybridmem.core.errors import InvalidInput

NAMES = st.sampled_from(["a", "b", "hooks", 'q"uote', "über", ""])
TEXTS = st.text('aé"\\\\/*,]}\n', max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 999)
    | st.floats(-2, 2, width=16)
    | st.text('aé"\\\\/*,]}\n', max_size=6)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
_COMMENT = re.compile(r"/\*(\d+)\*/|//(\d+)\n")


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """(an object as somebody wrote it, with blanks, comments and trailing commas; its value)."""
    value = draw(OBJECTS)
    count = 0

    def blank() -> str:
        nonlocal count
        kind = draw(st.sampled_from(["", "", "", " ", "\n", "\n    ", "\t", "block", "line"]))
        count += 1
        return {"block": f" /*{count}*/ ", "line": f" //{count}\n  "}.get(kind, kind)

    def written(each: Any) -> str:
        if isinstance(each, dict):
            inner = [
                f"{blank()}{json.dumps(name)}{blank()}:{blank()}{written(item)}{blank()}" for name, item in each.items()
            ]
            return "{" + ",".join(inner) + trailing(inner) + "}"
        if isinstance(each, list):
            inner = [f"{blank()}{written(item)}{blank()}" for item in each]
            return "[" + ",".join(inner) + trailing(inner) + "]"
        return json.dumps(each, ensure_ascii=draw(st.booleans()))

    def trailing(inner: list[str]) -> str:
        return ("," if inner and draw(st.booleans()) else "") + blank()

    style = draw(st.sampled_from(["free", "free", "indent", "tabs", "flat"]))
    if style == "free":
        return blank() + written(value) + blank(), value
    indent = {"indent": 2, "tabs": "\t", "flat": None}[style]
    return json.dumps(value, indent=indent) + draw(st.sampled_from(["", "\n"])), value


def comments(text: str) -> list[str]:
    return [one or two for one, two in _COMMENT.findall(text + "\n")]


@given(documents())
def test_what_is_read_is_what_was_written(document: tuple[str, dict[str, Any]]) -> None:
    text, value = document
    assert jsonc.parse(text) == value


@given(documents(), st.lists(NAMES, min_size=1, max_size=3), VALUES)
def test_a_member_is_put_in_and_nothing_else_changes(
    document: tuple[str, dict[str, Any]], path: list[str], put: Any
) -> None:
    text, value = document
    expected = deepcopy(value)
    node: Any = expected
    replaced = False
    for name in path[:-1]:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            with pytest.raises(InvalidInput):
                jsonc.with_member(text, path, put)
            return
    replaced = path[-1] in node
    node[path[-1]] = put
    after = jsonc.with_member(text, path, put)
    assert jsonc.parse(after) == expected
    change = FileChange(None, text, after)  # type: ignore[arg-type]
    assert taken_back(after, change.splices()) == text
    if not replaced:
        assert comments(after) == comments(text)
        removed = jsonc.without(after, path)
        assert comments(removed) == comments(text)
        # An object that this empties goes, unless a comment stands in it.
        assert jsonc.parse(removed) in (without_empty(expected, path), value)


def without_empty(value: Any, path: list[str]) -> Any:
    """`value` without what is at `path`, and without the objects that this empties."""
    value = deepcopy(value)
    holders = [value]
    for name in path[:-1]:
        holders.append(holders[-1][name])
    for holder, name in zip(reversed(holders), reversed(path), strict=True):
        del holder[name]
        if holder:
            break
    return value


@given(documents(), st.data())
def test_an_element_is_put_in_last_and_taken_out_again(
    document: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    text, value = document
    lists = [name for name, each in value.items() if isinstance(each, list)]
    name = data.draw(st.sampled_from([*lists, "new"]))
    after = jsonc.with_element(text, ["top", name] if name == "new" and "top" not in value else [name], {"x": 1})
    if name == "new":
        return
    assert jsonc.parse(after) == {**value, name: [*value[name], {"x": 1}]}
    assert comments(after) == comments(text)
    back = jsonc.without(after, [name, len(value[name])])
    if jsonc.parse(back) == value:
        assert comments(back) == comments(text)
    if value[name]:
        assert jsonc.parse(back) == value
    else:  # an empty list goes, unless a comment stands in it
        assert jsonc.parse(back) in (value, {key: each for key, each in value.items() if key != name})


@given(documents(), st.data())
def test_any_element_is_taken_out(document: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    text, value = document
    lists = [name for name, each in value.items() if isinstance(each, list) and len(each) > 1]
    if not lists:
        return
    name = data.draw(st.sampled_from(lists))
    at = data.draw(st.integers(0, len(value[name]) - 1))
    after = jsonc.without(text, [name, at])
    assert jsonc.parse(after) == {**value, name: [each for n, each in enumerate(value[name]) if n != at]}


def test_a_file_keeps_its_own_way_of_writing() -> None:
    text = '{\r\n\t"model": "opus", // the large one\r\n\t"env": {}\r\n}\r\n'
    assert jsonc.with_member(text, ("mcp", "memory"), {"on": True}) == (
        '{\r\n\t"model": "opus", // the large one\r\n\t"env": {},\r\n'
        '\t"mcp": {\r\n\t\t"memory": {\r\n\t\t\t"on": true\r\n'
        "\t\t}\r\n\t}\r\n}\r\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "cut"),
        ('{"a": 1', "cut"),
        ("{'a': 1}", "line 1"),
        ('{"a": 1}\nb', "line 2"),
        ('{"a": 1 "b": 2}', "line 1"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, line: str) -> None:
    with pytest.raises(InvalidInput, match=line):
        jsonc.with_member(text, ("a",), 1)


def test_what_lies_too_deep_is_refused() -> None:
    with pytest.raises(InvalidInput, match="within one another"):
        jsonc.parse("[" * 10_000)


@pytest.mark.parametrize(
    ("text", "at", "left"),
    [
        ('{"b": [1, // one\n  2, 3]}', 1, '{"b": [1, // one\n  3]}'),
        ('{"b": [1, // one\n  2]}', 1, '{"b": [1 // one\n  ]}'),
        ('{"b": [\n  1,\n  2,\n  3\n]}', 1, '{"b": [\n  1,\n  3\n]}'),
        ('{"b": [\n  1,\n  2\n]}', 1, '{"b": [\n  1\n]}'),
    ],
)
def test_what_stood_behind_a_comment_is_not_taken_into_it(text: str, at: int, left: str) -> None:
    assert jsonc.without(text, ["b", at]) == left
