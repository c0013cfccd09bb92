"""Values that JSON holds: what metadata and small state may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import sound_text

MAX_DEPTH = 64
"""How many lists and objects may lie within one another: a thousand are more than JSON's readers and writers take."""


def plain_json(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """`value` as it comes back from JSON. Raises `InvalidInput` for what JSON does not hold, and for one that is nested
    more than `MAX_DEPTH` deep."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} cannot be kept as JSON ({error}): use text, numbers, lists and objects") from None
    except RecursionError:
        raise InvalidInput(f"{what} is nested more than {MAX_DEPTH} deep: flatten it") from None
    if _is_deeper(plain, MAX_DEPTH):
        raise InvalidInput(f"{what} is nested more than {MAX_DEPTH} deep: flatten it")
    return plain


def _is_deeper(value: Any, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(each, (dict, list)) and (depth == 1 or _is_deeper(each, depth - 1)) for each in inner)


def sound_json(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """`plain_json`, with every text and key as `sound_text` has it: what goes out as UTF-8 has no half of a character.

    >>> sound_json({"tags": ["a \\ud83d"]}, "the metadata")
    {'tags': ['a \ufffd']}
    """
    sound: dict[str, Any] = json.loads(sound_text(json.dumps(plain_json(value, what), ensure_ascii=False)))
    return sound


def texts_in(value: Any, *, names: bool = False) -> Iterator[str]:
    """The texts within a value of JSON, and the names of objects' fields where `names` are asked for.

    >>> list(texts_in({"note": {"raw": ["Porto", 3]}, "by": "Ana"}))
    ['Porto', 'Ana']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        if names and isinstance(value, Mapping):
            yield from value
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(each, names=names)
