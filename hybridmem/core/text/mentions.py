"""Names in a text, found without any model.

>>> sorted(mentions("Yesterday I met Zane Kolu at the Café Luna about QX-4821.").names)
['café luna', 'qx-4821', 'zane kolu']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hybridmem.core.text.first_person import PRONOUN_FORMS
from hybridmem.core.text.tokens import POSSESSIVE, STOPWORDS, TOKEN

MAX_NAME_WORDS = 6
"""A longer run of capitalised words is a heading or shouting, not a name."""

_SENTENCE_START = re.compile(r"(?:^|[.!?:;…\n]|[-–—]{2}|—)[\s\"'“”‘’«»()\[\]*_-]*$")
_WITHIN_NAMES = frozenset({"of", "de", "da", "do", "dos", "di", "del", "du", "la", "le", "van", "von", "der", "den"})
_ARTICLES = frozenset({"the", "a", "an"})


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names in one text, as `entity` writes them."""

    names: frozenset[str] = frozenset()
    """Certain names: capitalised inside a sentence, several capitalised words, or an id such as QX-4821."""
    maybe: frozenset[str] = frozenset()
    """Single capitalised words at the start of a sentence: names only if another text has them as certain."""


def entity(name: str) -> str:
    """`name` as the graph writes it: lower-case words without possessive endings and leading articles."""
    words = [POSSESSIVE.sub("", token.casefold()) for token in _tokens(name)]
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return " ".join(words)


def mentions(text: str) -> Mentions:
    """The names in `text`."""
    names: set[str] = set()
    maybe: set[str] = set()
    run: list[str] = []
    run_starts_sentence = False
    end = 0
    text = unicodedata.normalize("NFC", text)

    def close() -> None:
        nonlocal run
        while run and run[-1] in _WITHIN_NAMES:
            run.pop()
        if run and len(run) <= MAX_NAME_WORDS:
            name = entity(" ".join(run))
            if len(name) > 1:
                (maybe if run_starts_sentence and len(run) == 1 else names).add(name)
        run = []

    for match in TOKEN.finditer(text):
        token, gap = match.group(), text[end : match.start()]
        starts_sentence = _SENTENCE_START.search(text, max(0, match.start() - 16), match.start()) is not None
        end = match.end()
        if run and gap.strip(" \t"):
            close()
        if _is_code(token):
            close()
            names.add(entity(token))
        elif token[0].isupper() and not _is_mere_start(token, starts_sentence):
            if not run:
                run_starts_sentence = starts_sentence
            run.append(token)
            if POSSESSIVE.search(token):
                close()
        elif run and token in _WITHIN_NAMES:
            run.append(token)
        else:
            close()
    close()
    return Mentions(frozenset(names), frozenset(maybe - names))


def named(text: str, known: Collection[str], by_word: Mapping[str, Collection[str]]) -> list[str]:
    """The `known` entities that `text` names in upper or lower case; where names overlap, the longest counts.

    `by_word` is `name_parts(known)`: a capitalised word that is no entity itself names those that contain it.
    """
    tokens = _tokens(text)
    folded = [POSSESSIVE.sub("", token.casefold()) for token in tokens]
    found: dict[str, None] = {}
    start = 0
    while start < len(tokens):
        for length in range(min(MAX_NAME_WORDS, len(tokens) - start), 0, -1):
            name = " ".join(folded[start : start + length])
            stands_alone = length > 1 or name not in STOPWORDS or (tokens[start][0].isupper() and start > 0)
            if name in known and stands_alone:
                found[name] = None
                start += length
                break
        else:
            if tokens[start][0].isupper() and folded[start] not in STOPWORDS:
                found.update(dict.fromkeys(sorted(by_word.get(folded[start], ()))))
            start += 1
    return list(found)


def name_parts(known: Iterable[str]) -> dict[str, set[str]]:
    """The names of several words by each of their words."""
    by_word: dict[str, set[str]] = {}
    for name in known:
        words = name.split()
        if len(words) > 1:
            for word in words:
                by_word.setdefault(word, set()).add(name)
    return by_word


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(unicodedata.normalize("NFC", text))


def _is_code(token: str) -> bool:
    return any(map(str.isdigit, token)) and any(map(str.isupper, token))


def _is_mere_start(token: str, starts_sentence: bool) -> bool:
    folded = token.casefold().replace("’", "'")
    return folded in PRONOUN_FORMS or (starts_sentence and folded in STOPWORDS)
