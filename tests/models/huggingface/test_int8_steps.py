from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hybridmem import models
from hybridmem.core.errors import InvalidInput
from hybridmem.models.base import Generation, generate_answers
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface import int8_steps
from hybridmem.models.huggingface.decoding import decode
from hybridmem.models.huggingface.int8_steps import FAMILIES, Int8Steps, Int8Weights, fits
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.testing.model_conformance import PROMPTS
from tests.models import families
from tests.models.conftest import Folders
from tests.models.huggingface.test_model import trained


class Unrounded(int8_steps._Product):
    """With the layers' own weights in the place of those in 8 bits: what is left must be the model itself."""

    def __init__(self, paths: Sequence[str], layers: Mapping[str, Any]) -> None:
        super().__init__(paths, layers)
        self._whole = torch.cat([layers[path].weight.detach() for path in paths])

    def _multiplied(self, given: Tensor) -> Tensor:
        return given @ self._whole.T


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def model(family: str, folder_of: Folders) -> HuggingFaceModel:
    return HuggingFaceModel.load(folder_of(family), device="cpu", answers="int8")


@pytest.mark.parametrize("adapted", [False, True])
def test_but_for_the_rounding_a_step_is_the_models_own(
    model: HuggingFaceModel, adapted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_steps, "_Product", Unrounded)
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(10, 250, (length,), generator=generator).tolist() for length in (1, 2, 9, 30, 30)]
    adapter = trained(model, tmp_path / "adapter") if adapted else None
    weights = Int8Weights(model.module)
    with model.adapted(adapter):
        weights.fit(model._slots)
        draws = torch.zeros(len(rows), 12)
        limits: dict[str, Any] = {"max_new_tokens": 12, "temperature": 0.0, "draws": draws}
        free = decode(model.module, rows, end_ids=frozenset(), **limits)
        # Rows end at different steps, so that the cache is thinned out under way.
        ends = frozenset({free[1].ids[3], free[3].ids[6]})
        for asked in (rows, rows[2:3]):
            limits["draws"] = draws[: len(asked)]
            expected = decode(model.module, asked, end_ids=ends, **limits)
            found = decode(model.module, asked, end_ids=ends, steps=Int8Steps(weights), **limits)
            assert [each.ids for each in found] == [each.ids for each in expected]
            for one, other in zip(found, expected, strict=True):
                assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.integers(1, 5),
    st.integers(1, 6),
    st.booleans(),
    st.sets(st.integers(0, 2)),
    st.integers(0, 2**20),
)
def test_a_product_is_that_of_its_layers_but_for_the_rounding(
    sizes: list[int], blocks: int, rows: int, bias: bool, updated: set[int], seed: int
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = {str(at): nn.Linear(16 * blocks, size, bias=bias) for at, size in enumerate(sizes)}
        updates = {
            str(at): (torch.randn(at + 1, 16 * blocks), torch.randn(sizes[at], at + 1))
            for at in updated
            if at < len(sizes)
        }
        # Some inputs are far larger than the others, as in any trained model.
        x = torch.randn(rows, 16 * blocks) * torch.where(torch.arange(16 * blocks) == 3, 50.0, 1.0)
    product = int8_steps._Product(list(layers), layers)
    with torch.no_grad():
        for fitted in (updates, {}):
            product.fit(fitted)
            expected = torch.cat(
                [
                    layer(x) + ((x @ fitted[path][0].T) @ fitted[path][1].T if path in fitted else 0)
                    for path, layer in layers.items()
                ],
                dim=1,
            )
            # A weight is rounded to half a level of its row's largest, an input and what comes out to bfloat16.
            # Where the terms of a sum cancel, the error is one of the terms and not of what is left of them.
            rounded = torch.cat([x.abs().sum(1, True) * layer.weight.abs().amax(1) for layer in layers.values()], dim=1)
            terms = torch.cat([x.abs() @ layer.weight.abs().T for layer in layers.values()], dim=1)
            assert ((product(x) - expected).abs() <= rounded / 254 + (terms + expected.abs()) / 256 + 1e-3).all()


def test_the_first_token_is_exact_and_generate_stays_so(model: HuggingFaceModel, tmp_path: Path) -> None:
    before = model.generate(PROMPTS, max_new_tokens=6)
    first = model.generate(PROMPTS, max_new_tokens=1)
    assert model.generate_answers(PROMPTS, max_new_tokens=1) == first
    answers = model.generate_answers(PROMPTS, max_new_tokens=6)
    assert model.generate(PROMPTS, max_new_tokens=6) == before
    with model.adapted(trained(model, tmp_path / "adapter")):
        adapted = model.generate(PROMPTS, max_new_tokens=1)
        assert model.generate_answers(PROMPTS, max_new_tokens=1) == adapted != first
    for again, answer in zip(model.generate_answers(PROMPTS, max_new_tokens=6), answers, strict=True):
        assert (again.text, again.logprob) == (answer.text, pytest.approx(answer.logprob, abs=1e-3))
    assert model.generate_answers([]) == []


def test_an_adapter_in_training_counts_as_it_is_now(folder_of: Folders) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu", answers="int8")
    weights = Int8Weights(model.module)
    with model.new_adapter(lora_config(model.module, 2, 4), seed=0) as new:
        product = weights.layers[0].products[1]
        for size in (1.0, 2.0):
            for parameter in new.parameters():
                parameter.data.fill_(size)
            weights.fit(model._slots)
            assert product._update is not None
            assert [float(part.max()) for part in product._update] == [size, 2 * size]
    weights.fit(model._slots)
    assert product._update is None


@pytest.mark.parametrize("family", sorted(set(families.FAMILIES) - set(FAMILIES)))
def test_another_family_answers_exactly_and_says_so_when_asked_for_less(folder_of: Folders, family: str) -> None:
    model = HuggingFaceModel.load(folder_of(family), device="cpu")
    assert not fits(model.module)
    assert generate_answers(model, PROMPTS) == model.generate(PROMPTS)
    with pytest.raises(InvalidInput, match=f"llama, qwen2, qwen3 on a CPU.* is {family}.*: leave it out") as caught:
        models.load(f"{folder_of(family)},answers=int8")
    assert "\n" not in str(caught.value)


def test_a_model_answers_exactly_unless_it_is_told_otherwise(folder_of: Folders) -> None:
    for name in (f"{folder_of('llama')}", f"{folder_of('llama')},answers=exact"):
        model = models.load(name)
        assert isinstance(model, HuggingFaceModel) and model.answers == "exact"
        assert generate_answers(model, PROMPTS) == model.generate(PROMPTS)
        assert model._int8 is None
    rounding = models.load(f"{folder_of('llama')},answers=int8")
    assert isinstance(rounding, HuggingFaceModel) and rounding.answers == "int8"


def test_a_model_without_a_faster_way_generates() -> None:
    model = FakeModel()
    assert generate_answers(model, PROMPTS) == model.generate(PROMPTS)


def test_a_faster_way_is_taken() -> None:
    quick = Generation("quick", 1, 1, 0.0, 1.0, 0.0, 0.0)

    class Quick(FakeModel):
        def generate_answers(self, prompts: Sequence[Sequence[dict[str, str]]]) -> list[Generation]:
            return [quick] * len(prompts)

    assert generate_answers(Quick(), PROMPTS) == [quick] * len(PROMPTS)
