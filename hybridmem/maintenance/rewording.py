"""What the new words of a fact make of its value: text and triple never disagree."""

from __future__ import annotations

import re

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.first_person import SPEAKER
from hybridmem.core.text.moods import is_negated
from hybridmem.core.text.tokens import contains_words, normalised, whole_words


def reworded_object(memory: Episode | Fact, text: str, object: str | None = None) -> str | None:
    """The object of the fact `memory` once its words are `text`: the one given, the old one where the words still say
    it, or what stands in its place. None for an episode. Raises `InvalidInput` where the words state another fact, or
    do not say which value, and for the object of an episode.

    >>> from datetime import UTC, datetime
    >>> home = Fact("f1", ("ana",), "Ana", "lives in", "Porto", "Ana lives in Porto.", datetime(2026, 3, 1, tzinfo=UTC))
    >>> reworded_object(home, "Ana's home is Porto."), reworded_object(home, "Ana lives in Berlin.")
    ('Porto', 'Berlin')
    """
    if isinstance(memory, Episode):
        if object is not None:
            raise InvalidInput(f"{memory.id!r} is an episode, and only a fact has an object: leave it out")
        return None
    fact, said = memory, normalised(text)
    if is_negated(text) and not is_negated(fact.text):
        raise InvalidInput(f"the new words deny what {fact.id} states: delete it, or state what holds with add_fact")
    if _says(fact.text, fact.subject) and fact.subject != SPEAKER and not contains_words(said, fact.subject):
        raise InvalidInput(f"the new words do not name {fact.subject!r}: state another fact with add_fact instead")
    if object is not None:
        if not contains_words(said, object):
            raise InvalidInput(f"the new words do not say {object!r}: word the value as the text does")
        return object.strip()
    if contains_words(said, fact.object) or not _says(fact.text, fact.object):
        return fact.object
    instead = _in_its_place(fact, text)
    if instead is None:
        raise InvalidInput(f"the new words do not say {fact.object!r}: give the new value with them, as object=VALUE")
    return instead


def _says(text: str, words: str) -> bool:
    return contains_words(normalised(text), words)


def _in_its_place(fact: Fact, text: str) -> str | None:
    """What `text` has where the old words have the object, when all else is the same; None otherwise."""
    place = whole_words(fact.object).search(fact.text)
    if place is None:
        return None
    before, after = fact.text[: place.start()].strip(), fact.text[place.end() :].strip(" .!")
    pattern = rf"\s*{re.escape(before)}\s*\b(.+?)\s*{re.escape(after)}[\s.!]*"
    found = re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL)
    return found[1].strip(" .!") or None if found else None
