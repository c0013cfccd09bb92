"""Exercises with a common beginning as trees of tokens, and trees as rows of a fixed length.

What several prompts share (their memories) is read once: every branch sees it and itself, never another branch, and
counts its positions from the end of the shared part. A branch is computed exactly as if it stood alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from hybridmem.models.prompts import Message
from lab.packing import filled
from lab.skills.exercises import Group

SHORT = 8
"""Tokens of a completion each of which counts in full."""
Render = Callable[[Sequence[Message], str], tuple[list[int], list[int]]]
"""(ids of the prompt, ids of the completion with the end of the turn)"""


@dataclass(frozen=True, slots=True)
class Branch:
    """The end of a prompt, and its completion."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(frozen=True, slots=True)
class Tree:
    """Token ids; `branches` continue `shared`. Plain text is one branch without a prompt."""

    shared: tuple[int, ...]
    branches: tuple[Branch, ...]
    weight: float = 1.0
    """Of each predicted token in the loss."""

    def __len__(self) -> int:
        return len(self.shared) + sum(map(len, self.branches))


def tree_of(group: Group, render: Render, longest: int) -> Tree | None:
    """The tree of a group, with as many branches as `longest` tokens allow; None where not even one fits."""
    rendered = [render(prompt, completion) for prompt, completion in group]
    shared = _common([prompt for prompt, _ in rendered])
    branches: list[Branch] = []
    used = shared
    for prompt, completion in rendered:
        branch = Branch(tuple(prompt[shared:]), tuple(completion))
        if used + len(branch) <= longest:
            branches.append(branch)
            used += len(branch)
    return Tree(tuple(rendered[0][0][:shared]), tuple(branches)) if branches else None


def _common(prompts: Sequence[Sequence[int]]) -> int:
    """How many ids all prompts begin with; at least one id of each is left to its branch."""
    bound = min(map(len, prompts)) - 1
    return next((at for at in range(bound) if len({prompt[at] for prompt in prompts}) > 1), max(0, bound))


class Row(NamedTuple):
    """Arrays of one row's length."""

    ids: NDArray[numpy.int32]
    positions: NDArray[numpy.int32]
    trees: NDArray[numpy.int16]
    """Number of each token's tree; padding has one of its own."""
    branches: NDArray[numpy.int16]
    """Number of each token's branch in its tree; 0 in the shared part, which every branch sees."""
    weights: NDArray[numpy.float32]
    """What predicting each token counts; the token before it in its branch (or at the end of the shared part) does."""
    sources: NDArray[numpy.int32]
    """The place from which each token is predicted."""


def row_of(trees: Sequence[Tree], length: int, pad: int) -> Row:
    """`trees` side by side in one row, padded."""
    row = Row(
        numpy.full(length, pad, numpy.int32),
        numpy.zeros(length, numpy.int32),
        numpy.full(length, len(trees), numpy.int16),
        numpy.zeros(length, numpy.int16),
        numpy.zeros(length, numpy.float32),
        numpy.zeros(length, numpy.int32),
    )
    at = 0
    for number, tree in enumerate(trees):
        root = at
        stop = at + len(tree.shared)
        row.ids[at:stop] = tree.shared
        row.positions[at:stop] = numpy.arange(len(tree.shared))
        row.trees[at : at + len(tree)] = number
        at = stop
        for which, branch in enumerate(tree.branches, start=1):
            stop = at + len(branch)
            row.ids[at:stop] = branch.prompt + branch.completion
            row.positions[at:stop] = len(tree.shared) + numpy.arange(len(branch))
            row.branches[at:stop] = which
            row.sources[at:stop] = numpy.arange(at, stop) - 1
            row.sources[at] = root + len(tree.shared) - 1
            start = at + len(branch.prompt)
            row.weights[start:stop] = tree.weight * _weight(branch)
            if start == root:
                row.weights[root] = 0.0  # Nothing stands before a text's first token.
            at = stop
    return row


def _weight(branch: Branch) -> float:
    """A long completion counts as the square root of its length: lists would drown answers of two words."""
    length = len(branch.completion)
    return (SHORT / length) ** 0.5 if branch.prompt and length > SHORT else 1.0


def pack(source: Iterable[Tree], *, length: int, pad: int, open_rows: int = 32) -> Iterator[Row]:
    """Rows of `length` tokens of whole trees."""
    for trees in filled(source, len, length=length, open_rows=open_rows):
        yield row_of(trees, length, pad)


def texts(text: str, encode: Callable[[str], list[int]], longest: int, weight: float) -> Iterator[Tree]:
    """Plain text as trees of at most `longest` tokens, each predicted token counting `weight`."""
    ids = encode(text)
    for start in range(0, len(ids), longest):
        part = ids[start : start + longest]
        if len(part) > 1:
            yield Tree((), (Branch((), tuple(part)),), weight)
