"""The statements of a completion, and whether the memories that they cite bear them out.

>>> shown = ["2026-03-01: Ana moved to Porto.", "2026-03-04: Ana plays chess."]
>>> for line in parsed("- Ana lives in Porto. [1]\\n- She has a dog. [2]\\n- She likes tea."):
...     print(line.text, line.numbers, borne_out(line, shown, "What of Ana?"))
Ana lives in Porto. (1,) (1,)
She has a dog. (2,) ()
She likes tea. () ()
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import STOPWORDS, contains_words, normalised, query_terms, tokens
from hybridmem.models import prompts

_CITED = re.compile(r"\s*\[\s*\d{1,4}(?:\s*[,;&]\s*\d{1,4})*\s*\]")
_NUMBER = re.compile(r"\d+")
_MARK = re.compile(r"\A\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a completion: what it says, and the numbers that it cites."""

    text: str
    numbers: tuple[int, ...]


def parsed(completion: str) -> list[Line]:
    """The statements of `completion`, one a line, without the marks of a list; none where it refuses."""
    found = []
    for written in completion.splitlines():
        numbers = tuple(
            dict.fromkeys(int(number) for cited in _CITED.findall(written) for number in _NUMBER.findall(cited))
        )
        text = prompts.one_line(_MARK.sub("", _CITED.sub("", written)))
        if text and not prompts.is_refusal(text):
            found.append(Line(text, numbers))
    return found


def borne_out(line: Line, shown: Sequence[str], question: str) -> tuple[int, ...]:
    """Those of the numbers which `line` cites that bear it out: they were shown, and the memory has a word of what the
    statement says. None at all where the statement has a name or a figure that neither they nor the question have: it
    comes from elsewhere. How many memories are cited may be counted.

    This is a check of words: it finds what was invented, not every wrong conclusion."""
    told = set(query_terms(line.text)) - STOPWORDS - set(query_terms(question))
    # "Yes." says nothing by itself: what was asked is then what the memory must be about.
    wanted = told or set(query_terms(question)) - STOPWORDS
    cited = [
        number
        for number in line.numbers
        if 1 <= number <= len(shown) and not wanted.isdisjoint(_words(shown[number - 1]))
    ]
    grounds = normalised(" ".join([question, *(shown[number - 1] for number in cited)]))
    known = {*_words(grounds), str(len(cited))}
    figures = {term for term in tokens(line.text) if term.isdecimal()}
    names = mentions(line.text).names
    if figures <= known and all(contains_words(grounds, name) or set(tokens(name)) <= known for name in names):
        return tuple(cited)
    return ()


def _words(text: str) -> set[str]:
    # As a query has them, too: an id with punctuation inside is one word there.
    return {*tokens(text), *query_terms(text)}
