"""The shapes that a base can have: a small LFM2 (short convolutions and attention in turn), or a Llama of its size.

Both are architectures of `transformers`, so that a checkpoint loads without this package.

>>> shape = Shape(hidden=32, layers=2, heads=2, key_value_heads=1, feed_forward=64)
>>> configuration(shape, vocabulary=512, pad=0, end=1).layer_types
['conv', 'full_attention']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import Lfm2Config, LlamaConfig, PreTrainedModel

HYBRID, LLAMA = "lfm2", "llama"


@dataclass(frozen=True)
class Shape:
    """How wide and deep a model is; the defaults give 5.5 million parameters with a vocabulary of 2,048."""

    hidden: int = 256
    layers: int = 8
    heads: int = 4
    key_value_heads: int = 2
    feed_forward: int = 512
    convolution: int = 3
    positions: int = 2048
    rope_theta: float = 10_000.0
    family: str = HYBRID

    def __post_init__(self) -> None:
        if self.hidden % self.heads or self.heads % self.key_value_heads:
            raise ValueError(f"hidden must divide by heads, and heads by key_value_heads: {self}")
        if self.family not in (HYBRID, LLAMA):
            raise ValueError(f"the family {self.family!r} is neither {HYBRID!r} nor {LLAMA!r}")


DESIGNS = {
    "hybrid": Shape(),
    "llama": Shape(family=LLAMA, feed_forward=544),
    "wide": Shape(hidden=384, layers=4, heads=6, key_value_heads=3, feed_forward=576),
    "deep": Shape(hidden=192, layers=14, heads=3, key_value_heads=1, feed_forward=416),
    "large": Shape(hidden=512, layers=10, heads=8, key_value_heads=4, feed_forward=1152),
}
"""The first four have 5.4 to 5.5 million parameters, for two CPU cores; "large" has 28 million, 56 MB, for a GPU."""


def configuration(shape: Shape, *, vocabulary: int, pad: int, end: int) -> Lfm2Config | LlamaConfig:
    """The configuration of `shape`; in a hybrid, even layers mix neighbours by convolution and odd layers attend."""
    from transformers import Lfm2Config, LlamaConfig

    common: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_value_heads,
        "max_position_embeddings": shape.positions,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "pad_token_id": pad,
        "bos_token_id": None,
        "eos_token_id": end,
        "tie_word_embeddings": True,
    }
    if shape.family == LLAMA:
        return LlamaConfig(**common)
    return Lfm2Config(
        **common,
        block_auto_adjust_ff_dim=False,
        conv_L_cache=shape.convolution,
        layer_types=["full_attention" if layer % 2 else "conv" for layer in range(shape.layers)],
    )


_LAST_PROJECTIONS = ("out_proj.weight", "w2.weight", "o_proj.weight", "down_proj.weight")


def fresh_model(shape: Shape, *, vocabulary: int, pad: int, end: int, seed: int) -> PreTrainedModel:
    """An untrained model in float32.

    Each block starts as the identity (its last projection is zero), and a convolution starts near "this token":
    the 0.02 that `transformers` gives it would leave its product of three small numbers without a gradient.
    """
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(
        configuration(shape, vocabulary=vocabulary, pad=pad, end=end), dtype=torch.float32
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(_LAST_PROJECTIONS):
                parameter.zero_()
            elif name.endswith("conv.conv.weight"):
                parameter.normal_(std=0.3)
                parameter[..., -1] += 0.7
            elif parameter.ndim == 2 and "embed" not in name:
                parameter.normal_(std=parameter.shape[1] ** -0.5)
    return model
