"""Recall of pairs from a running state: what each task writes, and how much of it comes back.

Keys are vectors of length 1, and so are values unless a task says otherwise. A read is right when, of all values that
the task has written, old ones too, the nearest is the one that is wanted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from hybridmem.running.rules.base import Rule

SIZE = 64
"""Dimensions of keys and values, where the task does not set them."""
RULE_SEED = 10_000
"""Added to a task's seed for the rule's own weights, which must not repeat the keys' random numbers."""

Task = Callable[[Rule[Any], int], float]
"""The proportion recalled by a rule with a seed."""


def plain(rule: Rule[Any], seed: int, *, pairs: int = 96) -> float:
    """Random pairs, each once."""
    drawn = _drawn(seed)
    keys, values = _unit(drawn, pairs), _unit(drawn, pairs)
    return _recalled(rule, _written(rule, seed, keys, values), keys, values, values)


def rewritten(rule: Rule[Any], seed: int, *, pairs: int = 32, asked: str = "rewritten") -> float:
    """Random pairs, then other values for the first half of the keys; asked are those, or with ``all`` every key."""
    drawn = _drawn(seed)
    half = pairs // 2
    keys, values, later = _unit(drawn, pairs), _unit(drawn, pairs), _unit(drawn, half)
    state = _written(rule, seed, torch.cat([keys, keys[:half]]), torch.cat([values, later]))
    codebook = torch.cat([values, later])
    if asked == "all":
        return _recalled(rule, state, keys, torch.cat([later, values[half:]]), codebook)
    return _recalled(rule, state, keys[:half], later, codebook)


def overlapping(rule: Rule[Any], seed: int, *, cosine: float, passes: int = 1, pairs: int = 48) -> float:
    """Keys with that cosine to each other on average, written once or several times in the same order."""
    drawn = _drawn(seed)
    keys, values = _near(drawn, pairs, cosine), _unit(drawn, pairs)
    return _recalled(rule, _written(rule, seed, keys, values, passes), keys, values, values)


def last_segment(rule: Rule[Any], seed: int, *, segments: int = 20, pairs: int = 32, cosine: float = 0.2) -> float:
    """Segments of keys that are near to each other, each around a direction of its own; asked is the last one."""
    drawn = _drawn(seed)
    state = rule.init(1, 1, SIZE, SIZE, seed=seed + RULE_SEED)
    for _ in range(segments):
        keys, values = _near(drawn, pairs, cosine), _unit(drawn, pairs)
        state = rule.write(state, keys[None, None], values[None, None])
    return _recalled(rule, state, keys, values, values)


def every_segment(rule: Rule[Any], seed: int, *, segments: int = 16, pairs: int = 48, cosine: float = 0.25) -> float:
    """The same, and every segment is asked."""
    keys, values = _segments(seed, segments, pairs, cosine)
    return _recalled(rule, _written(rule, seed, keys, values), keys, values, values)


def told_its_segment(rule: Rule[Any], seed: int, *, segments: int = 16, pairs: int = 48, cosine: float = 0.25) -> float:
    """`every_segment` with a memory for each segment, and every key asked of its own: what a perfect choice reaches."""
    keys, values = _segments(seed, segments, pairs, cosine)
    found = []
    for i in range(segments):
        own = slice(i * pairs, (i + 1) * pairs)
        state = _written(rule, seed, keys[own], values[own])
        found.append(_recalled(rule, state, keys[own], values[own], values))
    return sum(found) / segments


def conjunctions(rule: Rule[Any], seed: int, *, passes: int = 1) -> float:
    """64 keys of 16 dimensions, each one of eight beside one of eight; a value of length 4 belongs to the pair of them.

    Of length 4, because a LayerNorm of 16 dimensions gives nothing else. Written in a random order."""
    drawn, eight = _drawn(seed), torch.eye(8)
    keys = torch.cat([eight.repeat_interleave(8, 0), eight.repeat(8, 1)], dim=1) / math.sqrt(2)
    values = 4 * _unit(drawn, len(keys), 16)
    order = torch.randperm(len(keys), generator=drawn)
    return _recalled(rule, _written(rule, seed, keys[order], values[order], passes), keys, values, values)


def recurring_and_new(rule: Rule[Any], seed: int, *, pairs: int = 2400, recurring: int = 16, every: int = 24) -> float:
    """Pairs that come once, after every 24th one of 16 that come again and again. The worse of two proportions: of the
    recurring ones, and of the last eight that came once."""
    drawn = _drawn(seed)
    keys, values = _unit(drawn, recurring), _unit(drawn, recurring)
    once_keys, once_values = _unit(drawn, pairs), _unit(drawn, pairs)
    turns = torch.arange(pairs // every - 1) % recurring  # none after the last of those that come once
    state = _written(
        rule,
        seed,
        _interleaved(once_keys, keys[turns], every),
        _interleaved(once_values, values[turns], every),
    )
    codebook = torch.cat([values, once_values])
    return min(
        _recalled(rule, state, keys, values, codebook),
        _recalled(rule, state, once_keys[-8:], once_values[-8:], codebook),
    )


def _drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _unit(drawn: torch.Generator, count: int, size: int = SIZE) -> Tensor:
    return normalize(torch.randn(count, size, generator=drawn), dim=-1)


def _near(drawn: torch.Generator, count: int, cosine: float) -> Tensor:
    """Vectors around a random direction, so that two of them have that cosine on average."""
    middle = _unit(drawn, 1)
    return normalize(math.sqrt(cosine) * middle + math.sqrt(1 - cosine) * _unit(drawn, count), dim=-1)


def _segments(seed: int, segments: int, pairs: int, cosine: float) -> tuple[Tensor, Tensor]:
    drawn = _drawn(seed)
    keys = torch.cat([_near(drawn, pairs, cosine) for _ in range(segments)])
    return keys, _unit(drawn, segments * pairs)


def _interleaved(once: Tensor, again: Tensor, every: int) -> Tensor:
    """One row of `again` after every so many of `once`, as long as there are any."""
    split = len(again) * every
    together = torch.cat([once[:split].reshape(-1, every, once.shape[-1]), again[:, None]], dim=1)
    return torch.cat([together.flatten(0, 1), once[split:]])


def _written(rule: Rule[Any], seed: int, keys: Tensor, values: Tensor, passes: int = 1) -> Any:
    state = rule.init(1, 1, keys.shape[-1], values.shape[-1], seed=seed + RULE_SEED)
    for _ in range(passes):
        state = rule.write(state, keys[None, None], values[None, None])
    return state


def _recalled(rule: Rule[Any], state: Any, keys: Tensor, wanted: Tensor, codebook: Tensor) -> float:
    """All of the codebook have one length, so the nearest is the one with the largest product."""
    read = rule.read(state, keys[None, None])[0, 0]
    nearest = codebook[(read @ codebook.T).argmax(-1)]
    return (nearest == wanted).all(-1).float().mean().item()
