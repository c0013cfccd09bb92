"""Words that nobody said: what a small reader adds to a message when it restates it or asks about it.

A reader of 135 million parameters writes fluent sentences beside the point ("Which team did Hanne sell?" of a car).
Most of them have a word that neither the message nor the turns before it have. A large reader's own words are as good
as the message's, so that only readers that this project trained are held to what was said.
"""

from __future__ import annotations

from collections.abc import Collection

from hybridmem.core.text.dates import MONTHS, WEEKDAYS
from hybridmem.core.text.tokens import STOPWORDS, tokens
from hybridmem.core.text.topics import stem
from hybridmem.core.text.verbs import first_form

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

    >>> unsaid("Which team did Hanne sell?", ["hanne", "sold", "the", "polo"])
    ['team']
    >>> unsaid("What size are my running shoes?", ["my", "running", "shoes", "are", "43"])
    []
    """
    known = {stem(first_form(word)) for word in said} | {stem(word) for word in said}
    return [
        word
        for word in tokens(text)
        if len(word) > 1
        and word not in _GENERIC
        and known.isdisjoint((stem(word), stem(first_form(word))))
        and not any(character.isdigit() for character in word)
    ]
