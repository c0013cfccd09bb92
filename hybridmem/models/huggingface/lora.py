"""Which layers of a model take LoRA (Hu et al., 2106.09685), for any family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hybridmem.core.errors import InvalidInput

if TYPE_CHECKING:
    from peft import LoraConfig

_FEED_FORWARD = frozenset({"mlp", "feed_forward", "ffn", "fc1", "fc2"})
"""A part of a layer's path that says it is feed-forward: Llama, Qwen, Gemma, GPT and Phi; LFM2; others; OPT."""


def linear_layers(model: Any) -> dict[str, Any]:
    """The linear layers of a torch model by path, GPT-2's Conv1D among them; never the head or the embeddings.

    In a model that already carries adapters these are the layers that they adapt, not the adapters' own.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    found: dict[str, Any] = {}
    inside: str | None = None
    for path, module in model.named_modules():
        if inside is not None and path.startswith(inside):
            continue
        adapted = isinstance(module, BaseTunerLayer)
        if adapted:
            inside = f"{path}."
        layer = module.get_base_layer() if adapted else module
        if isinstance(layer, (nn.Linear, Conv1D)) and layer is not head:
            found[path] = layer
    return found


def target_layers(model: Any, targets: str | Sequence[str] = "all-linear") -> list[str]:
    """Paths of the layers that `targets` means: ``all-linear``, ``mlp``, or last names such as ``q_proj``.

    Raises `InvalidInput` for a name that no linear layer has.
    """
    layers = linear_layers(model)
    if targets == "all-linear":
        chosen = list(layers)
    elif targets == "mlp":
        chosen = [path for path in layers if _FEED_FORWARD.intersection(path.split("."))]
    else:
        wanted = {targets} if isinstance(targets, str) else set(targets)
        names = {path.rpartition(".")[2] for path in layers}
        if unknown := sorted(wanted - names):
            raise InvalidInput(
                f"no linear layer is named {unknown[0]!r}: choose all-linear, mlp, or of {', '.join(sorted(names))}"
            )
        chosen = [path for path in layers if path.rpartition(".")[2] in wanted]
    if not chosen:
        raise InvalidInput(f"this model has no layers for the targets {targets!r}: choose all-linear")
    return sorted(chosen)


def lora_config(
    model: Any, rank: int, alpha: float, targets: str | Sequence[str] = "all-linear", *, dropout: float = 0.0
) -> LoraConfig:
    """The `peft.LoraConfig` of `rank` for the chosen layers of a torch model; its updates are scaled by alpha/rank."""
    from peft import LoraConfig

    paths = target_layers(model, targets)
    layers = linear_layers(model)
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=paths,
        fan_in_fan_out=fan_in_fan_out([layers[path] for path in paths]),
        bias="none",
        task_type="CAUSAL_LM",
    )


def fan_in_fan_out(layers: Iterable[Any]) -> bool:
    """Whether all these layers keep their weights as (in, out), as GPT-2's Conv1D does."""
    from transformers.pytorch_utils import Conv1D

    return all(isinstance(layer, Conv1D) for layer in layers)
