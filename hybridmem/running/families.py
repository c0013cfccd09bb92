"""Which models a session memory can be made of. Each family in `FAMILIES` passes the equality tests: a chunk behind its
opening gives the logits of the ordinary cache, and a re-rotated key is the one that the model computes there."""

from __future__ import annotations

from typing import Any

FAMILIES = ("llama", "qwen3", "lfm2")
"""Values of ``model_type``."""
_ROTATIONS = ("default", "llama3")
"""Kinds of rotary embeddings whose frequencies are the same at every position."""
_LAYERS = {"full_attention", "conv"}


def unsupported(model: object) -> str | None:
    """Why `model` cannot keep a session in its own keys and values; None where it can."""
    module: Any = getattr(model, "module", None)
    if module is None:
        return "is no model of transformers"
    config = module.config.get_text_config()
    if config.model_type not in FAMILIES:
        return f"is of the family {config.model_type}, and those that are proven are {', '.join(FAMILIES)}"
    rotation = getattr(config, "rope_parameters", None) or {}
    if rotation.get("rope_type", "default") not in _ROTATIONS or rotation.get("partial_rotary_factor", 1.0) != 1.0:
        return f"turns its keys by {rotation.get('rope_type', 'default')} rotary embeddings, or a part of them only"
    if other := set(getattr(config, "layer_types", None) or ()) - _LAYERS:
        return f"has layers of {', '.join(sorted(other))}"
    return None
