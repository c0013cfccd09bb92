"""A message's own sentence in the place of a small reader's restatement, where the sentence stands on its own.

A reader of 135 million parameters makes "The locker of locker 892 belongs to Ana" of "At the pool, locker 892 belongs
to Ana". A sentence without pronouns, the first person and "you" needs no restating.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hybridmem.core.text import moods
from hybridmem.core.text.first_person import THE_USER, is_first_person
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.questions import ends_as_question
from hybridmem.core.text.tokens import tokens
from hybridmem.dreaming.reading.aboutness import POINTERS
from hybridmem.dreaming.reading.source import Source
from hybridmem.dreaming.reading.support import closest_sentences, is_invented
from hybridmem.dreaming.reading.unsaid import unsaid
from hybridmem.models.prompts import Mood

_YOU = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
_FEWEST_WORDS = 4
"""Of a sentence: a shorter one is a remark on what was said before."""


def in_own_words(found: Sequence[tuple[Mood, str]], source: Source) -> list[tuple[Mood, str]]:
    """The propositions `found` in the piece of `source`, each with its mood; one that alone restates a sentence that
    stands on its own, and adds nothing that was said elsewhere, is that sentence."""
    behind = [closest_sentences(text, source.text) for _, text in found]
    restated = Counter(sentence for sentences in behind for sentence in sentences)
    return [
        (mood, sentences[0])
        if len(sentences) == 1 and restated[sentences[0]] == 1 and _stands_for(sentences[0], mood, text, source)
        else (mood, text)
        for (mood, text), sentences in zip(found, behind, strict=True)
    ]


def stands_alone(sentence: str) -> bool:
    """Whether `sentence` says the same to whoever reads it alone.

    >>> stands_alone("At the pool, locker 892 belongs to Ana."), stands_alone("She has locker 8."), stands_alone("No!")
    (True, False, False)
    """
    words = tokens(sentence)
    return (
        len(words) >= _FEWEST_WORDS
        and POINTERS.isdisjoint(words)
        and not is_first_person(sentence)
        and not _YOU.search(sentence)
        and not ends_as_question(sentence)
        and not moods.opens_unreal(sentence)
    )


def _stands_for(sentence: str, mood: Mood, text: str, source: Source) -> bool:
    if mood not in {"asserted", "planned"} or not stands_alone(sentence) or THE_USER in text.casefold():
        return False
    if not unsaid(text, tokens(sentence)):
        return True
    astray = bool(unsaid(text, source.words)) or is_invented(text, source)
    return astray and bool(mentions(sentence).names)
