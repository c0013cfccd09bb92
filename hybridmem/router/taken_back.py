"""An answer that a later memory takes back: "lives in Utrecht", and three days later "left Utrecht".

A small reader finds the old value in the longer sentence. Where a later memory that it read ends that value, it is
asked again without the memories that only hold the value, and believed where it then finds another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hybridmem.core.text import moods
from hybridmem.core.text.first_person import is_first_person
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import contains_words, normalised, tokens

_ENDS = re.compile(
    r"\b(?:left|quit|gave up|stopped|cancel+ed|dropped|no longer|used to|moved (?:away |out )?from|instead of"
    r"|rather than|replac\w+|(?:changed?|switched|back) from|until now)\b|\b(?:any ?more|any longer)\b",
    re.IGNORECASE,
)
_OF_THE_PAST = re.compile(
    r"\b(?:was|were|did|had|used to|before|previous\w*|former\w*|original\w*|first|earlier|old|until|still)\b",
    re.IGNORECASE,
)


def without_older(question: str, answer: str, memories: Sequence[str]) -> list[str] | None:
    """`memories`, oldest first, without those before the last one that ends `answer`, and that hold it themselves. None
    where no memory ends it, where nothing is left out, or where the question asks for what was.

    >>> without_older("Where does Ana live?", "Porto", ["Ana lives in Porto.", "Ana left Porto for Riga."])
    ['Ana left Porto for Riga.']
    >>> without_older("Where did Ana live?", "Porto", ["Ana lives in Porto.", "Ana left Porto for Riga."]) is None
    True
    """
    if _OF_THE_PAST.search(question):
        return None
    found = mentions(question)
    names = {word for name in (*found.names, *found.maybe) for word in tokens(name)}
    ending = max(
        (at for at, memory in enumerate(memories) if _is_on(memory, question, names) and _ends(memory, answer)),
        default=0,
    )
    kept = [
        memory for at, memory in enumerate(memories) if at >= ending or not contains_words(normalised(memory), answer)
    ]
    return kept if len(kept) < len(memories) else None


def _is_on(memory: str, question: str, names: Collection[str]) -> bool:
    """Whether a memory is about one of the `names` in the question, or both are about the speaker."""
    said = set(tokens(memory))
    return not said.isdisjoint(names) if names else is_first_person(question) and is_first_person(memory)


def _ends(memory: str, answer: str) -> bool:
    return any(
        contains_words(normalised(clause), answer) and (_ENDS.search(clause) or moods.is_negated(clause))
        for clause in moods.clauses(memory)
    )
