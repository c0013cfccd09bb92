"""A model written as GGUF is the same model when it is read again, and one that cannot be is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridmem.core.errors import InvalidInput
from hybridmem.models import cache
from hybridmem.models.huggingface import gguf_export, gguf_header
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models import families

PROMPT = [{"role": "user", "content": "Where is the room 12?"}]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


MERGES = (("t", "h"), ("th", "e"))


def made(family: str) -> HuggingFaceModel:
    """A random model with a tokenizer that has merges, as every real one has."""
    from transformers import AutoModelForCausalLM

    settings = families.config(family)
    if family == "qwen3":
        settings.head_dim = 128  # The family's own: transformers takes no other from a GGUF file.
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        module = AutoModelForCausalLM.from_config(settings).eval()
        for parameter in module.parameters():
            if parameter.ndim == 2:
                parameter.mul_(8)
    return HuggingFaceModel(module, families.tokenizer(merges=MERGES), name="tiny", weights=())


def written(model: HuggingFaceModel, path: Path, dtype: torch.dtype = torch.float32) -> HuggingFaceModel:
    gguf_export.write(path, model.module, model.tokenizer, name="tiny", end_id=model.end_id, dtype=dtype)
    return HuggingFaceModel.load(path, device="cpu")


@pytest.mark.parametrize("family", gguf_export.FAMILIES)
def test_it_reads_and_answers_as_before(family: str, tmp_path: Path) -> None:
    model = made(family)
    again = written(model, tmp_path / "model.gguf")
    ids = model.render(PROMPT)
    assert again.render(PROMPT) == ids
    assert again.end_id == model.end_id
    with torch.no_grad():
        before, after = (each.module(torch.tensor([ids])).logits for each in (model, again))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_matrices_are_rounded_to_the_precision_that_is_asked_for(tmp_path: Path) -> None:
    model = made("llama")
    again = written(model, tmp_path / "model.gguf", torch.bfloat16)
    assert gguf_header.read(tmp_path / "model.gguf").dtype == "bfloat16"
    before, after = model.module.state_dict(), again.module.state_dict()
    matrix = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(after[matrix].bfloat16(), before[matrix].bfloat16())
    assert not torch.equal(after[matrix].float(), before[matrix])


def test_a_family_that_has_no_such_file_is_refused(tmp_path: Path) -> None:
    model = made("gpt2")
    with pytest.raises(InvalidInput, match="not gpt2: export it with --format merged"):
        written(model, tmp_path / "model.gguf")


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([{"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}], "gpt-2"),
        (
            [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            ],
            "smollm",
        ),
        ([{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}], None),
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
