"""The forward pass of a Llama-like model with LoRA over rows of trees, and its backward pass.

It computes what `transformers` and PEFT compute and reads their parameters in place. It differs in speed: products of
layers that read the same input are one product, a LoRA layer keeps its input and its inner values alone, and what is
cheap to compute again (norms, gates) is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from lab.forward import rotate

ATTENTION = ("q_proj", "k_proj", "v_proj")
FEED = ("gate_proj", "up_proj")


class _LoraProduct(torch.autograd.Function):
    """x Wᵀ + s · x Aᵀ Bᵀ for several layers that read the same x: W is stacked and frozen, each layer has its A, B."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, scale: float, *pairs: Tensor) -> Tensor:
        downs, ups = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
        down = torch.cat(downs).to(x.dtype) if len(downs) > 1 else downs[0].to(x.dtype)
        inner = x @ down.T
        out = x @ weight.T
        start = at = 0
        rank = downs[0].shape[0]
        for up in ups:
            out[:, at : at + up.shape[0]].addmm_(inner[:, start : start + rank], up.to(x.dtype).T, alpha=scale)
            start, at = start + rank, at + up.shape[0]
        ctx.save_for_backward(x, inner, weight, down, *ups)
        ctx.scale, ctx.rank = scale, rank
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        x, inner, weight, down, *ups = ctx.saved_tensors
        back = torch.empty_like(inner)
        up_grads = []
        start = at = 0
        for up in ups:
            part = grad[:, at : at + up.shape[0]]
            torch.mm(part, up.to(x.dtype), out=back[:, start : start + ctx.rank])
            up_grads.append((part.T @ inner[:, start : start + ctx.rank]).float().mul_(ctx.scale))
            start, at = start + ctx.rank, at + up.shape[0]
        back *= ctx.scale
        down_grads = (back.T @ x).float().split(ctx.rank)
        x_grad = (grad @ weight).addmm_(back, down) if ctx.needs_input_grad[0] else None
        return x_grad, None, None, *down_grads, *up_grads


class _Norm(torch.autograd.Function):
    """RMSNorm with a frozen weight; keeps its input and one number a row."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, weight, inverse)
        return (x * inverse.to(x.dtype)).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        x, weight, inverse = ctx.saved_tensors
        scaled = grad * weight
        inner = (scaled * x).float().mean(-1, keepdim=True)
        return scaled.mul_(inverse.to(x.dtype)).sub_(x * (inner * inverse**3).to(x.dtype)), None, None


class _Gate(torch.autograd.Function):
    """silu(gate) · up, of both in one tensor (tokens, 2 · width); the gate is computed anew for the gradient."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, -1)
        return functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        sigmoid = torch.sigmoid(gate)
        silu = gate * sigmoid
        slope = sigmoid * (1 - silu) + silu
        return torch.cat([slope.mul_(up).mul_(grad), silu.mul_(grad)], dim=-1)


@dataclass(frozen=True, slots=True)
class _Layer:
    """The frozen matrices of one decoder layer as they are multiplied, stacked where they read the same input."""

    module: Any
    attention: Tensor
    attended: Tensor
    feed: Tensor
    fed: Tensor


class LoraForward:
    """Hidden states of a Llama-like `model` that PEFT has given one LoRA adapter.

    `dtype` is what is multiplied in; the adapter's own weights stay in theirs."""

    def __init__(self, model: Any, *, dtype: torch.dtype, adapter: str = "default") -> None:
        self.inner = model.get_base_model().model
        self.head: Tensor = model.get_base_model().get_output_embeddings().weight.to(dtype)
        self.config = model.get_base_model().config
        self.dtype = dtype
        self.adapter = adapter
        self.layers = [
            _Layer(
                layer,
                torch.cat([getattr(layer.self_attn, name).base_layer.weight for name in ATTENTION]).to(dtype),
                layer.self_attn.o_proj.base_layer.weight.to(dtype),
                torch.cat([getattr(layer.mlp, name).base_layer.weight for name in FEED]).to(dtype),
                layer.mlp.down_proj.base_layer.weight.to(dtype),
            )
            for layer in self.inner.layers
        ]

    def __call__(self, ids: Tensor, positions: Tensor, barred: Tensor, chosen: Tensor) -> Tensor:
        """The normed last hidden states, (chosen, hidden), of `ids` and `positions`, both (rows, tokens).

        `barred` is what `bars` gives; `chosen` are positions in the flattened `ids`."""
        eps = self.config.rms_norm_eps
        cosine, sine = _rotations(self.inner.rotary_emb.inv_freq, positions, self.dtype)
        state = functional.embedding(ids.flatten(), self.inner.embed_tokens.weight).to(self.dtype)
        for layer in self.layers:
            state = self._attend(layer, state, ids.shape, barred, cosine, sine, eps)
            if layer is self.layers[-1]:
                state = state[chosen]
            state = self._feed(layer, state, eps)
        return _norm(state, self.inner.norm.weight, eps)

    def _attend(
        self, layer: _Layer, state: Tensor, shape: Any, barred: Tensor, cosine: Tensor, sine: Tensor, eps: float
    ) -> Tensor:
        part = layer.module.self_attn
        rows, tokens = shape
        head: int = part.head_dim
        wide, narrow = part.q_proj.out_features, part.k_proj.out_features
        normed = _norm(state, layer.module.input_layernorm.weight, eps)
        projected = self._product(normed, layer.attention, [getattr(part, name) for name in ATTENTION])
        query, key, value = (
            x.view(rows, tokens, -1, head).transpose(1, 2)
            for x in torch.split(projected, [wide, narrow, narrow], dim=-1)
        )
        query, key = rotate(query, cosine, sine) * part.scaling, rotate(key, cosine, sine)
        groups = part.num_key_value_groups
        # The heads of a group share a key: they are read as more rows of queries.
        query = query.reshape(rows, wide // head // groups, groups * tokens, head)
        scores = (query @ key.transpose(-1, -2)).view(rows, -1, groups, tokens, tokens) + barred
        weights = torch.softmax(scores, dim=-1).view(rows, -1, groups * tokens, tokens)
        attended = (weights @ value).view(rows, wide // head, tokens, head).transpose(1, 2).reshape(-1, wide)
        return state + self._product(attended, layer.attended, [part.o_proj])

    def _feed(self, layer: _Layer, state: Tensor, eps: float) -> Tensor:
        part = layer.module.mlp
        normed = _norm(state, layer.module.post_attention_layernorm.weight, eps)
        gated = _apply(_Gate, self._product(normed, layer.feed, [getattr(part, name) for name in FEED]))
        return state + self._product(gated, layer.fed, [part.down_proj])

    def _product(self, x: Tensor, weight: Tensor, layers: list[Any]) -> Tensor:
        downs = [layer.lora_A[self.adapter].weight for layer in layers]
        ups = [layer.lora_B[self.adapter].weight for layer in layers]
        scale: float = layers[0].scaling[self.adapter]
        return _apply(_LoraProduct, x, weight, scale, *downs, *ups)


def bars(trees: Tensor, branches: Tensor, dtype: torch.dtype) -> Tensor:
    """(rows, 1, 1, tokens, tokens): 0 where a token may look at another, a large negative number where not.

    A token sees what is before it in its own branch, and its tree's shared part."""
    same_tree = trees[:, :, None] == trees[:, None, :]
    same_branch = (branches[:, :, None] == branches[:, None, :]) | (branches[:, None, :] == 0)
    seen = (same_tree & same_branch).tril()
    barred = torch.zeros(seen.shape, dtype=dtype, device=trees.device).masked_fill_(~seen, -1e4)
    return barred[:, None, None]


def _norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return _apply(_Norm, x, weight.to(x.dtype), eps)


def _apply(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    out: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return out


def _rotations(inverse: Tensor, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(rows, 1, tokens, head) each."""
    angles = positions[..., None].float() * inverse.float()
    angles = torch.cat((angles, angles), dim=-1)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)
