"""What a training leaves on disk: the model as `transformers` lays it out, and beside it what a resumed run needs.

Everything is safetensors or JSON; nothing is pickled.
"""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

STATE = "training.safetensors"


@dataclass
class Progress:
    """How far a run is; `seconds` counts all its sittings, `sittings` numbers the stream that the next one reads."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    sittings: int = 0


def as_shipped(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of `model` in bfloat16, as it is saved; evaluated, it is the same weights in float32."""
    shipped = copy.deepcopy(model).to(torch.bfloat16)
    shipped.zero_grad(set_to_none=True)
    return shipped.eval()


def save(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    optimizers: dict[str, torch.optim.Optimizer],
    progress: Progress,
) -> None:
    """Write the checkpoint, each file whole or not at all."""
    from safetensors.torch import save_file

    half = folder / ".half-written"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    as_shipped(model).save_pretrained(half)
    tokenizer.save_pretrained(half)
    names = {parameter: name for name, parameter in model.named_parameters()}
    tensors = {f"model/{name}": parameter.detach() for parameter, name in names.items()}
    for kind, optimizer in optimizers.items():
        for parameter, state in optimizer.state.items():
            tensors |= {f"{kind}/{names[parameter]}/{key}": value.contiguous() for key, value in state.items()}
    save_file(tensors, half / STATE, metadata={"progress": json.dumps(asdict(progress))})
    for file in half.iterdir():
        file.replace(folder / file.name)
    half.rmdir()


def restore(folder: Path, model: PreTrainedModel, optimizers: dict[str, torch.optim.Optimizer]) -> Progress:
    """Put a checkpoint's float32 weights and optimizer states in place, and say how far it was."""
    from safetensors import safe_open

    states: dict[tuple[str, str], dict[str, Tensor]] = {}
    parameters = dict(model.named_parameters())
    with safe_open(folder / STATE, framework="pt") as file, torch.no_grad():
        progress = Progress(**json.loads(file.metadata()["progress"]))
        for path in file.keys():  # noqa: SIM118 - a safetensors file is not a mapping
            kind, name, *key = path.split("/")
            if kind == "model":
                parameters[name].copy_(file.get_tensor(path))
            else:
                states.setdefault((kind, name), {})[key[0]] = file.get_tensor(path)
    for (kind, name), state in states.items():
        optimizers[kind].state[parameters[name]] = state
    return progress
