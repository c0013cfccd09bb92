"""Counts with their nouns."""

from __future__ import annotations


def noun(count: int, singular: str, plural: str | None = None) -> str:
    """The noun that fits `count`; its plural is with an s, unless it is given.

    >>> noun(1, "night"), noun(0, "night"), noun(2, "memory", "memories")
    ('night', 'nights', 'memories')
    """
    return singular if count == 1 else plural or f"{singular}s"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`count` with its noun.

    >>> counted(1, "night"), counted(1234, "memory", "memories")
    ('1 night', '1,234 memories')
    """
    return f"{count:,} {noun(count, singular, plural)}"
