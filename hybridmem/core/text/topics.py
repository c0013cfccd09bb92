"""The words that say what a text is about, in one of their forms."""

from __future__ import annotations

from hybridmem.core.text.tokens import STOPWORDS, tokens

_ASKING = STOPWORDS | set("s user kind sort type name many much long often time day date tell know".split())  # noqa: SIM905


def topic(text: str) -> frozenset[str]:
    """The words that say what `text` is about, stemmed."""
    return frozenset(stem(word) for word in tokens(text) if word not in _ASKING)


def stem(word: str) -> str:
    """`word` without its most common English ending.

    >>> stem("allergies") == stem("allergy"), stem("closes") == stem("closed"), stem("Ana")
    (True, True, 'Ana')
    """
    if len(word) < 4:
        return word
    for ending, rest in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + rest
    return word
