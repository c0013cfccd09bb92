"""How well a model foretells plain text, in units that models with other tokenizers can be compared in."""

from __future__ import annotations

from dataclasses import dataclass

from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.tensors import cross_entropy

WINDOW = 256
"""Tokens that are read together; the first of them is given."""


@dataclass(frozen=True, slots=True)
class TextLoss:
    """Cross-entropy of a text."""

    nats_per_token: float
    nats_per_byte: float
    """The same by the bytes of UTF-8 that a token stands for on average: it does not depend on the tokenizer."""
    tokens: int
    bytes: int


def text_loss(model: HuggingFaceModel, text: str, window: int = WINDOW) -> TextLoss:
    """The loss of `text`, cut into windows of `window` tokens; what is left behind the last of them is not read."""
    ids: list[int] = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    size = len(text.encode())
    loss = cross_entropy(model, [ids[at : at + window] for at in range(0, max(1, len(ids) - window), window)])
    return TextLoss(loss, loss * len(ids) / max(1, size), len(ids), size)
