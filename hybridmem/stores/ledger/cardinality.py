"""Which relations hold several values at a time: a setting of the store, given when a ledger is opened."""

from __future__ import annotations

from collections.abc import Iterable

from hybridmem.core.text.tokens import normalised

MULTI_VALUED: frozenset[str] = frozenset(
    {
        "adopted",
        "allergic to",
        "has",
        "has brother",
        "has hobby",
        "has neighbour",
        "has pet named",
        "has sister",
        "is",
        "knows",
        "likes",
        "owns",
        "pet eats",
        "plays",
        "plays sport",
        "speaks",
        "studied at",
        "takes medicine",
    }
)
"""The default: a new value of one of these stands beside the others. Every other relation holds one value at a time."""


def relation_set(relations: Iterable[str]) -> frozenset[str]:
    """`relations` as facts' slots name them, whatever their case and punctuation."""
    return frozenset(normalised(relation) for relation in relations)
