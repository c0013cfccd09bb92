"""A night of every family: told, dreamt, answered from the weights, saved, loaded anew, rolled back.

The models are random and 32 wide: they know nothing, read nothing and generalise nothing, but they learn by heart. So
the exercises are given, and the questions asked are those of the training.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hybridmem.core.records import DreamReport
from hybridmem.memory import HybridMemory
from hybridmem.models.huggingface import quantized
from hybridmem.models.huggingface.lora import linear_layers
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.dreaming.nights import ASKED, QUICK, RECIPE, STORIES, load_stories, open_memory, teach
from tests.models import families

BY_HEART = replace(
    RECIPE,
    train=replace(
        QUICK,
        rank=16,
        alpha=32,
        learning_rate=0.03,
        exposures=2000,
        max_steps=60,
        new_rows=4,
        old_rows=0,
        refusal_rows=1,
        reading_rows=0,
    ),
)
"""A random model needs more steps than any real one, and of rows that are not asked for here a few are enough."""
SHORT = replace(BY_HEART, train=replace(BY_HEART.train, max_steps=3))
"""A night that goes through every step and learns little."""
FOUR_BITS = "llama,quantize=4bit"
LEARNED = ("llama", "gpt2", "lfm2")
"""Those that learn by heart in every run of the tests: plain, with transposed weights, with convolutions. The others do
so among the slow tests, and go through a short night in every run."""
TOWNS = {"Ana": "Lisbon", "Ben": "Oslo"}
QUESTIONS = [(asked.format(person), town) for person, town in TOWNS.items() for asked in ASKED[:2]]
NO_CHAT = {"gpt2", "gpt_neox", "phi"}
"""Whose models come without a chat template."""
NO_SYSTEM = {"gemma", "gemma2", "gemma3", "mistral"}
"""Whose templates take no system message."""
PROJECTIONS = {
    "lfm2": {"in_proj", "out_proj", "w1", "w2", "w3", "q_proj", "k_proj", "v_proj"},
    "phi": {"q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"},
    "phi3": {"qkv_proj", "o_proj", "gate_up_proj", "down_proj"},
    "gpt_neox": {"query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"},
    "gpt2": {"c_attn", "c_proj", "c_fc"},
}
LLAMA_LIKE = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def template_of(family: str) -> str | None:
    if family in NO_CHAT:
        return None
    return families.REFUSES_SYSTEM if family in NO_SYSTEM else families.TEMPLATE


@dataclass(frozen=True)
class Night:
    """What one dream of one family left."""

    base: Any
    """How the model is named, or the model."""
    memory: HybridMemory
    report: DreamReport
    bare: torch.Tensor
    """Logits of the model before any adapter."""

    @property
    def model(self) -> HuggingFaceModel:
        model = self.memory.model
        assert isinstance(model, HuggingFaceModel)
        return model

    @property
    def adapter(self) -> Path:
        return self.memory.adapters.path(str(self.report.adapter))

    def anew(self) -> Any:
        """The model as another process would get it."""
        return load_stories() if isinstance(self.base, HuggingFaceModel) else self.base


def logits(model: HuggingFaceModel) -> torch.Tensor:
    ids = torch.tensor([[token % 250 + 10 for token in range(7, 700, 17)]])
    with torch.no_grad():
        found: torch.Tensor = model.module(input_ids=ids, use_cache=False).logits
    return found


EVERY = [*families.FAMILIES, "stories260k", FOUR_BITS]
FULL = [pytest.param((name, BY_HEART), id=name, marks=() if name in LEARNED else pytest.mark.slow) for name in EVERY]
BRIEF = [pytest.param((name, SHORT), id=f"{name}, briefly") for name in EVERY if name not in LEARNED]


@pytest.fixture(scope="module")
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    name, recipe = request.param
    family, _, options = name.partition(",")
    folder = tmp_path_factory.mktemp(family)
    base: Any
    if family == "stories260k":
        if not STORIES.is_dir():
            pytest.skip("the checkpoint stories260k is not on this machine")
        base = load_stories()
    else:
        if options and importlib.util.find_spec("bitsandbytes") is None:
            pytest.skip("weights in 4 bits need bitsandbytes")
        base = families.save(family, folder / "model", template=template_of(family), decided=True)
        base = f"{base},{options}" if options else base
    with open_memory(folder / "memory", base) as memory:
        bare = logits(memory.trainable())
        teach(memory, **TOWNS)
        yield Night(base, memory, memory.dream(recipe=recipe), bare)


full = pytest.mark.parametrize("night", FULL, indirect=True, scope="module")
any_length = pytest.mark.parametrize("night", [*FULL, *BRIEF], indirect=True, scope="module")


@full
def test_it_is_learned_by_heart(night: Night) -> None:
    assert night.report.status == "promoted"
    answers = night.memory.answer_many([question for question, _ in QUESTIONS], route="weights")
    assert [answer.text for answer in answers] == [town for _, town in QUESTIONS]
    assert {answer.adapter for answer in answers} == {night.report.adapter}
    assert {answer.route for answer in answers} == {"weights"}


@any_length
def test_lora_is_on_the_linear_layers_of_the_family(night: Night) -> None:
    from safetensors.torch import load_file

    model = night.model
    named = {key.removeprefix("base_model.model.").partition(".lora_")[0] for key in load_file(_weights(night.adapter))}
    assert named == set(linear_layers(model.module))
    assert {path.rpartition(".")[2] for path in named} == PROJECTIONS.get(model.module.config.model_type, LLAMA_LIKE)
    head, embeddings = model.module.get_output_embeddings(), model.module.get_input_embeddings()
    assert not {id(head), id(embeddings)} & {id(model.module.get_submodule(path)) for path in named}


@any_length
def test_it_is_a_plain_peft_folder(night: Night) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = night.model
    four = {}
    if "4bit" in str(night.base):
        four = {"quantization_config": quantized.configuration(model.device, model.dtype), "device_map": {"": "cpu"}}
    plain = AutoModelForCausalLM.from_pretrained(model._weights[0].parent, dtype=model.dtype, **four)
    theirs = PeftModel.from_pretrained(plain, night.adapter).eval()
    ids = torch.tensor([model.render([{"role": "user", "content": QUESTIONS[0][0]}])])
    with torch.no_grad(), model.adapted(night.adapter):
        ours = model.module(input_ids=ids, use_cache=False).logits
        assert torch.allclose(ours, theirs(input_ids=ids).logits, atol=1e-3, rtol=1e-4)
    assert not list(night.adapter.glob("*.bin"))


@any_length
def test_another_process_would_load_the_same(night: Night) -> None:
    with night.model.adapted(night.adapter):
        adapted = logits(night.model)
    assert not torch.allclose(adapted, night.bare, atol=1e-3)
    with open_memory(night.memory.folder.root, night.anew()) as anew:
        assert anew.model is not night.model
        active = anew.adapters.active()
        assert active is not None
        assert active.version == night.report.adapter
        with anew.trainable().adapted(anew.adapters.path(active.version)):
            assert torch.equal(logits(anew.trainable()), adapted)
        said = night.memory.answer(QUESTIONS[0][0], route="weights").text
        assert anew.answer(QUESTIONS[0][0], route="weights").text == said


@full
def test_a_second_night_goes_on_from_the_first_and_both_are_rolled_back(night: Night) -> None:
    memory = night.memory
    with night.model.adapted(night.adapter):
        first = logits(night.model)
    teach(memory, Cara="Riga")
    second = memory.dream(recipe=SHORT)
    assert (second.status, second.parent, second.held_facts) == ("promoted", night.report.adapter, 3)
    with night.model.adapted(memory.adapters.path(str(second.adapter))):
        assert not torch.equal(logits(night.model), first)
    back = memory.adapters.rollback()
    assert back is not None
    assert back.version == night.report.adapter
    with night.model.adapted(memory.adapters.path(back.version)):
        assert torch.equal(logits(night.model), first)
    memory.adapters.promote(None)
    assert memory.answer(QUESTIONS[0][0], route="weights").adapter is None
    assert torch.equal(logits(night.model), night.bare)


def _weights(adapter: Path) -> Path:
    return adapter / "adapter_model.safetensors"
