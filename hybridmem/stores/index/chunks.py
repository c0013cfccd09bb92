"""What of a memory is embedded: its text in chunks that an embedding model reads whole, and its sentences.

An embedding model reads the beginning of a text and drops the rest: 256 tokens in the case of the default one. And
the vector of several sentences is about the mean of what they say: one that speaks of something else is lost among the
others. So a memory has a vector for each part, and is as near to a question as the nearest of them. The chunks keep
what is said across sentences; the sentences, what is said in one. A sentence alone may not tell whom it is about, so
that its vector is moved towards its chunk's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hybridmem.core.records import Episode, MemoryRecord
from hybridmem.core.text.sentences import sentences
from hybridmem.embedding.base import Embedder
from hybridmem.stores.index.base import Vectors

FORMAT = 2
"""Of the vectors: since 1, one for each part of a long memory; since 2, one for each sentence of any memory, too."""
TOKENS = 256
"""Tokens that an embedding model reads, unless it says otherwise by its attribute `max_tokens`."""
FILL = 0.8
"""Part of them that a memory may fill in one piece, because their number is estimated."""
CHUNK = 96
"""Tokens of a chunk, about: what is said in a few sentences is found by its meaning, in a page it is lost."""
OVERLAP = 0.25
"""Part of a chunk that its first sentence, the last one of the chunk before, may take."""
SENTENCE = 12
"""Tokens of neighbouring sentences that are embedded as one: "Hi Mel!" says nothing alone."""
MOST = 400
"""Chunks of one memory, and its sentences: of a text that is longer still, each chunk is embedded by its beginning, and
more of its sentences are embedded as one."""
CONTEXT = 1.0
"""How much of its chunk's vector is added to a sentence's: measured on LoCoMo, in docs/experiments.md."""
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk or a sentence of a memory, with the speaker where the memory has one."""

    text: str
    within: int | None = None
    """Of a sentence: the place of its chunk among the memory's parts."""


def parts(memory: MemoryRecord, max_tokens: int = TOKENS) -> list[Part]:
    """What is embedded of `memory`: its chunks, and then its sentences."""
    whole = chunks(memory.text, max_tokens)
    speaker = memory.speaker if isinstance(memory, Episode) else None
    prefix = f"{speaker}: " if speaker else ""
    made = [Part(prefix + chunk) for chunk in whole]
    at = 0
    seen = set(whole)
    for sentence in spoken(memory.text, max_tokens):
        # Both are in order, and a sentence that stands in two chunks counts with the first.
        at = next((later for later in range(at, len(whole)) if _has(whole[later], sentence)), at)
        if sentence not in seen:
            seen.add(sentence)
            made.append(Part(prefix + sentence, at))
    return made


def in_context(parts: Sequence[Part], vectors: Vectors) -> Vectors:
    """The unit `vectors` of the texts of one memory's `parts`, with each sentence's moved towards its chunk's."""
    sentences = [row for row, part in enumerate(parts) if part.within is not None]
    if not sentences:
        return vectors
    moved = vectors.copy()
    moved[sentences] += CONTEXT * vectors[[part.within for part in parts if part.within is not None]]
    moved[sentences] /= np.maximum(np.linalg.norm(moved[sentences], axis=1, keepdims=True), 1e-12)
    return moved


def chunks(text: str, max_tokens: int = TOKENS) -> list[str]:
    """`text` in chunks of whole sentences as far as they fit, in order; one where all of it does.

    >>> len(chunks("A short text.")), len(chunks("It rained again. " * 200)) > 2
    (1, True)
    """
    if _tokens(text) <= FILL * max_tokens:
        return [text]
    room = max(min(CHUNK, FILL * max_tokens), _tokens(text) / MOST)
    return _joined(_sentences(text, room), room, OVERLAP * room)


def spoken(text: str, max_tokens: int = TOKENS) -> list[str]:
    """The sentences of `text` in order, the shortest with their neighbours; none where it has but one.

    >>> spoken("Hi Mel! I adopted a ferret last week. We named her Biscuit.")
    ['Hi Mel! I adopted a ferret last week.', 'We named her Biscuit.']
    """
    longest = max(min(CHUNK, FILL * max_tokens), _tokens(text) / MOST)
    made = _joined(_sentences(text, longest), max(SENTENCE, _tokens(text) / MOST), 0.0)
    return made if len(made) > 1 else []


def max_tokens(embedder: Embedder) -> int:
    """How long a text `embedder` reads, in tokens."""
    return int(getattr(embedder, "max_tokens", TOKENS))


def vectors_of(
    memories: Sequence[MemoryRecord], embed: Callable[[list[str]], Vectors], max_tokens: int
) -> list[Vectors]:
    """The vectors of each of `memories`, one row for each of its parts. `embed` is called once, with all texts."""
    split = [parts(memory, max_tokens) for memory in memories]
    vectors = embed([part.text for own in split for part in own])
    ends = np.cumsum([len(own) for own in split])
    return [in_context(own, vectors[end - len(own) : end]) for own, end in zip(split, ends, strict=True)]


def similarity(memories: Sequence[MemoryRecord], embedder: Embedder, vector: Vectors) -> list[float]:
    """The cosine of the nearest part of each of `memories` with the unit `vector`."""
    return [float((rows @ vector).max()) for rows in vectors_of(memories, embedder.embed, max_tokens(embedder))]


def _has(chunk: str, sentence: str) -> bool:
    """Whether `sentence` stands in `chunk`, whose white space may be another."""
    return sentence in chunk or " ".join(sentence.split()) in " ".join(chunk.split())


def _joined(sentences: Iterable[str], room: float, overlap: float) -> list[str]:
    """`sentences` in runs of up to `room` tokens, or of a single longer one. A run begins with the last sentence of the
    run before where that has up to `overlap` tokens."""
    made: list[str] = []
    held: list[str] = []
    size = 0.0
    for sentence in sentences:
        cost = _tokens(sentence)
        if held and size + cost > room:
            made.append(" ".join(held))
            held = held[-1:] if _tokens(held[-1]) <= overlap and _tokens(held[-1]) + cost <= room else []
            size = sum(map(_tokens, held))
        held.append(sentence)
        size += cost
    return [*made, " ".join(held)] if held else made


def _tokens(text: str) -> float:
    """About how many tokens `text` has: a character of another script than the Latin one may be a token of its own."""
    ascii_ = len(text) if text.isascii() else sum(char < "\x80" for char in text)
    return ascii_ / CHARACTERS_A_TOKEN + len(text) - ascii_


def _sentences(text: str, room: float) -> Iterator[str]:
    """The sentences of `text`; one that is longer than a chunk in pieces, between words where it has any."""
    for sentence in sentences(text):
        if _tokens(sentence) <= room:
            yield sentence
            continue
        while _tokens(sentence) > room:
            # Some characters cost four times as much as others, so the piece may come out up to four times too long.
            end = min(len(sentence), int(room * CHARACTERS_A_TOKEN))
            while _tokens(sentence[:end]) > room:
                end = max(1, int(end * 0.7))
            cut = sentence.rfind(" ", end // 2, end)
            end = cut if cut > 0 else end
            yield sentence[:end].strip()
            sentence = sentence[end:].strip()
        if sentence:
            yield sentence
