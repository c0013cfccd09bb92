"""Values that JSON holds: what metadata and small state may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hybridmem.core.errors import InvalidInput


def plain_json(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """`value` as it comes back from JSON. Raises `InvalidInput` for what JSON does not hold."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} cannot be kept as JSON ({error}): use text, numbers, lists and objects") from None
    return plain


def texts_in(value: Any) -> Iterator[str]:
    """The texts within a value of JSON, names left out.

    >>> list(texts_in({"note": {"raw": ["Porto", 3]}, "by": "Ana"}))
    ['Porto', 'Ana']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(each)
