"""The part of a long text that a question is most likely about.

>>> text = "We had a picnic. The wifi code is 7712. Then it rained."
>>> excerpt(text, "What is the code of the wifi?", 30)
'… The wifi code is 7712. …'
"""

from __future__ import annotations

from collections import Counter

from hybridmem.core.text.sentences import sentences
from hybridmem.core.text.tokens import tokens

GAP = "…"
"""Stands for what was left out."""


def excerpt(text: str, question: str, characters: int) -> str:
    """Sentences of `text`, in its order, with no more than `characters` of them beside the gaps.

    They are the ones that share the rarest words with `question`; their neighbours come next. A single sentence that is
    longer is cut around the words that it shares."""
    if len(text) <= characters:
        return text
    parts = sentences(text)
    words = [set(tokens(part)) for part in parts]
    common = Counter(word for own in words for word in own)
    asked = set(tokens(question))
    scores = [sum(1 / common[word] for word in own & asked) for own in words]
    kept: set[int] = set()
    room = characters
    for at in sorted(range(len(parts)), key=lambda at: (-_near(scores, at), at)):
        if len(parts[at]) + 1 <= room:
            kept.add(at)
            room -= len(parts[at]) + 1
        elif not kept:
            return _window(parts[at], asked, characters)
    shown: list[str] = []
    for at, part in enumerate(parts):
        if at in kept:
            shown.append(part)
        elif not shown or shown[-1] != GAP:
            shown.append(GAP)
    return " ".join(shown)


def _near(scores: list[float], at: int) -> float:
    """A sentence's own score, and a part of its neighbours': an answer often stands beside what was asked about."""
    return scores[at] + 0.4 * sum(scores[max(0, at - 1) : at + 2])


def _window(sentence: str, asked: set[str], characters: int) -> str:
    """`characters` of one sentence, around the first words that are asked about."""
    words = sentence.split()
    first = next((at for at, word in enumerate(words) if asked.intersection(tokens(word))), 0)
    start = max(0, len(" ".join(words[:first])) - characters // 3)
    cut = sentence[start : start + characters].strip()
    return f"{GAP if start else ''}{cut}{GAP if start + characters < len(sentence) else ''}"
