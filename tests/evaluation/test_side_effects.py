"""How far an adapter is from its base, and what a night must save to pay."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.core.records import Answer
from hybridmem.evaluation.economics import economics, measured
from hybridmem.evaluation.side_effects import mean_kl
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel


def test_an_adapter_that_changes_nothing_is_at_no_distance(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    assert mean_kl(tiny, None) == 0.0
    assert mean_kl(tiny, adapter(tiny, tmp_path / "zero", scale=0.0)) == pytest.approx(0.0, abs=1e-6)


def test_the_distance_grows_with_the_change(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    small, large = (mean_kl(tiny, adapter(tiny, tmp_path / str(scale), scale)) for scale in (0.05, 0.5))
    assert small is not None and large is not None
    assert 0.0 < small < large


def test_a_model_without_weights_has_no_distance() -> None:
    assert mean_kl(FakeModel(), None) is None


def adapter(model: HuggingFaceModel, folder: Path, scale: float) -> Path:
    """An adapter of rank 1 whose update of the base grows with `scale`."""
    import torch
    from peft import LoraConfig
    from safetensors.torch import save_file

    config = LoraConfig(r=1, lora_alpha=1, target_modules=["o_proj"], task_type="CAUSAL_LM")
    tensors = {}
    for name, layer in model.module.named_modules():
        if name.endswith("o_proj"):
            tensors[f"base_model.model.{name}.lora_A.weight"] = torch.linspace(-1, 1, layer.in_features)[None]
            tensors[f"base_model.model.{name}.lora_B.weight"] = (
                scale * torch.linspace(-1, 1, layer.out_features)[:, None]
            )
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(folder)
    return folder


def test_a_night_pays_after_its_cost_over_what_an_answer_saves() -> None:
    weights = [Answer("x", "weights", 1.0, prompt_tokens=10, seconds=0.1)] * 2
    retrieval = [Answer("x", "retrieval", 1.0, prompt_tokens=90, seconds=0.3)] * 2
    found = economics([10.0, 30.0], weights, retrieval)
    assert found.break_even_questions == pytest.approx(100.0)
    assert (found.weights_prompt_tokens, found.retrieval_prompt_tokens) == (10, 90)


def test_a_night_never_pays_where_weights_cost_as_much_or_nothing_was_measured() -> None:
    answers = [Answer("x", "weights", 1.0, seconds=0.1)]
    assert economics([10.0], answers, answers).break_even_questions is None
    assert economics([], answers, answers).break_even_questions is None
    assert economics([10.0], [], []).break_even_questions is None


def test_some_questions_are_timed_by_both_routes() -> None:
    asked: list[tuple[str, int]] = []

    class Memory:
        def answer_many(self, questions, /, *, route):
            asked.append((route, len(questions)))
            return [Answer("x", route, 1.0, seconds=0.2 if route == "retrieval" else 0.1) for _ in questions]

    assert measured(Memory(), [str(n) for n in range(100)], [1.0]).break_even_questions == pytest.approx(10.0)
    assert asked == [("weights", 48), ("retrieval", 48)]
