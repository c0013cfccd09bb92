"""Values that JSON holds: what metadata and small state may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import sound_text


def plain_json(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """`value` as it comes back from JSON. Raises `InvalidInput` for what JSON does not hold."""
    try:
        # Written as Unicode and not as escapes: half of a surrogate pair is no character, and no database takes it.
        written = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        plain: dict[str, Any] = json.loads(sound_text(written))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} cannot be kept as JSON ({error}): use text, numbers, lists and objects") from None
    return plain
