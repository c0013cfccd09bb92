"""GGUF files as bases: what is read, what is kept, and one line for each that cannot be."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem import models
from hybridmem.core.errors import InvalidInput, ModelIncomplete, ModelNotFound, ModelTooLarge
from hybridmem.core.hashing import file_sha256
from hybridmem.models import cache
from hybridmem.models.huggingface import checkpoint, gguf_header, gguf_model
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.resource_estimate import resource_estimate
from tests.models import gguf_files

PROMPT = [{"role": "user", "content": "the cat"}]
HEADER = 7_000
"""Bytes of the tiny file that are no weights."""


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def original() -> Any:
    return gguf_files.llama()


@pytest.fixture(scope="module")
def tiny(original: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gguf_files.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", original, quantization="Q8_0")


def loaded(path: Path | str) -> HuggingFaceModel:
    model = models.load(path)
    assert isinstance(model, HuggingFaceModel)
    return model


def logits(module: Any, model: HuggingFaceModel) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = module(torch.tensor([model.render(PROMPT)])).logits
    return found


@pytest.mark.parametrize(
    ("quantization", "dtype", "distance"),
    [("F32", "float32", 1e-5), ("F16", "float16", 0.05), ("BF16", "bfloat16", 0.3), ("Q8_0", "bfloat16", 0.5)],
)
def test_the_weights_are_the_file_s(
    original: Any, tmp_path: Path, quantization: str, dtype: str, distance: float
) -> None:
    path = gguf_files.write(tmp_path / "tiny.gguf", original, quantization=quantization)
    header = gguf_header.read(path)
    assert (header.architecture, header.dtype, header.parameters) == ("llama", dtype, original.num_parameters())
    model = loaded(path)
    assert (logits(model.module, model) - logits(original, model)).abs().max() < distance
    assert model.sha256 == file_sha256(path)
    assert model.name == str(path)


def test_its_own_template_and_tokenizer_are_used(tiny: Path) -> None:
    model = loaded(tiny)
    ids = model.render(PROMPT)
    assert model.tokenizer.decode(ids) == "<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\n"
    assert gguf_files.vocabulary().index("the") in ids
    assert model.end_id == 2
    assert model.generate([PROMPT], max_new_tokens=2)[0].tokens in (1, 2)


def test_a_file_is_read_once(tiny: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    first = loaded(tiny)
    monkeypatch.setattr(gguf_model, "read", lambda *given: pytest.fail("read again"))
    assert torch.equal(logits(loaded(f"{tiny},device=cpu").module, first), logits(first.module, first))
    assert capfd.readouterr() == ("", "")


def test_the_same_file_elsewhere_is_the_same_base(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loaded(tiny)
    copy = shutil.copy(tiny, tmp_path / tiny.name)
    monkeypatch.setattr(gguf_model, "read", lambda *given: pytest.fail("read again"))
    monkeypatch.chdir(tmp_path)
    assert loaded(tiny.name).sha256 == first.sha256
    assert loaded(copy).sha256 == first.sha256


def test_a_file_that_changed_is_another_base(tiny: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(tiny, tmp_path / "tiny.gguf"))
    before = loaded(path).sha256
    gguf_files.write(path, gguf_files.llama(seed=1), quantization="Q8_0")
    assert loaded(path).sha256 not in (before, None)


def test_a_large_file_is_hashed_once_and_again_when_it_changes(tiny: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(tiny, tmp_path / "tiny.gguf"))
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))
    hashed = gguf_model.remembered_sha256(path)
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, (long_ago, long_ago))
    assert gguf_model.remembered_sha256(path) == hashed
    os.utime(path, (long_ago + 1, long_ago + 1))
    assert gguf_model.remembered_sha256(path) != hashed
    (note,) = (cache.root() / "hashes").iterdir()
    note.write_text("[]")
    assert gguf_model.remembered_sha256(path) == file_sha256(path)


def test_an_adapter_of_another_base_does_not_fit(tiny: Path, tmp_path: Path) -> None:
    other = gguf_files.write(tmp_path / "other.gguf", gguf_files.llama(seed=1), quantization="Q8_0")
    assert loaded(other).sha256 != loaded(tiny).sha256


def test_the_estimate_comes_from_the_header(tiny: Path, original: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_model, "read", lambda *given: pytest.fail("read it"))
    estimate = resource_estimate(str(tiny))
    assert estimate is not None
    assert (estimate.model, estimate.parameters) == (str(tiny), original.num_parameters())


# ---- what cannot be read


def refused(path: Path | str, kind: type[Exception], *words: str) -> str:
    with pytest.raises(kind) as caught:
        models.load(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in (*words, str(path).split(",")[0]):
        assert word in message
    folder = cache.root() / "models"
    assert not folder.exists() or [f.name for f in folder.iterdir() if f.suffix != ".lock"] == []
    return message


@pytest.mark.parametrize("name", ["none.gguf", "none.GGUF,device=cpu"])
def test_a_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    refused(str(tmp_path / name), ModelNotFound, "there is no GGUF file", "pass the path")


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"PK\x03\x04 and so on")
    refused(path, InvalidInput, "is no GGUF file")
    path.write_bytes(b"")
    refused(path, InvalidInput, "is no GGUF file")
    path.unlink()
    path.mkdir()
    refused(path, ModelIncomplete, "cannot be read")


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.0001, 0.9999))
def test_a_file_that_was_cut(tiny: Path, tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    content = tiny.read_bytes()
    path = tmp_path_factory.mktemp("cut") / "cut.gguf"
    path.write_bytes(content[: max(4, int(share * len(content)))])
    with pytest.raises(ModelIncomplete, match=r"ends too early, at .* bytes: fetch it again"):
        gguf_header.read(path)


@settings(max_examples=15, deadline=None)
@given(at=st.integers(0, HEADER), value=st.integers(0, 255))
def test_a_damaged_file_is_one_line_or_none(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    content = bytearray(tiny.read_bytes())
    content[at] = value
    path = tmp_path_factory.mktemp("odd") / "odd.gguf"
    path.write_bytes(content)
    try:
        gguf_model.read(path, gguf_header.read(path), torch.float32)
    except (ModelIncomplete, InvalidInput, ModelTooLarge) as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)


def test_a_file_without_one_of_its_tensors(original: Any, tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "lacks.gguf", original, without="blk.1.ffn_up.weight")
    refused(path, ModelIncomplete, "lacks model.layers.1.mlp.up_proj.weight", "fetch it again")


def test_more_layers_than_there_are(tmp_path: Path) -> None:
    """Before anything makes room for them."""
    path = gguf_files.write(tmp_path / "layers.gguf")
    content = path.read_bytes()
    key = b"llama.block_count"
    at = content.index(key) + len(key) + 4
    path.write_bytes(content[:at] + (2**31).to_bytes(4, "little") + content[at + 4 :])
    refused(path, ModelIncomplete, "damaged")


def test_a_family_that_transformers_does_not_know(tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "odd.gguf", architecture="mamba9")
    refused(path, InvalidInput, "'mamba9'", "not supported", "pass another model")


def test_a_tokenizer_that_cannot_be_read(tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "odd.gguf", tokenizer="rwkv9")
    refused(path, InvalidInput, "its tokenizer cannot be read", "'rwkv9'")


def test_a_file_without_a_tokenizer(tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "none.gguf", tokenizer=None)
    refused(path, InvalidInput, "its tokenizer cannot be read")


def test_one_part_of_several(tmp_path: Path) -> None:
    path = gguf_files.write(tmp_path / "tiny-00001-of-00002.gguf", parts=2)
    refused(path, InvalidInput, "one of 2 parts", "llama-gguf-split --merge")


def test_a_file_larger_than_the_memory(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "loadable_bytes", lambda device: 1000)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *a, **k: pytest.fail("read it"))
    refused(tiny, ModelTooLarge, "takes 0.0 GB in bfloat16")


def test_a_file_with_another_suffix_is_known_by_its_first_bytes(tiny: Path, tmp_path: Path) -> None:
    assert loaded(shutil.copy(tiny, tmp_path / "weights.bin")).sha256 == loaded(tiny).sha256
    assert not gguf_header.is_gguf("gpt2")
    assert not gguf_header.is_gguf(tmp_path)
