"""The shape of the bundled base: a small LFM2 (short convolutions and attention in turn) that `transformers` knows.

>>> shape = Shape(hidden=32, layers=2, heads=2, key_value_heads=1, feed_forward=64)
>>> configuration(shape, vocabulary=512, pad=0, end=1).layer_types
['conv', 'full_attention']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Lfm2Config, Lfm2ForCausalLM


@dataclass(frozen=True)
class Shape:
    """How wide and deep the model is; the defaults give 5.5 million parameters with a vocabulary of 2,048."""

    hidden: int = 256
    layers: int = 8
    heads: int = 4
    key_value_heads: int = 2
    feed_forward: int = 512
    convolution: int = 3
    positions: int = 2048
    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        if self.hidden % self.heads or self.heads % self.key_value_heads:
            raise ValueError(f"hidden must divide by heads, and heads by key_value_heads: {self}")


def configuration(shape: Shape, *, vocabulary: int, pad: int, end: int) -> Lfm2Config:
    """The `Lfm2Config` of `shape`: even layers mix neighbours by convolution, odd layers attend."""
    from transformers import Lfm2Config

    return Lfm2Config(
        vocab_size=vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        block_auto_adjust_ff_dim=False,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=shape.positions,
        conv_L_cache=shape.convolution,
        layer_types=["full_attention" if layer % 2 else "conv" for layer in range(shape.layers)],
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        pad_token_id=pad,
        bos_token_id=None,
        eos_token_id=end,
        tie_word_embeddings=True,
    )


def fresh_model(shape: Shape, *, vocabulary: int, pad: int, end: int, seed: int) -> Lfm2ForCausalLM:
    """An untrained model in float32.

    Each block starts as the identity (its last projection is zero), and a convolution starts near "this token":
    the 0.02 that `transformers` gives it would leave its product of three small numbers without a gradient.
    """
    import torch
    from transformers import Lfm2ForCausalLM

    torch.manual_seed(seed)
    model = Lfm2ForCausalLM(configuration(shape, vocabulary=vocabulary, pad=pad, end=end))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("out_proj.weight", "w2.weight")):
                parameter.zero_()
            elif name.endswith("conv.conv.weight"):
                parameter.normal_(std=0.3)
                parameter[..., -1] += 0.7
            elif parameter.ndim == 2 and "embed" not in name:
                parameter.normal_(std=parameter.shape[1] ** -0.5)
    return model
