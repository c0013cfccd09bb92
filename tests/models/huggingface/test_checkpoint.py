from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from hybridmem import models
from hybridmem.core.errors import ModelIncomplete, ModelNotFound
from hybridmem.core.hashing import file_sha256, weights_sha256
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface import hub
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models.conftest import Folders


@pytest.fixture
def folder(folder_of: Folders, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder_of("llama"), tmp_path / "model"))


@pytest.mark.parametrize(
    ("name", "named"),
    [("model.safetensors", "model.safetensors"), ("config.json", "config.json"), ("tokenizer.json", "tokenizer")],
)
def test_a_folder_that_lacks_something_is_refused_and_it_is_named(folder: Path, name: str, named: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelIncomplete, match=named) as caught:
        models.load(folder)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_names_everything(tmp_path: Path) -> None:
    with pytest.raises(ModelIncomplete, match=r"config\.json, model\.safetensors, a tokenizer"):
        models.load(tmp_path)


def test_pickled_weights_are_refused_unread(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.ones(1)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelIncomplete, match=r"pytorch_model\.bin, a pickle"):
        models.load(folder)


def test_a_missing_shard_is_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "one.safetensors"}}')
    with pytest.raises(ModelIncomplete, match=r"one\.safetensors"):
        models.load(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_truncated_file_is_refused_in_one_line(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-300])
    with pytest.raises(ModelIncomplete) as caught:
        models.load(folder)
    assert "\n" not in str(caught.value)


def test_weights_that_lack_a_tensor_are_refused_and_never_drawn_at_random(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelIncomplete, match=r"layers\.1\.mlp\.up_proj"):
        models.load(folder)


@pytest.mark.parametrize("name", [Path("nowhere"), "./nowhere", "/nowhere/at/all", "a/b/c", "what is this?"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(
    name: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "cached", lambda name: pytest.fail("asked the hub's cache"))
    monkeypatch.setattr(hub, "fetched", lambda name: pytest.fail("asked the hub"))
    with pytest.raises(ModelNotFound):
        models.load(name)


def test_a_cached_hub_model_needs_no_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def cached(*args: object, local_files_only: bool, **named: object) -> str:
        assert local_files_only
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    assert models.load("somebody/model").name == "somebody/model"


def test_the_digest_follows_the_weights_and_nothing_else(folder: Path) -> None:
    before = HuggingFaceModel.load(folder, device="cpu").sha256
    assert before == file_sha256(folder / "model.safetensors")
    (folder / "generation_config.json").write_text('{"eos_token_id": 1, "max_length": 7}')
    assert HuggingFaceModel.load(folder, device="cpu").sha256 == before
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert HuggingFaceModel.load(folder, device="cpu").sha256 != before


def test_the_digest_of_shards_does_not_depend_on_their_order(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    assert weights_sha256([tmp_path / "a", tmp_path / "b"]) == weights_sha256([tmp_path / "b", tmp_path / "a"])


def test_weights_take_the_chosen_precision(folder: Path) -> None:
    assert HuggingFaceModel.load(folder, device="cpu").module.dtype == torch.float32
    model = HuggingFaceModel.load(folder, device="cpu", dtype=torch.bfloat16)
    assert model.module.dtype == torch.bfloat16
    assert model.generate([[{"role": "user", "content": "Hello"}]], max_new_tokens=3)


def test_fake_is_a_model_by_name() -> None:
    assert isinstance(models.load("fake"), FakeModel)
