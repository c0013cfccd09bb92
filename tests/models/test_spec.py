from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hybridmem import models
from hybridmem.core.errors import InvalidInput
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.spec import ModelSettings, parse
from tests.models.conftest import Folders


@pytest.mark.parametrize(
    ("given", "name", "settings"),
    [
        ("bundled", "bundled", ModelSettings()),
        ("Qwen/Qwen3-0.6B,quantize=4bit", "Qwen/Qwen3-0.6B", ModelSettings(quantize="4bit")),
        ("./m , dtype = bf16,device=cpu", "./m", ModelSettings(dtype="bf16", device="cpu")),
        ("x/y,answers=int8", "x/y", ModelSettings(answers="int8")),
        ("x/y,memory=1.5", "x/y", ModelSettings(memory=1.5)),
    ],
)
def test_options_stand_behind_the_name(given: str, name: str, settings: ModelSettings) -> None:
    assert parse(given) == (name, settings)


def test_a_folder_whose_name_has_commas_is_itself(tmp_path: Path) -> None:
    folder = tmp_path / "a,dtype=float16"
    folder.mkdir()
    assert parse(str(folder)) == (str(folder), ModelSettings())
    assert parse(tmp_path / "b,dtype=float16") == (tmp_path / "b,dtype=float16", ModelSettings())


def test_what_stands_in_the_name_wins() -> None:
    given = ModelSettings(dtype="float32", device="cpu")
    assert parse("m,dtype=bfloat16", given) == ("m", ModelSettings(dtype="bfloat16", device="cpu"))
    assert parse(Path("m"), given) == (Path("m"), given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("m,quantise=4bit", "'quantise=4bit' is no option.*quantize="),
        ("m,4bit", "'4bit' is no option"),
        ("m,dtype=", "'dtype=' is no option"),
        ("m,quantize=8bit", "choose 4bit"),
        ("m,memory=much", "gigabytes"),
        ("m,memory=0", "gigabytes"),
        ("m,memory=nan", "gigabytes"),
        ("m,answers=int4", "no answers=int4: choose int8 or exact"),
        ("m,answers=int8,quantize=4bit", "made of whole weights: leave it out, or quantize=4bit"),
    ],
)
def test_what_is_no_option_is_refused_in_one_line(given: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        models.load(given)
    assert "\n" not in str(caught.value)


def test_the_options_reach_the_model_and_not_its_name(folder_of: Folders) -> None:
    folder = folder_of("llama")
    model = models.load(f"{folder},dtype=bf16,device=cpu,memory=0.5")
    assert isinstance(model, HuggingFaceModel)
    assert (model.name, model.dtype, model.training_bytes()) == (str(folder), torch.bfloat16, 500_000_000)
    same = models.load(folder, ModelSettings(dtype="float16"))
    assert isinstance(same, HuggingFaceModel)
    assert same.dtype == torch.float16
    with pytest.raises(InvalidInput, match="float32, bfloat16 or float16"):
        models.load(f"{folder},dtype=int8")
    with pytest.raises(InvalidInput, match="no device 'gpu'"):
        models.load(f"{folder},device=gpu")
