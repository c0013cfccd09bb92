"""Documents as rows of a fixed length: several whole documents a row, each with its own segment number.

>>> rows = pack(iter([Piece([5, 6], [0.0, 1.0]), Piece([7], [1.0])]), length=4, pad=0, open_rows=1)
>>> row = next(rows)
>>> row.ids.tolist(), row.segments.tolist(), row.weights.tolist()
([5, 6, 7, 0], [0, 0, 1, 2], [0.0, 1.0, 0.0, 0.0])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy
from numpy.typing import NDArray

from lab.tokenizer import ASSISTANT, END, USER, Document, token_id

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


T = TypeVar("T")


@dataclass(frozen=True)
class Weights:
    """How much a token of each kind counts in the loss."""

    answer: float = 1.0
    asked: float = 0.05
    text: float = 0.25


class Piece(NamedTuple):
    """A document's tokens and, for each, what predicting it counts."""

    ids: list[int]
    weights: list[float]


class Row(NamedTuple):
    ids: NDArray[numpy.int16]
    segments: NDArray[numpy.int16]
    weights: NDArray[numpy.float32]


def pieces(
    documents: Iterable[Document], tokenizer: PreTrainedTokenizerFast, weights: Weights, length: int
) -> Iterator[Piece]:
    """The tokens of each document: long text is cut in parts, a long chat loses the exchanges that do not fit."""
    end, user, assistant = (token_id(tokenizer, token) for token in (END, USER, ASSISTANT))
    for document in documents:
        if isinstance(document, str):
            ids = [*_encoded(tokenizer, document), end]
            for start in range(0, len(ids), length):
                part = ids[start : start + length]
                yield Piece(part, [weights.text] * len(part))
            continue
        ids, counted, whole = [], [], 0
        for message in document:
            content = _encoded(tokenizer, message["content"])
            if message["role"] == "user":
                ids += [user, *content]
                counted += [0.0] + [weights.asked] * len(content)
            elif message["role"] == "assistant":
                ids += [assistant, *content, end]
                counted += [0.0] + [weights.answer] * (len(content) + 1)
                if len(ids) > length:
                    break
                whole = len(ids)
        if whole:
            yield Piece(ids[:whole], counted[:whole])


def _encoded(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def pack(source: Iterator[Piece], *, length: int, pad: int, open_rows: int = 64) -> Iterator[Row]:
    """Rows of `length` tokens of whole pieces; padding is a segment of its own."""
    for row in filled(source, lambda piece: len(piece.ids), length=length, open_rows=open_rows):
        yield _row(row, length, pad)


def filled(source: Iterable[T], size: Callable[[T], int], *, length: int, open_rows: int) -> Iterator[list[T]]:
    """What fits into rows of `length`: each of `source` joins the fullest open row that has room for it. With more
    than `open_rows` of them, the fullest row that is not the newest is done."""
    rows: list[list[T]] = []
    used: list[int] = []
    for each in source:
        fitting = [at for at, full in enumerate(used) if full + size(each) <= length]
        if fitting:
            fullest = max(fitting, key=lambda at: used[at])
            rows[fullest].append(each)
            used[fullest] += size(each)
        else:
            rows.append([each])
            used.append(size(each))
        if len(rows) > open_rows:
            done = max(range(open_rows), key=lambda at: used[at])
            used.pop(done)
            yield rows.pop(done)
    yield from rows


def _row(row: list[Piece], length: int, pad: int) -> Row:
    ids = numpy.full(length, pad, numpy.int16)
    segments = numpy.full(length, len(row), numpy.int16)
    weights = numpy.zeros(length, numpy.float32)
    start = 0
    for number, piece in enumerate(row):
        stop = start + len(piece.ids)
        ids[start:stop], segments[start:stop], weights[start:stop] = piece.ids, number, piece.weights
        # Nothing in the row comes before a document's first token from which to predict it.
        weights[start] = 0.0
        start = stop
    return Row(ids, segments, weights)
