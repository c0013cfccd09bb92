"""Noun phrases of an adjective and a noun: "an old lamp", "three wooden chairs", "the Kiravo letter".

>>> _plural("jar of honey"), _plural("bread knife"), _plural("cherry")
('jars of honey', 'bread knives', 'cherries')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from hybridmem.evaluation.memory_jobs.drawing import any_of, coin
from hybridmem.evaluation.memory_jobs.open_relations.facts import half, phrases, sample, tables, with_article

_NUMBERS = ("two", "two", "three", "four", "five", "some", "several")
_DETERMINER = re.compile(r"(?:an?|the|two|three|four|five|some|several) ")
_IRREGULAR = {
    "knife": "knives", "shelf": "shelves", "loaf": "loaves", "scarf": "scarves", "calf": "calves", "man": "men",
    "handyman": "handymen", "cameraman": "cameramen", "ox": "oxen", "trout": "trout", "carp": "carp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """`text` as it is first told and `definite` as it is spoken of later, with the words that ask for it."""

    text: str
    definite: str
    plural: bool
    asks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Class:
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]
    asks: tuple[str, ...]


def draw(name: str, rng: Random, held_out: bool) -> NounPhrase:
    """A phrase from the class `name` of nouns.toml or, where there is none, a value of the kind `name`."""
    some = classes(held_out).get(name)
    if some is None:
        text = sample(name, rng, held_out)
        return NounPhrase(text, _definite(text), False, ("what",))
    noun = any_of(rng, some.nouns)
    if rng.random() < 0.65:
        noun = f"{any_of(rng, some.adjectives)} {noun}"
    shape = rng.random()
    if shape < 0.06:
        text, plural = f"the {coin(rng, held_out)} {noun}", False
    elif shape < 0.26:
        text, plural = f"the {noun}", False
    elif shape < 0.42:
        text, plural = f"{any_of(rng, _NUMBERS)} {_plural(noun)}", True
    else:
        text, plural = with_article(noun), False
    return NounPhrase(text, _definite(text), plural, some.asks)


@cache
def classes(held_out: bool) -> dict[str, _Class]:
    """The classes of nouns.toml, each with the half of its words that `held_out` names."""
    table = tables("nouns.toml")
    adjectives = {name: half(phrases(text), held_out) for name, text in table["adjectives"].items()}
    found = {}
    for name, given in table["nouns"].items():
        described = tuple(dict.fromkeys(word for some in given["adjectives"] for word in adjectives[some]))
        asks = ("who", "who", "whom") if given.get("human") else phrases(given.get("asks", "what"))
        found[name] = _Class(half(phrases(given["words"]), held_out), described, asks)
    return found


def _definite(text: str) -> str:
    match = _DETERMINER.match(text)
    return f"the {text[match.end() :]}" if match else text


def _plural(noun: str) -> str:
    head, of, rest = noun.partition(" of ")
    before, space, word = head.rpartition(" ")
    return f"{before}{space}{_plural_word(word)}{of}{rest}"


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"
