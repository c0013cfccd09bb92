"""The forward pass of training: what `Lfm2Model` or `LlamaModel` computes, over rows that hold several documents.

It reads the parameters of the `transformers` model in place, so a checkpoint is that model's own. It differs in
speed (on a CPU, the depthwise convolution is slower than a sum of shifted products, and fused attention's backward
pass slower than plain products at this size) and in one input: `segments`, the number of each token's document in
its row. Neither attention nor convolution looks across a document's edge. Rotary positions are relative, so a
document's place in its row does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as functional
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class _Names:
    """What a family calls the parts of a layer."""

    before_operator: str
    before_feed: str
    feed: str
    gate: str
    value: str
    out: str
    attended: str
    last_norm: str
    eps: str


_NAMES = {
    "lfm2": _Names(
        "operator_norm", "ffn_norm", "feed_forward", "w1", "w3", "w2", "out_proj", "embedding_norm", "norm_eps"
    ),
    "llama": _Names(
        "input_layernorm",
        "post_attention_layernorm",
        "mlp",
        "gate_proj",
        "up_proj",
        "down_proj",
        "o_proj",
        "norm",
        "rms_norm_eps",
    ),
}


class Forward:
    """The hidden states of a model where they are asked for; `compiled` where a C++ compiler is there.

    Compiled, each kind of step is one generated function that all layers share. The last feed-forward step is
    done for the chosen positions alone: their number varies, so that one is never compiled.
    """

    def __init__(self, model: PreTrainedModel, *, compiled: bool, dtype: torch.dtype = torch.bfloat16) -> None:
        self.model = model
        self.dtype = dtype
        self.names = _NAMES[model.config.model_type]
        self.attend = _compiled(_attend) if compiled else _attend
        self.convolve = _compiled(_convolve) if compiled else _convolve
        self.feed = _compiled(_feed) if compiled else _feed

    def __call__(self, ids: Tensor, segments: Tensor, chosen: Tensor) -> Tensor:
        """The normed last hidden states, (chosen, hidden), of `ids` and `segments`, both (rows, tokens).

        `chosen` are positions in the flattened `ids`.
        """
        inner = cast(Any, self.model).model
        names = self.names
        eps: float = getattr(self.model.config, names.eps)
        barred = _barred(segments, self.dtype)
        width: int = getattr(self.model.config, "conv_L_cache", 1)
        kept = _kept(segments, width, self.dtype)
        cosine, sine = (part.to(self.dtype) for part in _rotations(inner.rotary_emb.inv_freq, ids.shape[1]))
        state = functional.embedding(ids, inner.embed_tokens.weight).to(self.dtype)
        for number, layer in enumerate(inner.layers, start=1):
            if hasattr(layer, "self_attn"):
                state = self.attend(layer, names, state, barred, cosine, sine, eps)
            else:
                state = self.convolve(layer, names, state, kept, eps)
            if number == len(inner.layers):
                state = _feed(layer, names, state.flatten(0, 1)[chosen], eps)
            else:
                state = self.feed(layer, names, state, eps)
        return _norm(state, getattr(inner, names.last_norm).weight, eps)


def _compiled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return cast(Callable[..., Tensor], torch.compile(function, dynamic=False))


def _barred(segments: Tensor, dtype: torch.dtype) -> Tensor:
    """(rows, 1, tokens, tokens): 0 where a token may look at another, a large negative number where not."""
    tokens = segments.shape[1]
    seen = (segments[:, :, None] == segments[:, None, :]).tril()
    bars = torch.zeros(segments.shape[0], tokens, tokens, dtype=dtype).masked_fill_(~seen, -1e4)
    return bars.unsqueeze(1)


def _kept(segments: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """(width, rows, tokens, 1): 1 where the token so many places back is of the same document, 0 elsewhere."""
    rows = [torch.ones_like(segments, dtype=dtype)]
    for back in range(1, width):
        rows.append(functional.pad((segments[:, back:] == segments[:, :-back]).to(dtype), (back, 0)))
    return torch.stack(rows).unsqueeze(-1)


def _attend(
    layer: Any, names: _Names, state: Tensor, barred: Tensor, cosine: Tensor, sine: Tensor, eps: float
) -> Tensor:
    part = layer.self_attn
    rows, tokens, _ = state.shape
    head: int = part.head_dim
    normed = _norm(state, getattr(layer, names.before_operator).weight, eps)
    projected = _linear(normed, part.q_proj.weight, part.k_proj.weight, part.v_proj.weight)
    wide, narrow = part.q_proj.out_features, part.k_proj.out_features
    query, key, value = (x.view(rows, tokens, -1, head) for x in torch.split(projected, [wide, narrow, narrow], dim=-1))
    if hasattr(part, "q_layernorm"):
        query, key = _norm(query, part.q_layernorm.weight, eps), _norm(key, part.k_layernorm.weight, eps)
    query = rotate(query, cosine, sine) * part.scaling
    key = rotate(key, cosine, sine)
    if part.num_key_value_groups > 1:
        key, value = (x.repeat_interleave(part.num_key_value_groups, dim=2) for x in (key, value))
    scores = query.transpose(1, 2) @ key.permute(0, 2, 3, 1) + barred
    attended = torch.softmax(scores, dim=-1) @ value.transpose(1, 2)
    return state + _linear(attended.transpose(1, 2).reshape(rows, tokens, -1), getattr(part, names.attended).weight)


def _convolve(layer: Any, names: _Names, state: Tensor, kept: Tensor, eps: float) -> Tensor:
    projected = _linear(_norm(state, getattr(layer, names.before_operator).weight, eps), layer.conv.in_proj.weight)
    before, after, content = projected.chunk(3, dim=-1)
    taps = layer.conv.conv.weight.squeeze(1).to(state.dtype).unbind(1)
    content = before * content
    summed = content * taps[-1]
    for back in range(1, len(taps)):
        shifted = functional.pad(content[:, :-back], (0, 0, back, 0))
        summed = summed + shifted * kept[back] * taps[-1 - back]
    return state + _linear(after * summed, layer.conv.out_proj.weight)


def _feed(layer: Any, names: _Names, state: Tensor, eps: float) -> Tensor:
    forward = getattr(layer, names.feed)
    normed = _norm(state, getattr(layer, names.before_feed).weight, eps)
    gate, value = (getattr(forward, name).weight for name in (names.gate, names.value))
    gate, value = _linear(normed, gate, value).chunk(2, -1)
    return state + _linear(functional.silu(gate) * value, getattr(forward, names.out).weight)


def _linear(value: Tensor, *weights: Tensor) -> Tensor:
    """`value` by the stacked `weights`: one large product is faster than several small ones."""
    weight = weights[0] if len(weights) == 1 else torch.cat(weights)
    return functional.linear(value, weight.to(value.dtype))


def _norm(value: Tensor, weight: Tensor, eps: float) -> Tensor:
    wide = value.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(value.dtype) * weight.to(value.dtype)


def _rotations(inverse: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    angles = torch.arange(tokens, device=inverse.device)[:, None].float() * inverse.float()
    angles = torch.cat((angles, angles), dim=-1)[:, None, :]
    return angles.cos(), angles.sin()


def rotate(value: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    half = value.shape[-1] // 2
    turned = torch.cat((-value[..., half:], value[..., :half]), dim=-1)
    return value * cosine + turned * sine
