"""Long memories in parts, each short enough for an embedding model to read whole.

An embedding model reads the beginning of a text and drops the rest: 256 tokens in the case of the default one. So a
memory has one vector for each part, and is as near to a question as the nearest of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hybridmem.core.records import Episode, MemoryRecord
from hybridmem.core.text.sentences import sentences
from hybridmem.embedding.base import Embedder
from hybridmem.stores.index.base import Vectors

FORMAT = 1
"""Of the vectors: since 1, one for each part of a long memory."""
TOKENS = 256
"""Tokens that an embedding model reads, unless it says otherwise by its attribute `max_tokens`."""
FILL = 0.8
"""Part of them that a memory may fill in one piece, because their number is estimated."""
CHUNK = 96
"""Tokens of a chunk, about: what is said in a few sentences is found by its meaning, in a page it is lost."""
OVERLAP = 0.25
"""Part of a chunk that its first sentence, the last one of the chunk before, may take."""
MOST = 400
"""Chunks of one memory: of a text that is longer still, each is embedded by its beginning."""
CHARACTERS_A_TOKEN = 4


def parts(memory: MemoryRecord, max_tokens: int = TOKENS) -> list[str]:
    """What is embedded of `memory`: its text with its speaker, or each chunk of it with the speaker."""
    if not isinstance(memory, Episode):
        return chunks(memory.text, max_tokens)
    if not memory.speaker:
        return chunks(memory.text, max_tokens)
    return [f"{memory.speaker}: {chunk}" for chunk in chunks(memory.text, max_tokens)]


def chunks(text: str, max_tokens: int = TOKENS) -> list[str]:
    """`text` in chunks of whole sentences as far as they fit, in order; one where all of it does.

    >>> len(chunks("A short text.")), len(chunks("It rained again. " * 200)) > 2
    (1, True)
    """
    if _tokens(text) <= FILL * max_tokens:
        return [text]
    room = max(min(CHUNK, FILL * max_tokens), _tokens(text) / MOST)
    made: list[str] = []
    held: list[str] = []
    size = 0.0
    for sentence in _sentences(text, room):
        cost = _tokens(sentence)
        if held and size + cost > room:
            made.append(" ".join(held))
            held = held[-1:] if _tokens(held[-1]) <= OVERLAP * room and _tokens(held[-1]) + cost <= room else []
            size = sum(map(_tokens, held))
        held.append(sentence)
        size += cost
    return [*made, " ".join(held)]


def max_tokens(embedder: Embedder) -> int:
    """How long a text `embedder` reads, in tokens."""
    return int(getattr(embedder, "max_tokens", TOKENS))


def similarity(memories: Sequence[MemoryRecord], embedder: Embedder, vector: Vectors) -> list[float]:
    """The cosine of the nearest part of each of `memories` with the unit `vector`."""
    split = [parts(memory, max_tokens(embedder)) for memory in memories]
    cosines = embedder.embed([part for each in split for part in each]) @ vector
    ends = np.cumsum([len(each) for each in split])
    return [float(cosines[end - len(each) : end].max()) for end, each in zip(ends, split, strict=True)]


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
