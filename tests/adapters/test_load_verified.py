from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from hybridmem.adapters import files
from hybridmem.adapters.load_verified import load_verified
from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.errors import CorruptAdapter, WrongBase
from hybridmem.core.records import AdapterRecord
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.testing.model_conformance import PROMPTS
from tests.adapters.conftest import record
from tests.models import families


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return families.save("lfm2", tmp_path_factory.mktemp("base"))


@pytest.fixture
def model(base: Path) -> HuggingFaceModel:
    return HuggingFaceModel.load(base, alias="bundled", device="cpu")


@pytest.fixture
def registered(registry: AdapterRegistry, model: HuggingFaceModel, tmp_path: Path) -> AdapterRecord:
    with model.new_adapter(lora_config(model.module, 2, 4), seed=0) as trainee:
        for parameter in trainee.parameters():
            torch.nn.init.constant_(parameter, 0.05)
        trainee.save(tmp_path / "run")
    return registry.register(tmp_path / "run", record(base=model.name, base_sha256=model.sha256))


def test_a_checked_adapter_is_fitted_and_taken_off(
    model: HuggingFaceModel, registry: AdapterRegistry, registered: AdapterRecord
) -> None:
    before = model.logprobs(PROMPTS[:1], ["Riga"])
    for _ in range(2):
        with load_verified(model, registered, registry.path(registered.version)):
            assert model.logprobs(PROMPTS[:1], ["Riga"]) != before
        assert model.logprobs(PROMPTS[:1], ["Riga"]) == before


@pytest.mark.parametrize("keep", [-1, 100])
def test_damaged_weights_never_reach_the_model(
    model: HuggingFaceModel, registry: AdapterRegistry, registered: AdapterRecord, keep: int
) -> None:
    weights = registry.path(registered.version) / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content[:keep] if keep > 0 else content)
    with (
        pytest.raises(CorruptAdapter, match=r"sha256 \w{64}, and \w{64}"),
        load_verified(model, registered, registry.path(registered.version)),
    ):
        pass


def test_the_same_architecture_with_other_weights_is_another_base(
    registry: AdapterRegistry, registered: AdapterRecord, tmp_path: Path
) -> None:
    other = HuggingFaceModel.load(families.save("lfm2", tmp_path / "other", seed=1), device="cpu")
    with (
        pytest.raises(WrongBase) as caught,
        load_verified(other, registered, registry.path(registered.version)),
    ):
        pass
    assert registered.base_sha256 in str(caught.value)
    assert other.sha256 in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_export_is_a_plain_peft_folder(
    base: Path, model: HuggingFaceModel, registry: AdapterRegistry, registered: AdapterRecord, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    out = registry.export(registered.version, tmp_path / "out")
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), out).eval()
    ids = torch.tensor([model.render(PROMPTS[0])])
    with torch.no_grad(), load_verified(model, registered, registry.path(registered.version)):
        assert torch.allclose(theirs(input_ids=ids).logits, model.module(ids).logits, atol=1e-5)


def test_removed_weights_say_so(model: HuggingFaceModel, registered: AdapterRecord, tmp_path: Path) -> None:
    gone = dataclasses.replace(registered, files={})
    with pytest.raises(CorruptAdapter, match="were removed"), load_verified(model, gone, tmp_path):
        pass
    with pytest.raises(CorruptAdapter, match="were removed"):
        files.check(gone, tmp_path)
