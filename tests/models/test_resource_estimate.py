from __future__ import annotations

from dataclasses import asdict

import pytest

from hybridmem import models
from hybridmem.core.errors import ModelIncomplete, ModelNotFound, ModelTooLarge
from hybridmem.models.huggingface import checkpoint, free_memory
from hybridmem.models.huggingface.checkpoint import parameters, weights_bytes
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.resource_estimate import resource_estimate
from tests.models import families
from tests.models.conftest import Folders


def test_the_outlook_is_what_loading_gives(folder_of: Folders) -> None:
    for name in (str(folder_of("gpt2")), f"{folder_of('phi3')},dtype=float16,memory=2", "bundled", None):
        told, model = resource_estimate(name), models.load(name)
        assert told is not None
        assert isinstance(model, HuggingFaceModel)
        assert told.parameters == model.module.num_parameters()
        assert f"torch.{told.dtype}" == str(model.dtype)
        assert (told.device, told.model) == (str(model.device), model.name)
        assert told.weights_gb == pytest.approx(told.parameters * model.dtype.itemsize / 1e9)
        assert told.training_gb == pytest.approx(model.training_bytes() / 1e9, rel=0.5)


def test_a_model_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint.hub, "fetched", lambda name: pytest.fail("asked the hub"))
    told = resource_estimate("nobody/none,dtype=bf16")
    assert told is not None
    assert (told.model, told.dtype, told.parameters, told.weights_gb) == ("nobody/none", None, None, None)
    with pytest.raises(ModelNotFound):
        resource_estimate("./nowhere")


def test_the_fake_model_needs_nothing_and_an_empty_folder_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert resource_estimate("fake") is None
    with pytest.raises(ModelIncomplete):
        resource_estimate(tmp_path_factory.mktemp("empty"))


def test_a_model_that_does_not_fit_is_refused_before_it_is_read(
    folder_of: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "loadable_bytes", lambda device: 20_000)
    monkeypatch.setattr(checkpoint, "read", lambda *a, **k: pytest.fail("read it"))
    with pytest.raises(ModelTooLarge, match=r"takes 0\.0 GB in float32 and cpu has .*,quantize=4bit") as caught:
        models.load(folder_of("llama"))
    assert "\n" not in str(caught.value)


def test_where_nothing_says_what_is_free_nothing_is_refused(
    folder_of: Folders, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(free_memory, "_MEMINFO", tmp_path_factory.mktemp("no") / "meminfo")
    assert models.load(folder_of("llama")).name


def test_four_bits_take_less_and_leave_embeddings_whole() -> None:
    import torch

    sizes = {"model.embed_tokens.weight": 1000, "lm_head.weight": 1000, "model.layers.0.mlp.up_proj.weight": 10_000}
    assert weights_bytes(sizes, torch.bfloat16, quantized=False) == 24_000
    assert weights_bytes(sizes, torch.bfloat16, quantized=True) == 4000 + 5300


def test_sizes_are_read_off_the_headers(folder_of: Folders) -> None:
    found = checkpoint.checked(folder_of("llama"))
    sizes = parameters(found)
    assert sizes["model.embed_tokens.weight"] == families.VOCABULARY * 32
    found.weights[0].with_name("broken.safetensors").write_bytes(b"\xff" * 20)
    broken = checkpoint.Checkpoint(found.folder, (found.folder / "broken.safetensors",))
    assert parameters(broken) == {}
    assert asdict(broken)["weights"]
