"""Closed-form edits: the algebra on random keys, and two nights on small random models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybridmem.core.errors import ModelError
from hybridmem.models import prompts
from hybridmem.models.huggingface import weight_edit
from hybridmem.models.huggingface.adapter_files import layer_sizes, read_update
from hybridmem.models.huggingface.lora import linear_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.weight_edit import edited_layers, null_space, read_keys, solved
from hybridmem.models.trainable import Example, WeightEdit
from tests.models import families

WIDTH = 24


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def asked(model: HuggingFaceModel, answers: dict[str, str]) -> tuple[tuple[Example, ...], ...]:
    facts = []
    for name, town in answers.items():
        rows = []
        for question in (f"Where does {name} live?", f"What is the town of {name}?"):
            prompt, completion = model.render_pair(prompts.answer(question), town)
            rows.append(Example(tuple(prompt), tuple(completion), tuple(prompt), gold=True))
        facts.append(tuple(rows))
    return tuple(facts)


# ---- the algebra


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), general=st.integers(0, 12), keys=st.integers(1, 6))
def test_an_edit_minimises_what_alpha_edit_minimises(seed: int, general: int, keys: int) -> None:
    kept, new, old = draw(seed, general, WIDTH), draw(seed + 1, keys, WIDTH), draw(seed + 2, 3, WIDTH)
    projection, wanted = null_space(kept.mT @ kept), draw(seed + 3, 5, keys)
    update = wanted @ solved(new, old.mT @ old, projection)
    free = torch.zeros(5, WIDTH, dtype=torch.float64, requires_grad=True)
    found = update.clone().requires_grad_(True)
    ridge = weight_edit.RIDGE * (new @ projection).square().sum(1).mean()
    for each in (found, free):
        inside = each @ projection
        cost = (inside @ new.mT - wanted).square().sum() + (inside @ old.mT).square().sum()
        (cost + ridge * inside.square().sum()).backward()
    assert found.grad is not None and free.grad is not None
    assert float(found.grad.norm()) < 1e-6 * float(free.grad.norm())
    torch.testing.assert_close(update @ projection, update, rtol=1e-6, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), general=st.integers(1, 60))
def test_general_keys_have_next_to_no_part_in_the_null_space(seed: int, general: int) -> None:
    kept = draw(seed, general, WIDTH) * draw(seed + 1, WIDTH).abs()
    projection = null_space(kept.mT @ kept)
    torch.testing.assert_close(projection @ projection, projection, rtol=1e-6, atol=1e-8)
    energy = (kept @ projection).square().sum() / kept.square().sum()
    assert float(energy) <= weight_edit.SPARED + 1e-9


def test_without_general_text_an_edit_may_write_anywhere() -> None:
    torch.testing.assert_close(null_space(torch.zeros(4, 4)), torch.eye(4))


# ---- models


@pytest.mark.parametrize("family", families.FAMILIES)
def test_every_family_has_layers_to_edit(family: str, tmp_path: Path) -> None:
    module = HuggingFaceModel.load(families.save(family, tmp_path), device="cpu").module
    layers = linear_layers(module)
    [(block, path)] = edited_layers(module)
    assert path.startswith(block)
    assert layer_sizes(layers[path]) in ((48, 32), (4 * 32, 32))


def test_a_model_without_such_layers_is_refused(tiny: HuggingFaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_edit, "layer_sizes", lambda layer: (1, 1))
    with pytest.raises(ModelError, match="choose another strategy"):
        edited_layers(tiny.module)


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    return HuggingFaceModel.load(families.save(request.param, tmp_path_factory.mktemp(request.param)), device="cpu")


def test_two_edits_are_one_adapter_of_no_more_rank_than_keys(model: HuggingFaceModel, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = asked(model, {"Ana": "Lisbon", "Ben": "Oslo"}), asked(model, {"Cara": "Riga"})
    text = (tuple(model.encode_text("The lamp stood by the window.")),)
    before = model.recall([row for fact in first for row in fact], None)
    bare = model.cross_entropy(text)
    done = model.edit(WeightEdit(first, text, None, 25), one)
    assert model.cross_entropy(text) == bare
    known = model.recall([row for fact in first for row in fact], one)
    assert sum(each.loss for each in known) < sum(each.loss for each in before)
    assert done.tokens > 0
    model.edit(WeightEdit(second, text, one, 25), two)
    keys, both = read_keys(one), read_keys(two)
    for path, (a, b) in read_update(two, model.module).items():
        a1, b1 = read_update(one, model.module)[path]
        assert torch.linalg.matrix_rank(b1 @ a1) <= len(a1) <= 4
        assert torch.linalg.matrix_rank(b @ a) <= len(a) <= 6
        assert torch.linalg.matrix_rank(b @ a - b1 @ a1, rtol=1e-4) <= 2
        added = torch.linalg.eigvalsh(both[path] - keys[path])
        assert (added > 1e-4 * added.max()).sum() <= 2
    assert read_update(two, model.module).keys() == {path for _, path in edited_layers(model.module)}


def test_an_edit_is_the_same_each_time(model: HuggingFaceModel, tmp_path: Path) -> None:
    edit = WeightEdit(asked(model, {"Ana": "Lisbon"}), (), None, 5)
    for name in ("one", "two"):
        model.edit(edit, tmp_path / name)
    files = [sorted((tmp_path / name).iterdir()) for name in ("one", "two")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]] != []
