"""A model written as GGUF is the same model when it is read again, and one that cannot be is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridmem.core.errors import InvalidInput
from hybridmem.models import cache
from hybridmem.models.huggingface import gguf_export
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models import families

PROMPT = [{"role": "user", "content": "Where is the room 12?"}]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


MERGES = (("t", "h"), ("th", "e"))


def loaded(folder: Path) -> HuggingFaceModel:
    """With a tokenizer that has merges, as every real one has."""
    model = HuggingFaceModel.load(folder, device="cpu")
    return HuggingFaceModel(model.module, families.tokenizer(merges=MERGES), name="tiny", weights=())


def written(model: HuggingFaceModel, path: Path, dtype: torch.dtype = torch.float32) -> HuggingFaceModel:
    gguf_export.write(path, model.module, model.tokenizer, name="tiny", end_id=model.end_id, dtype=dtype)
    return HuggingFaceModel.load(path, device="cpu")


@pytest.mark.parametrize("family", gguf_export.FAMILIES)
def test_it_reads_and_answers_as_before(family: str, folder_of: Any, tmp_path: Path) -> None:
    model = loaded(folder_of(family))
    again = written(model, tmp_path / "model.gguf")
    ids = model.render(PROMPT)
    assert again.render(PROMPT) == ids
    assert again.end_id == model.end_id
    with torch.no_grad():
        before, after = (each.module(torch.tensor([ids])).logits for each in (model, again))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_matrices_are_rounded_to_the_precision_that_is_asked_for(folder_of: Any, tmp_path: Path) -> None:
    model = loaded(folder_of("llama"))
    again = written(model, tmp_path / "model.gguf", torch.bfloat16)
    assert again.module.dtype == torch.bfloat16
    matrix, norm = (model.module.state_dict()[f"model.layers.0.{name}.weight"] for name in ("mlp.up_proj", "input_layernorm"))
    after = again.module.state_dict()
    assert torch.equal(after["model.layers.0.mlp.up_proj.weight"], matrix.bfloat16())
    assert torch.equal(after["model.layers.0.input_layernorm.weight"].float(), norm)


def test_a_family_that_has_no_such_file_is_refused(folder_of: Any, tmp_path: Path) -> None:
    model = loaded(folder_of("gpt2"))
    with pytest.raises(InvalidInput, match="not gpt2: export it with --format merged"):
        written(model, tmp_path / "model.gguf")


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([{"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}], "gpt-2"),
        (
            [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
            ],
            "smollm",
        ),
        ([{"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}], None),
        ([{"type": "Whitespace"}], None),
    ],
    ids=["words", "digits", "prefix", "spaces"],
)
def test_a_tokenizer_goes_in_only_under_a_name_that_splits_alike(steps: list[Any], name: str | None) -> None:
    tokenizer = families.tokenizer(merges=MERGES)
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    parts["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    tokenizer._tokenizer = type(tokenizer.backend_tokenizer).from_str(json.dumps(parts))
    assert gguf_export.split_name(tokenizer) == name
