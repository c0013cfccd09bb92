"""A model as a session reads with it: chunk by chunk behind the same opening, none of which sees another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from hybridmem.models.huggingface.decoding import cache_argument
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running import frame
from hybridmem.running.rotation import Rotation

_QUERIES = ("q_norm", "q_layernorm", "q_proj")
_KEYS = ("k_norm", "k_layernorm", "k_proj")


@dataclass(slots=True)
class OpenReading:
    """A chunk that more may be read into."""

    cache: Any
    """Of the model: the opening, and what was read behind it."""
    logits: Tensor
    """(vocabulary,): of what follows."""
    length: int
    """Tokens behind the opening."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What a chunk's next tokens were read as."""

    surprise: list[float]
    """By token: nats."""
    hidden: Tensor | None
    """(n, width): the state behind each token, which predicts the next; None where nobody asked."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one layer made of some tokens, before it attended."""

    queries: Tensor
    """float32 (heads of keys, queries that share one, n, size), bare."""
    keys: Tensor
    """float32 (heads of keys, n, size), bare."""


class SessionReader:
    """Reads with `model` under whatever adapter is in force; its caller holds the model (`HuggingFaceModel.exclusive`).
    An adapter or a template that changes wants another reader."""

    def __init__(self, model: HuggingFaceModel) -> None:
        self.model = model
        self.module = model.module
        self.opening = frame.opening(model)
        self.rotation = Rotation(self._inner.rotary_emb.inv_freq)

    @property
    def _inner(self) -> Any:
        return self.module.model

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers that attend, and so have keys and values."""
        return tuple(at for at, layer in enumerate(self._inner.layers) if hasattr(layer, "self_attn"))

    @property
    def convolutions(self) -> tuple[int, ...]:
        """Numbers of the layers with a short convolution, whose state are the last few tokens."""
        return tuple(at for at in range(len(self._inner.layers)) if at not in self.layers)

    def attention(self, layer: int) -> Any:
        """The attention of the `layer`-th of `layers`."""
        return self._inner.layers[self.layers[layer]].self_attn

    @cached_property
    def heads(self) -> tuple[int, int, int]:
        """(heads of keys, queries that share one, size of a head)"""
        first = self.attention(0)
        config = self.module.config.get_text_config()
        return config.num_key_value_heads, int(first.num_key_value_groups), int(first.head_dim)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @cached_property
    def _opened(self) -> OpenReading:
        """The opening, read."""
        ids = torch.tensor([self.opening], device=self.device)
        output = self.module(input_ids=ids, use_cache=True)
        return OpenReading(getattr(output, self._cache_name), output.logits[0, -1].clone(), 0)

    @cached_property
    def _cache_name(self) -> str:
        return cache_argument(self.module)

    def begin(self) -> OpenReading:
        """A new chunk, in which nothing was read yet."""
        opened = self._opened
        return OpenReading(copy.deepcopy(opened.cache), opened.logits, 0)

    def read(self, chunk: OpenReading, ids: Sequence[int], *, hidden: bool = False) -> Passage:
        """Go on in `chunk` with `ids`; with `hidden`, the state behind each of them comes along."""
        states: list[Tensor] = []
        given = torch.tensor([list(ids)], device=self.device)
        with self.head_inputs(states) if hidden else nullcontext():
            logits = self.forward(chunk.cache, given, len(self.opening) + chunk.length)[0]
        nats = torch.cat([_surprise(chunk.logits[None], given[0, :1]), _surprise(logits[:-1], given[0, 1:])])
        # A copy: the last row alone would keep all of them.
        chunk.logits = logits[-1].clone()
        chunk.length += len(ids)
        return Passage(nats.tolist(), states[0][0].bfloat16() if hidden else None)

    def forward(self, cache: Any, ids: Tensor, start: int, **more: Any) -> Tensor:
        """Logits (1, n, vocabulary) of `ids` (1, n), which stand from the position `start` on."""
        positions = torch.arange(start, start + ids.shape[1], device=self.device)[None]
        logits: Tensor = self.module(
            input_ids=ids, position_ids=positions, use_cache=True, **{self._cache_name: cache}, **more
        ).logits
        return logits

    def keys_and_values(self, chunk: OpenReading) -> tuple[Tensor, Tensor]:
        """Bare keys and values of a chunk without its opening, each float32 (layers, heads, n, size)."""
        start = len(self.opening)
        kept = [chunk.cache.layers[at] for at in self.layers]
        keys = torch.stack([layer.keys[0, :, start:].float() for layer in kept])
        values = torch.stack([layer.values[0, :, start:].float() for layer in kept])
        positions = torch.arange(start, start + chunk.length, device=self.device)
        return self.rotation.bare(keys, positions), values

    def convolution_states(self, chunk: OpenReading) -> tuple[Tensor, ...]:
        """State of each convolution behind what a chunk has read, (1, channels, taps)."""
        return tuple(chunk.cache.layers[at].conv_states[0].clone() for at in self.convolutions)

    @cached_property
    def opening_keys(self) -> tuple[Tensor, Tensor]:
        """Bare keys and values of the opening, each float32 (layers, heads, n, size)."""
        kept = [self._opened.cache.layers[at] for at in self.layers]
        keys = torch.stack([layer.keys[0].float() for layer in kept])
        values = torch.stack([layer.values[0].float() for layer in kept])
        return self.rotation.bare(keys, torch.arange(len(self.opening), device=self.device)), values

    def probe(self, ids: Sequence[int], layers: Sequence[int]) -> dict[int, Probe]:
        """What each of `layers` asks for when `ids` are read behind the opening alone; the layers above are spared."""
        chunk, queries, found = self.begin(), dict[int, Tensor](), dict[int, Probe]()

        def seen(layer: int, keys: Tensor) -> None:
            found[layer] = Probe(queries[layer], keys)
            if layer == max(layers):
                raise _FarEnough

        with self.watched(layers, queries.__setitem__, seen), suppress(_FarEnough):
            self.forward(chunk.cache, torch.tensor([list(ids)], device=self.device), len(self.opening))
        return found

    @contextmanager
    def watched(
        self,
        layers: Sequence[int],
        queries: Callable[[int, Tensor], None],
        keys: Callable[[int, Tensor], None] | None = None,
    ) -> Iterator[None]:
        """Within this context `queries` is called with each of `layers` that reads and its bare queries, as in
        `Probe`, and then `keys` with its bare keys."""
        heads, shared, size = self.heads

        def read_queries(layer: int, made: Tensor) -> None:
            queries(layer, made.float().reshape(-1, heads, shared, size).permute(1, 2, 0, 3))

        def read_keys(layer: int, made: Tensor) -> None:
            if keys is not None:
                keys(layer, made.float().reshape(-1, heads, size).transpose(0, 1))

        with ExitStack() as stack:
            for layer in layers:
                attention = self.attention(layer)
                for names, read in ((_QUERIES, read_queries), (_KEYS, read_keys)):
                    handle = _last_of(attention, names).register_forward_hook(_hook(layer, read))
                    stack.callback(handle.remove)
            yield

    @contextmanager
    def head_inputs(self, states: list[Tensor]) -> Iterator[None]:
        """Within this context what the head reads is added to `states`."""

        def keep(_: Any, given: tuple[Tensor, ...]) -> None:
            states.append(given[0])

        handle = self.module.get_output_embeddings().register_forward_pre_hook(keep)
        try:
            yield
        finally:
            handle.remove()


def _surprise(logits: Tensor, ids: Tensor) -> Tensor:
    """float32 (n,): nats of each of `ids` under the `logits` (n, vocabulary) before it."""
    exact = logits.float()
    return torch.logsumexp(exact, dim=-1) - exact.gather(1, ids[:, None])[:, 0]


class _FarEnough(Exception):
    """The layers that somebody watches have read."""


def _last_of(attention: Any, names: Sequence[str]) -> Any:
    """The module of an attention that makes its queries or keys, before they are turned: their norm where there is
    one."""
    return next(found for name in names if (found := getattr(attention, name, None)) is not None)


def _hook(layer: int, read: Callable[[int, Tensor], None]) -> Callable[[Any, Any, Tensor], None]:
    def hook(_: Any, given: Any, made: Tensor) -> None:
        read(layer, made)

    return hook
