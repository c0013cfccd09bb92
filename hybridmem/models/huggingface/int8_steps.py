"""The tokens of an answer behind its first one, with the layers' weights in 8 bits: for answers on a CPU.

Writing a token reads every weight once, and an int8 weight is a quarter of a float32. Each output channel of a weight
has a scale of its own; what comes in is rounded to bfloat16 and never to 8 bits, because the few inputs that are twenty
times the others would take the rest with them (Dettmers et al. 2022, arXiv:2208.07339). The prompt is read, and with it
the first token chosen, by the model itself in its own precision. So are the embeddings, the norms, the head, and the
adapter in force, whose update is added unrounded.

A step calls as few kernels as it can, since a model of this size spends as long on starting them as on multiplying:
layers that read the same input are one product, and the cache is written in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hybridmem.models.huggingface.adapter_slots import TRAINED, AdapterSlots
from hybridmem.models.huggingface.decoding import ModuleSteps
from hybridmem.models.huggingface.lora import linear_layers

if TYPE_CHECKING:
    from hybridmem.models.trainable import LoraUpdate

FAMILIES = ("llama", "qwen2", "qwen3")
"""Values of ``model_type`` whose layers are those that `Int8Weights` knows."""
_LEVELS = 127
_TINY = 1e-30
_BLOCK = 16
"""Inputs that the kernel takes at a time."""


def fits(module: Any) -> bool:
    """Whether `Int8Weights` can be made of `module`: of a family that it knows, on a CPU, unquantized."""
    config = module.config
    layers = linear_layers(module).values()
    return (
        config.model_type in FAMILIES
        and module.device.type == "cpu"
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and all(type(layer) is nn.Linear and layer.in_features % _BLOCK == 0 for layer in layers)
        and hasattr(torch, "_weight_int8pack_mm")
    )


class Int8Weights:
    """A copy of the layers of `module`, a byte a weight. Nothing of `module` changes."""

    @torch.no_grad()
    def __init__(self, module: Any) -> None:
        layers = linear_layers(module)
        self.module = module
        self.layers = [
            _Layer(layer, f"model.layers.{number}", layers) for number, layer in enumerate(module.model.layers)
        ]
        self._adapter: str | None = None

    @torch.no_grad()
    def fit(self, slots: AdapterSlots) -> None:
        """Add the update of the adapter that is in force in `slots`, and no other."""
        if slots.in_force == self._adapter != TRAINED:
            return
        updates = slots.updates()
        for layer in self.layers:
            for product in layer.products:
                product.fit(updates)
        self._adapter = slots.in_force


class Int8Steps:
    """`decoding.Steps` in which the model reads the prompts and `weights` write the answers."""

    def __init__(self, weights: Int8Weights) -> None:
        self._weights = weights
        self._module = weights.module
        self._cache: list[tuple[Tensor, Tensor]] = []
        self._length = 0

    def read(self, ids: Tensor, mask: Tensor | None, positions: Tensor, room: int) -> Tensor:
        reading = ModuleSteps(self._module)
        logits = reading.read(ids, mask, positions, room)
        self._length = ids.shape[1]
        # In place from here on: growing the cache would copy it once a token.
        self._cache = [(_with_room(layer.keys, room), _with_room(layer.values, room)) for layer in reading.cache.layers]
        return logits

    def keep(self, rows: Tensor) -> None:
        self._cache = [(keys[rows], values[rows]) for keys, values in self._cache]

    def step(self, tokens: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        inner = self._module.model
        states = inner.embed_tokens(tokens[:, 0])
        cosine, sine = (each.float() for each in inner.rotary_emb(states[:, None], positions))
        half = sine.shape[-1] // 2
        rotation = cosine, torch.cat([-sine[..., :half], sine[..., half:]], dim=-1)
        at, self._length = self._length, self._length + 1
        seen = None if mask is None else mask.bool()[:, None, None]
        states = states.float()
        for layer, (keys, values) in zip(self._weights.layers, self._cache, strict=True):
            states = layer.step(states, rotation, keys, values, at, seen)
        head = self._module.get_output_embeddings()
        last: Tensor = head(inner.norm(states).to(head.weight.dtype))
        return last


class _Product:
    """Linear layers that read the same input, as one."""

    def __init__(self, paths: Sequence[str], layers: Mapping[str, Any]) -> None:
        self._paths = paths
        self._sizes = [layers[path].out_features for path in paths]
        weight = torch.cat([layers[path].weight.detach().float() for path in paths])
        # The kernel takes the scales in bfloat16: rounded before they are used, they add no error.
        self._scales = (weight.abs().amax(dim=1).clamp(min=_TINY) / _LEVELS).bfloat16()
        steps = weight / self._scales.float()[:, None]
        self._weight = steps.round_().clamp_(-_LEVELS, _LEVELS).to(torch.int8)
        biases = [layers[path].bias for path in paths]
        zeros = [torch.zeros(size) for size in self._sizes]
        given = [zero if bias is None else bias.detach().float() for bias, zero in zip(biases, zeros, strict=True)]
        self._bias = torch.cat(given) if any(bias is not None for bias in biases) else None
        self._update: LoraUpdate | None = None

    def fit(self, updates: Mapping[str, LoraUpdate]) -> None:
        """The updates of its layers become one, too: the first matrices above each other, the second on a diagonal."""
        found = {at: updates[path] for at, path in enumerate(self._paths) if path in updates}
        self._update = None
        if found:
            down = torch.cat([down.float() for down, _ in found.values()])
            up = torch.zeros(sum(self._sizes), len(down))
            column = 0
            for at, (_, part) in found.items():
                row, rank = sum(self._sizes[:at]), part.shape[1]
                up[row : row + self._sizes[at], column : column + rank] = part
                column += rank
            self._update = down.T.contiguous(), up.T.contiguous()

    def __call__(self, given: Tensor) -> Tensor:
        """float32 (rows, outputs) of float32 (rows, inputs)"""
        product = self._multiplied(given)
        if self._update is not None:
            down, up = self._update
            product.addmm_(given @ down, up)
        if self._bias is not None:
            product += self._bias
        return product

    def _multiplied(self, given: Tensor) -> Tensor:
        product: Tensor = torch._weight_int8pack_mm(given.bfloat16(), self._weight, self._scales)
        return product.float()


class _Layer:
    """One decoder layer: attention over what was read, and a gated feed-forward part."""

    def __init__(self, layer: Any, path: str, layers: Mapping[str, Any]) -> None:
        attention = layer.self_attn
        self._norms = layer.input_layernorm, layer.post_attention_layernorm
        self._query_norm, self._key_norm = (getattr(attention, name, None) for name in ("q_norm", "k_norm"))
        self._activation = layer.mlp.act_fn
        self._scale = attention.scaling
        self._size = attention.head_dim
        self._key_heads = layers[f"{path}.self_attn.k_proj"].out_features // self._size
        self._query_heads = layers[f"{path}.self_attn.q_proj"].out_features // self._size
        self._projections = _Product([f"{path}.self_attn.{name}_proj" for name in "qkv"], layers)
        self._output = _Product([f"{path}.self_attn.o_proj"], layers)
        self._wide = _Product([f"{path}.mlp.gate_proj", f"{path}.mlp.up_proj"], layers)
        self._narrow = _Product([f"{path}.mlp.down_proj"], layers)
        self.products = self._projections, self._output, self._wide, self._narrow

    def step(
        self,
        states: Tensor,
        rotation: tuple[Tensor, Tensor],
        keys: Tensor,
        values: Tensor,
        at: int,
        seen: Tensor | None,
    ) -> Tensor:
        """The states (rows, width) of the next layer; keys and values of this token are written at `at`."""
        rows = len(states)
        heads = self._projections(_normed(states, self._norms[0])).view(rows, -1, self._size)
        turned = self._turned(heads[:, : self._query_heads + self._key_heads], rotation)
        keys[:, :, at] = turned[:, self._query_heads :]
        values[:, :, at] = heads[:, self._query_heads + self._key_heads :]
        # The queries that share a key's head stand where a longer text's queries would: all of them see all keys.
        attended = functional.scaled_dot_product_attention(
            turned[:, : self._query_heads].reshape(rows, self._key_heads, -1, self._size),
            keys[:, :, : at + 1].float(),
            values[:, :, : at + 1].float(),
            attn_mask=seen,
            scale=self._scale,
        )
        states = states + self._output(attended.reshape(rows, -1))
        gate, up = self._wide(_normed(states, self._norms[1])).chunk(2, dim=-1)
        return states + self._narrow(self._activation(gate) * up)

    def _turned(self, heads: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Queries and keys with their position (rotary embeddings, arXiv:2104.09864); the second half of `rotation`
        has the sign that its rolled factor lacks."""
        if self._query_norm is not None and self._key_norm is not None:
            queries, keys = heads[:, : self._query_heads], heads[:, self._query_heads :]
            heads = torch.cat([_normed(queries, self._query_norm), _normed(keys, self._key_norm)], dim=1)
        return torch.addcmul(heads * rotation[0], heads.roll(self._size // 2, dims=-1), rotation[1])


def _normed(states: Tensor, norm: Any) -> Tensor:
    """The root-mean-square norm of these families (arXiv:1910.07467), in one kernel."""
    return functional.rms_norm(states, states.shape[-1:], norm.weight.float(), norm.variance_epsilon)


def _with_room(read: Tensor, room: int) -> Tensor:
    rows, heads, length, size = read.shape
    cache = read.new_empty(rows, heads, length + room, size)
    cache[:, :, :length] = read
    return cache
