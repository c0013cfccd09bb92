"""An adapter that is merged into its base answers as it did on top of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from hybridmem.core.errors import CorruptAdapter, WrongBase
from hybridmem.models.huggingface.adapter_files import CONFIG, WEIGHTS
from hybridmem.models.huggingface.merging import merged
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models.conftest import Folders
from tests.models.huggingface.test_model import PROMPTS, trained


def logits(module: Any, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = module(torch.tensor([ids])).logits
    return found


@pytest.mark.parametrize("family", ["llama", "lfm2", "gpt2", "phi3"])
def test_merged_weights_give_what_the_adapter_gave(folder_of: Folders, tmp_path: Path, family: str) -> None:
    model = HuggingFaceModel.load(folder_of(family), device="cpu")
    adapter = trained(model, tmp_path / "adapter")
    ids = model.render(PROMPTS[0])
    bare = logits(model.module, ids)
    with model.adapted(adapter):
        adapted = logits(model.module, ids)
    own = HuggingFaceModel.load(folder_of(family), device="cpu").module
    plain = merged(own, adapter)
    assert (adapted - bare).abs().max() > 0.01
    assert torch.allclose(logits(plain, ids), adapted, atol=1e-3)
    assert not [name for name, _ in plain.named_parameters() if "lora" in name]


def test_weights_in_bfloat16_are_added_in_float32(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    adapter = trained(model, tmp_path / "adapter")
    rounded = {name: tensor.bfloat16() for name, tensor in load_file(adapter / WEIGHTS).items()}
    save_file(rounded, adapter / WEIGHTS)
    own = HuggingFaceModel.load(folder_of("llama"), device="cpu").module
    before = own.model.layers[0].mlp.up_proj.weight.detach().clone()
    after = merged(own, adapter).model.layers[0].mlp.up_proj.weight
    key = "base_model.model.model.layers.0.mlp.up_proj.lora_{}.weight"
    scale = 2.0  # alpha is twice the rank
    expected = before + scale * (rounded[key.format("B")].float() @ rounded[key.format("A")].float())
    assert torch.allclose(after, expected, atol=1e-6)


def test_an_adapter_of_other_layers_is_of_another_base(folder_of: Folders, tmp_path: Path) -> None:
    adapter = trained(HuggingFaceModel.load(folder_of("gpt2"), device="cpu"), tmp_path / "adapter")
    with pytest.raises(WrongBase) as caught:
        merged(HuggingFaceModel.load(folder_of("llama"), device="cpu").module, adapter)
    assert "\n" not in str(caught.value)


def test_a_damaged_adapter_is_named(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    adapter = trained(model, tmp_path / "adapter")
    config = json.loads((adapter / CONFIG).read_text())
    (adapter / CONFIG).write_text(json.dumps({**config, "peft_type": "LOHA"}))
    with pytest.raises(CorruptAdapter, match="more than LoRA weights"):
        merged(model.module, adapter)
    (adapter / WEIGHTS).unlink()
    with pytest.raises(CorruptAdapter, match=WEIGHTS):
        merged(model.module, adapter)
