"""Words that nobody said: what a small reader adds to a message when it restates it or asks about it.

A reader of 135 million parameters writes fluent sentences beside the point ("Which team did Hanne sell?" of a car).
Most of them have a word that neither the message nor the turns before it have. A large reader's own words are as good
as the message's, so that only readers that this project trained are held to what was said. One word may be a question's
own: the kind of thing that it asks for, as "instrument" where the answer is the tuba.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from hybridmem import embedding
from hybridmem.core.errors import MissingExtra
from hybridmem.core.text.dates import MONTHS, WEEKDAYS
from hybridmem.core.text.tokens import STOPWORDS, normalised, tokens
from hybridmem.core.text.topics import stem

if TYPE_CHECKING:
    from hybridmem.embedding.base import Embedder

_GENERIC = (
    STOPWORDS
    | {*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)}
    | set(
        """
        user users tell told say said call called name named kind sort type many much long old often big far
        number amount time day date month year week hour minute place city town country person people thing one
        someone somebody
        colour color size age live lives work works pay cost costs go goes do does have has had get gets make makes be
        """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
    )
)
"""Words of questions and restatements that say nothing of their own."""


def unsaid(text: str, said: Collection[str]) -> list[str]:
    """The words of `text` that are not among `said` in any of their forms, and are not such as every question has.

    >>> unsaid("Which team did Hanne buy?", ["hanne", "sold", "the", "polo"])
    ['team', 'buy']
    >>> unsaid("What size are my running shoes?", ["my", "running", "shoes", "are", "43"])
    []
    """
    known = {stem(word) for word in said}
    return [
        word
        for word in tokens(text)
        if len(word) > 1
        and word not in _GENERIC
        and stem(word) not in known
        and not any(character.isdigit() for character in word)
    ]


_KIND_WORDS = 2
"""Of a phrase such as "musical instrument", at most."""
_LIKE_ITS_KIND = 0.4
"""Cosine of a kind and a thing of it, by all-MiniLM-L6-v2: "instrument" and "tuba" have 0.48, "language" and "Danish"
0.49; of 24 pairs that do not belong together, such as "team" and "the Polo", none had more than 0.37."""
_WHOSE_KIND = re.compile(r"['’]s (?:[^\W\d_]+ )?([^\W\d_]+)\W*$")


def asks_unsaid(question: str, answer: str, said: Collection[str]) -> list[str]:
    """The words of `question` that are `unsaid`, but for such as name the kind of its `answer`.

    >>> asks_unsaid("Which instrument does Ana play?", "tuba", ["ana", "plays", "the", "tuba"])
    []
    >>> asks_unsaid("Which team did Hanne sell?", "the Polo", ["hanne", "sold", "the", "polo"])
    ['team']
    """
    own = unsaid(question, said)
    if not own:
        return own
    kinds = {word for phrase in _kinds(question) if _is_of_kind(answer, phrase) for word in phrase}
    return [word for word in own if word not in kinds]


def _kinds(question: str) -> Iterator[list[str]]:
    """What `question` asks for, in words: "Which KIND ...", "What is the KIND of ...", "What is Ana's KIND?"."""
    words = tokens(question)
    for place, word in enumerate(words):
        if word in ("which", "what"):
            behind = words[place + 1 :]
            if behind[:1] in (["is"], ["was"], ["are"], ["were"]) and behind[1:2] == ["the"]:
                behind = behind[2:]
            yield list(takewhile(lambda each: each not in STOPWORDS, behind[:_KIND_WORDS]))
    if found := _WHOSE_KIND.search(question):
        yield tokens(found[1])


def _is_of_kind(thing: str, kind: Sequence[str]) -> bool:
    if not kind:
        return False
    try:
        one, other = _embedder().embed([" ".join(kind), normalised(thing)])
    except MissingExtra:  # a memory that searches with another embedder may lack it
        return False
    return float(np.dot(one, other)) >= _LIKE_ITS_KIND


@cache
def _embedder() -> Embedder:
    """Always the same one, whichever the memory searches with: the bound is for its cosines."""
    return embedding.load()
