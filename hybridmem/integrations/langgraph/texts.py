"""The words by which an item is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langgraph.store.base import get_text_at_path, tokenize_path

from hybridmem.core.records import MAX_TEXT

EVERYTHING = "$"
"""The field that stands for the whole value."""


def searchable(value: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """The texts of `fields` in `value`, each once; missing and blank fields give none."""
    found: dict[str, None] = {}
    for field in fields:
        texts = [render_value(value)] if field == EVERYTHING else get_text_at_path(dict(value), tokenize_path(field))
        found.update((kept, None) for text in texts if (kept := storable(text)).strip())
    return list(found)


def render_value(value: Mapping[str, Any]) -> str:
    """`value` in plain words, as a person would note it: embedding models and dreams read that best.

    >>> render_value({"content": "Ana lives in Porto."})
    'Ana lives in Porto.'
    >>> print(render_value({"name": "Ana", "pets": [{"kind": "ferret"}], "age": None}))
    name: Ana
    pets.kind: ferret
    """
    leaves = list(_leaves(value, ()))
    if len(leaves) == 1 and isinstance(leaves[0][1], str):
        return leaves[0][1]
    return "\n".join(f"{'.'.join(names)}: {leaf}" if names else str(leaf) for names, leaf in leaves)


def storable(text: str) -> str:
    """`text` in the form that the ledger takes: without invalid characters, and no longer than one memory."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")[:MAX_TEXT]


def _leaves(value: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*names, str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, names)
    elif value is not None and value != "":
        yield names, value
