"""Drawing from vocabularies that are split by a hash of the word: what is held out for evaluation is never trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import TypeVar
from zlib import crc32

Sampler = Callable[[Random, bool], str]
"""Draws a value; one that is held out if the flag is set."""

T = TypeVar("T")

_HELD_OUT_SHARE = 8
_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "y",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "ia", "io", "ou"]
_CODAS = ["", "", "", "n", "r", "l", "s", "m", "th", "k", "x", "nd", "rt"]


def coin(rng: Random, held_out: bool = False) -> str:
    """Invent a pronounceable capitalised word of two or three syllables."""
    while True:
        syllables = 2 if rng.random() < 0.7 else 3
        word = "".join(any_of(rng, _ONSETS) + any_of(rng, _VOWELS) for _ in range(syllables)) + any_of(rng, _CODAS)
        if is_held_out(word):
            if held_out:
                return word.capitalize()
        elif not held_out:
            return word.capitalize()


def is_held_out(word: str) -> bool:
    """Whether `word` is kept for evaluation: about one in eight is."""
    return crc32(word.lower().encode()) % _HELD_OUT_SHARE == 0


def any_of(rng: Random, options: Sequence[T]) -> T:
    """One of `options`; several times as fast as `Random.choice`, which draws without bias to 2**-53."""
    return options[int(rng.random() * len(options))]


@cache
def _split(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words to train and the words kept: those that `is_held_out`, and more where they are under a fifth or 8."""
    least = min(8, max(1, len(words) // 5))
    by_hash = sorted(words, key=lambda word: (not is_held_out(word), crc32(word.encode())))
    held_out = tuple(by_hash[: max(least, sum(map(is_held_out, words)))])
    return tuple(word for word in words if word not in held_out), held_out


def pick(rng: Random, words: tuple[str, ...], held_out: bool) -> str:
    """One of the half of `words` that `held_out` names."""
    return any_of(rng, _split(words)[held_out])


def words_of(words: tuple[str, ...]) -> Sampler:
    """A sampler of `words`, split."""
    return lambda rng, held_out: pick(rng, words, held_out)


def shared(words: tuple[str, ...]) -> Sampler:
    """A sampler of `words` that training and evaluation share: too few to split."""
    return lambda rng, held_out: any_of(rng, words)


def hashed(make: Callable[[Random], str]) -> Sampler:
    """Split what `make` draws by the hash of the whole value."""

    def sampler(rng: Random, held_out: bool) -> str:
        while is_held_out(value := make(rng)) != held_out:
            pass
        return value

    return sampler
