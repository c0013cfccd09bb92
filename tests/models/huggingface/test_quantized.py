"""Weights in four bits: what is said where that cannot be, and a training on them where bitsandbytes is installed."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import pytest
import torch

from hybridmem import models
from hybridmem.core.errors import MissingExtra, ModelError
from hybridmem.models.huggingface import quantized
from hybridmem.models.huggingface.lora import linear_layers, lora_config, target_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.testing.model_conformance import PROMPTS
from tests.models import families

CPU = torch.device("cpu")
needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason=f"weights in 4 bits need bitsandbytes: {quantized.INSTALL}"
)


def test_without_bitsandbytes_the_command_is_named_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def find(name: str, package: str | None = None) -> None:
        assert name == "bitsandbytes"

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("asked the hub"))
    monkeypatch.setattr(quantized.importlib.util, "find_spec", find)
    with pytest.raises(MissingExtra, match=r"pip install 'bitsandbytes>=") as caught:
        models.load("somebody/model,quantize=4bit,device=cpu")
    assert "\n" not in str(caught.value)


def test_an_installation_without_kernels_for_the_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("bitsandbytes")
    fake.__version__, fake.supported_torch_devices = "0.45", {"cuda"}  # type: ignore[attr-defined]
    fake.__spec__ = importlib.util.spec_from_loader("bitsandbytes", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes", fake)
    with pytest.raises(ModelError, match=r"bitsandbytes 0\.45 has no kernels for the device 'cpu'") as caught:
        quantized.require(CPU)
    assert "\n" not in str(caught.value)
    quantized.require(torch.device("cuda"))


def test_an_installation_that_is_broken_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bitsandbytes.py").write_text("raise RuntimeError('no such library\\nat all')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "bitsandbytes", raising=False)
    with pytest.raises(MissingExtra, match="no such library") as caught:
        quantized.require(CPU)
    assert "\n" not in str(caught.value)


@needs_bitsandbytes
@pytest.mark.parametrize("family", ["llama", "lfm2", "phi3", "gpt_neox", "gpt2"])
def test_an_adapter_is_trained_on_four_bits_and_fits_the_whole_weights_too(tmp_path: Path, family: str) -> None:
    from bitsandbytes.nn import Linear4bit

    base = families.save(family, tmp_path / "base", decided=True)
    four, whole = models.load(f"{base},quantize=4bit,device=cpu"), models.load(base)
    assert isinstance(four, HuggingFaceModel)
    assert isinstance(whole, HuggingFaceModel)
    assert target_layers(four.module) == target_layers(whole.module)
    assert all(isinstance(layer, Linear4bit) for layer in linear_layers(four.module).values())
    assert four.sha256 == whole.sha256
    before = four.logprobs(PROMPTS, ["Riga"] * len(PROMPTS))
    assert before != whole.logprobs(PROMPTS, ["Riga"] * len(PROMPTS))

    rows = torch.tensor([four.render(PROMPTS[2], "Riga")])
    labels = rows.clone()
    labels[0, : four.count_tokens(PROMPTS[2])] = -100
    losses = []
    with four.new_adapter(lora_config(four.module, 8, 16), seed=0) as trainee:
        optimizer = torch.optim.AdamW(trainee.parameters(), lr=0.02)
        assert {parameter.dtype for parameter in trainee.parameters()} == {torch.float32}
        for _ in range(20):
            loss = four.module(input_ids=rows, labels=labels, use_cache=False).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        trained = four.logprobs(PROMPTS[2:3], ["Riga"])
        trainee.save(tmp_path / "adapter")
    assert losses[-1] < losses[0] / 4
    with four.adapted(tmp_path / "adapter"):
        assert four.logprobs(PROMPTS[2:3], ["Riga"])[0] == pytest.approx(trained[0], abs=1e-4)
    assert four.logprobs(PROMPTS, ["Riga"] * len(PROMPTS)) == before
    with whole.adapted(tmp_path / "adapter"):
        assert sum(whole.logprobs(PROMPTS[2:3], ["Riga"])[0]) > sum(before[2])
