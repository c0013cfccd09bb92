"""The first person: whether a text speaks of whoever says it.

>>> is_first_person("Where do I live?"), is_first_person("Where does Ana live?")
(True, False)
"""

from __future__ import annotations

import re

SPEAKER = "I"
"""The subject of a fact about the user, as the ledger keeps it."""
SPEAKER_WORDS = frozenset({"i", "me", "my", "myself", "user"})
"""What a model writes for the user as the subject of a fact, normalised."""
PRONOUN_FORMS = frozenset({"i", "i'm", "i'd", "i'll", "i've"})
"""Capitalised tokens, in lower case, that are the pronoun and no name."""

_FIRST_PERSON = re.compile(r"\b(?:(?i:i|me|my|mine|we|our)|[Uu]s)\b")


_SINGULAR = re.compile(r"\b(?:i|me|my|mine)\b", re.IGNORECASE)


def is_first_person(text: str, *, plural: bool = True) -> bool:
    """Whether `text` has a pronoun of the first person in it; the country US is none.

    >>> is_first_person("What is our address?"), is_first_person("Who told us?"), is_first_person("Who left the US?")
    (True, True, False)
    >>> is_first_person("What is our address?", plural=False)
    False
    """
    return (_FIRST_PERSON if plural else _SINGULAR).search(text) is not None
