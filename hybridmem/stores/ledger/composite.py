"""A memory in several parts: one whole, and episodes that are each found by words of their own.

The whole names its parts and each part names its whole, both in their metadata. They are put and erased together: what
is deleted under one of its names must not stay under another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hybridmem.core.records import Episode, Fact

PARTS, WHOLE = "hybridmem.parts", "hybridmem.whole"


def with_parts(metadata: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """The metadata of a whole that has `parts`."""
    return {**metadata, PARTS: list(parts)} if parts else dict(metadata)


def parts_of(memory: Episode | Fact | None) -> list[str]:
    """Ids of the parts that `memory` names."""
    named = memory.metadata.get(PARTS) if isinstance(memory, Episode) else None
    return [id for id in named if isinstance(id, str)] if isinstance(named, list) else []


def whole_of(memory: Episode | Fact | None) -> str | None:
    """Id of the whole that `memory` says it is a part of."""
    named = memory.metadata.get(WHOLE) if isinstance(memory, Episode) else None
    return named if isinstance(named, str) else None


def renamed_parts(metadata: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """`metadata` with other ids for the parts and the whole that `names` has new ones for."""
    renamed = dict(metadata)
    if isinstance(parts := metadata.get(PARTS), list):
        renamed[PARTS] = [names.get(id, id) if isinstance(id, str) else id for id in parts]
    if isinstance(whole := metadata.get(WHOLE), str):
        renamed[WHOLE] = names.get(whole, whole)
    return renamed


def related_ids(memory: Episode | Fact) -> list[str]:
    """Ids that may belong to the same whole as `memory`."""
    whole = whole_of(memory)
    return [*([whole] if whole else []), *parts_of(memory)]


def belongs(part: Episode | Fact | None, whole: Episode | Fact) -> bool:
    """Whether both say so: one alone may name what it likes."""
    return part is not None and part.id in parts_of(whole) and whole_of(part) == whole.id
