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


THE_USER = "the user"
"""What a self-contained sentence calls the user whose name is not known."""
_AUXILIARIES = r"(?<!\bdoes )(?<!\bdid )(?<!\bcan )(?<!\bwill )(?<!\bwould )(?<!\bshould )(?<!\bmust )(?<!\bcould )"
_BEFORE_ME = (
    "about|by|for|from|of|to|with|at|than|tell|told|give|gave|owe|owes|lend|lent|offer|offered|send|sent|show|showed"
)
_OF_FIRST = {"is": "am", "has": "have", "does": "do", "was": "was", "isn't": "am not", "hasn't": "haven't"}


def asked_by_user(question: str) -> str:
    """`question` about the user as the user would ask it.

    >>> asked_by_user("When is the user's exam?"), asked_by_user("Where does the user live?")
    ('When is my exam?', 'Where do I live?')
    >>> asked_by_user("What is it that the user likes?"), asked_by_user("Who told the user?")
    ('What is it that I like?', 'Who told me?')
    """
    question = re.sub(rf"\b{THE_USER}\b", THE_USER, question, flags=re.IGNORECASE)
    question = re.sub(rf"\b{THE_USER}['’]s?(?!\w)", "my", question)
    for verb, own in (("does", "do"), ("is", "am"), ("has", "have")):
        question = re.sub(rf"\b{verb} {THE_USER}\b", f"{own} I", question, flags=re.IGNORECASE)
    question = re.sub(rf"\b({_BEFORE_ME}) {THE_USER}\b", r"\1 me", question)
    question = re.sub(rf"{_AUXILIARIES}\b{THE_USER} ([a-z]+(?:n't)?)\b", lambda m: f"I {_of_first(m[1])}", question)
    question = re.sub(rf"\b{THE_USER}\b", "I", question)
    return question[:1].upper() + question[1:]


def _of_first(verb: str) -> str:
    if verb in _OF_FIRST:
        return _OF_FIRST[verb]
    if verb.endswith("ies") and len(verb) > 4:
        return f"{verb[:-3]}y"
    if re.search(r"(?:ss|sh|ch|x|o)es$", verb):
        return verb[:-2]
    return verb[:-1] if re.search(r"[a-z]{2}(?<!s)(?<!u)s$", verb) else verb
