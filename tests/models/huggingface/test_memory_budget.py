from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.memory_budget import SHARE, MemoryBudget, Shape, share_of
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.huggingface.recompute import recomputed
from hybridmem.models.huggingface.tensors import logprobs_at, scores_all
from tests.models import families
from tests.models.conftest import Folders

shapes = some.builds(
    Shape,
    layers=some.integers(2, 80),
    hidden=some.integers(1, 8192),
    attention=some.integers(1, 8192),
    intermediate=some.integers(1, 30000),
    heads=some.integers(1, 64),
    vocabulary=some.integers(1, 300_000),
    keeps_scores=some.booleans(),
    scores_all=some.booleans(),
    caps_scores=some.booleans(),
)
rows = some.tuples(some.integers(1, 64), some.integers(1, 4096), some.integers(0, 4096)).map(
    lambda row: (row[0], row[1], min(row[1], row[2]))
)


def wide(family: str) -> Any:
    """The family's model, wide enough that what the rank adds is little, and without training of its own weights."""
    from transformers import AutoModelForCausalLM

    config = families.config(family)
    widths = {"hidden_size": 64, "n_embd": 64, "intermediate_size": 160, "head_dim": 16, "vocab_size": 4000}
    for name, width in widths.items():
        if getattr(config, name, None) is not None:
            setattr(config, name, width)
    for dropout in ("attention_dropout", "attn_pdrop", "resid_pdrop", "hidden_dropout"):
        if hasattr(config, dropout):
            setattr(config, dropout, 0.5)
    return AutoModelForCausalLM.from_config(config).eval()


def kept_bytes(module: Any, rows: int, length: int, predicted: int) -> int:
    """What autograd keeps for the backward pass, the model's own tensors aside."""
    own = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # Held, so that no other takes its place.
        return tensor

    ids = torch.randint(5, 200, (rows, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, length // 2 :] = 0
    where = (torch.arange(rows).repeat_interleave(predicted), torch.arange(length - predicted, length).repeat(rows))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logprobs_at(module, ids, mask, where).sum()
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("family", [*families.FAMILIES, "bloom"])
def test_the_estimate_is_above_what_autograd_keeps_and_not_far(family: str) -> None:
    from peft import get_peft_model

    module = wide(family)
    shape = Shape.of(module.config, scores_all=scores_all(module))
    get_peft_model(module, lora_config(module, 4, 4))
    for rows, length, predicted in ((4, 32, 4), (2, 160, 8), (2, 64, 63)):
        # Of a score, autograd keeps the logarithm; its copies and gradients, four times as much, come and go.
        passing = 16 * rows * predicted * shape.vocabulary
        estimated, kept = shape.trained_bytes(rows, length, predicted), kept_bytes(module, rows, length, predicted)
        assert kept <= estimated - passing < 3 * kept, (rows, length, predicted, (estimated - passing) / kept)


@pytest.mark.parametrize("family", families.FAMILIES)
def test_layers_that_are_computed_again_keep_less_and_say_the_same(family: str) -> None:
    from peft import get_peft_model

    module = wide(family)
    get_peft_model(module, lora_config(module, 4, 4)).eval()
    ids = torch.arange(10, 40)[None]
    plain, whole = module(input_ids=ids, use_cache=False).logits, kept_bytes(module, 4, 64, 4)
    with recomputed(module) as are:
        assert are
        # In training mode, half of everything would be dropped.
        assert torch.equal(module(input_ids=ids, use_cache=False).logits, plain)
        assert kept_bytes(module, 4, 64, 4) < whole / 2
    with recomputed(module, wanted=False) as are:
        assert not are
    assert not any(each.training for each in module.modules())
    assert kept_bytes(module, 4, 64, 4) == whole


def test_a_shape_is_read_from_every_family_s_own_names(folder_of: Folders) -> None:
    common = {"layers": 2, "hidden": 32, "heads": 4, "vocabulary": families.VOCABULARY}
    assert Shape.of(families.config("qwen3")) == Shape(**common, attention=32, intermediate=48)
    assert Shape.of(families.config("gpt2")) == Shape(**common, attention=32, intermediate=128)
    eager = HuggingFaceModel.load(folder_of("gemma2"), device="cpu").module.config
    assert Shape.of(eager).keeps_scores
    grouped = families.config("llama")
    grouped.head_dim, grouped.num_experts_per_tok = 128, 2
    assert Shape.of(grouped) == Shape(**common, attention=512, intermediate=96)


@given(shapes, rows)
@settings(max_examples=60, deadline=None)
def test_more_of_anything_takes_more(shape: Shape, row: tuple[int, int, int]) -> None:
    count, length, predicted = row
    for measure in (shape.trained_bytes, shape.read_bytes):
        assert 0 < measure(count, length, predicted) < measure(count + 1, length, predicted)
        assert measure(count, length, predicted) < measure(count, length + 1, predicted)
        assert measure(count, length, predicted) <= measure(count, length, predicted + 1)
    assert shape.read_bytes(*row) < shape.trained_bytes(*row)
    assert shape.trained_bytes(*row, recompute=True) < shape.trained_bytes(*row) or shape.layers == 2


@given(shapes, some.integers(0, 2**40), some.lists(rows, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_layers_are_computed_twice_only_where_one_row_would_not_fit(
    shape: Shape, free: int, drawn: list[tuple[int, int, int]]
) -> None:
    room = MemoryBudget.of(shape, free, [(length, predicted) for _, length, predicted in drawn])
    assert room.recompute == any(shape.trained_bytes(1, length, scored) > free for _, length, scored in drawn)
    for count, length, predicted in drawn:
        assert room.trains(1, length, predicted)
        assert room.reads(1, length, predicted)
        if count > 1 and room.trains(count, length, predicted):
            assert shape.trained_bytes(count, length, predicted, recompute=room.recompute) <= room.limit
    assert room.halved().limit <= room.limit / 2


@given(some.integers(2, 2**45))
def test_the_share_of_the_free_memory_is_a_round_number_below_it(free: int) -> None:
    share = share_of(free)
    assert share & (share - 1) == 0
    assert free * SHARE / 2 <= share + 1
    assert share <= max(1, free * SHARE)


def test_a_debt_leaves_room_for_single_rows() -> None:
    room = MemoryBudget.of(Shape(2, 8, 8, 8, 1, 100), -5, [(10, 2)])
    assert (room.limit, room.recompute) == (0, True)
    assert room.trains(1, 10, 2)
    assert not room.trains(2, 10, 2)
