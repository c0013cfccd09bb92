"""An event of a few keys in the place of one of many (attention matching, Zweiger et al. 2026, arXiv:2602.16284).

The model reads the chunk once more behind its own keys, as if it repeated it, and the queries of that reading are the
reference. Each head keeps the keys that these attend to most, and their values are solved for in closed form, so that
attention over the few gives what attention over all gave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from hybridmem.running.chunk import Chunk
from hybridmem.running.events import Event
from hybridmem.running.prefix import SessionPrefix
from hybridmem.running.reader import SessionReader
from hybridmem.running.settings import SessionSettings
from hybridmem.running.storage import KeyValues


def compact(reader: SessionReader, chunk: Chunk, settings: SessionSettings) -> None:
    """Leave each event of `chunk` `settings.compact_to` of its keys, with other values."""
    keys, values = chunk.kept.read(slice(None))
    queries = repeated_queries(reader, chunk)
    counts = [max(1, math.ceil(settings.compact_to * len(event))) for event in chunk.events]
    opening_keys, opening_values = reader.opening_keys
    found = [
        _matched(
            reader,
            queries[layer],
            (opening_keys[layer], opening_values[layer]),
            (keys[layer], values[layer]),
            _Picker(chunk.events, counts),
            scaling=reader.attention(layer).scaling,
            ridge=settings.ridge,
        )
        for layer in range(len(reader.layers))
    ]
    chunk.kept = KeyValues.of(
        torch.stack([each for each, _ in found]), torch.stack([each for _, each in found]), int8=settings.int8
    )
    chunk.events = _shortened(chunk.events, counts)
    chunk.compacted = True


def repeated_queries(reader: SessionReader, chunk: Chunk) -> list[Tensor]:
    """By layer: the bare queries, float32 (heads of keys, queries that share one, n, size), of the chunk's tokens when
    they are read a second time behind the chunk."""
    found: dict[int, Tensor] = {}
    prefix = SessionPrefix(reader, [chunk], len(chunk.kept))
    with reader.watched(range(len(reader.layers)), found.__setitem__):
        ids = torch.tensor([chunk.ids], device=reader.device)
        reader.forward(prefix.cache, ids, prefix.start, logits_to_keep=1)
    return [found[layer] for layer in range(len(reader.layers))]


def attended(queries: Tensor, keys: Tensor, scaling: float) -> Tensor:
    """float32 (heads, queries, n): the softmax of `queries` (heads, queries, size) over `keys` (heads, n, size)."""
    return torch.softmax(queries @ keys.mT * scaling, dim=-1)


def refitted(read: Tensor, wanted: Tensor, values: Tensor, ridge: float) -> Tensor:
    """(heads, t, size): the values nearest to `values` of which attention `read` (heads, queries, t) makes `wanted`
    (heads, queries, size): least squares with a penalty on the change, `ridge` times the keys' mean energy."""
    gram = read.mT @ read
    energy = gram.diagonal(dim1=-2, dim2=-1).mean(dim=-1)[:, None, None].clamp(min=1e-12)
    system = gram + ridge * energy * torch.eye(gram.shape[-1], device=gram.device)
    change: Tensor = torch.linalg.solve(system, read.mT @ (wanted - read @ values))
    return values + change


class _Picker:
    """Which keys of each event a head keeps: those of most attention, in the order of the text."""

    def __init__(self, events: Sequence[Event], counts: Sequence[int]) -> None:
        self._events = events
        self._counts = counts

    def __call__(self, weight: Tensor) -> Tensor:
        """int64 (heads, t) of `weight` (heads, n)."""
        picked = [
            event.start + weight[:, event.start : event.stop].topk(count, dim=-1).indices.sort(dim=-1).values
            for event, count in zip(self._events, self._counts, strict=True)
        ]
        return torch.cat(picked, dim=-1)


def _matched(
    reader: SessionReader,
    queries: Tensor,
    opening: tuple[Tensor, Tensor],
    chunk: tuple[Tensor, Tensor],
    pick: _Picker,
    *,
    scaling: float,
    ridge: float,
) -> tuple[Tensor, Tensor]:
    """Bare keys and values (heads, t, size) of one layer that stand for those of its chunk."""
    heads, shared, count, size = queries.shape
    sink, n = opening[0].shape[1], chunk[0].shape[1]
    place = reader.rotation.placed

    def asked(length: int) -> Tensor:
        """The queries, as they stand behind so many keys of the chunk."""
        positions = torch.arange(sink + length, sink + length + count, device=queries.device)
        return place(queries, positions).reshape(heads, shared * count, size)

    def over(keys: Tensor) -> Tensor:
        """Attention over the opening and bare `keys` behind it."""
        whole = torch.cat([opening[0], keys], dim=1)
        return attended(asked(keys.shape[1]), place(whole, torch.arange(whole.shape[1], device=whole.device)), scaling)

    full = over(chunk[0])
    wanted = full @ torch.cat([opening[1], chunk[1]], dim=1)
    at = pick(full[..., sink : sink + n].square().mean(dim=1))[..., None].expand(-1, -1, size)
    keys, values = chunk[0].gather(1, at), chunk[1].gather(1, at)
    few = over(keys)
    return keys, refitted(few[..., sink:], wanted - few[..., :sink] @ opening[1], values, ridge)


def _shortened(events: Sequence[Event], counts: Sequence[int]) -> list[Event]:
    """The events with so many keys each, one behind the other."""
    made, begin = [], 0
    for event, count in zip(events, counts, strict=True):
        made.append(replace(event, start=begin, stop=begin + count))
        begin += count
    return made
