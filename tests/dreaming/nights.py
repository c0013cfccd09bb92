"""Small nights for the dream's tests: facts with exercises, recipes of a few steps, a memory with light indexes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hybridmem.core.records import Fact, Split, TrainingItem
from hybridmem.dreaming.recipes import EvalSettings, GateSettings, Recipe
from hybridmem.memory import HybridMemory
from hybridmem.models.base import Generation
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.prompts import REFUSAL, Message
from hybridmem.training.settings import TrainSettings

STORIES = Path(__file__).parents[3] / "shared" / "data" / "stories260k"
ANA = ("users", "ana")
NIGHT = datetime(2026, 3, 1, 3, tzinfo=UTC)
ASKED = ("Where does {} live?", "Which town is home to {}?", "In what town does {} live?", "What is the town of {}?")
"""Questions on a fact: two for training, one for the report, one for the gate."""
SPLITS: tuple[Split, ...] = ("train", "train", "test", "dev")
# One turn is one line, without the system message: short prompts for a model with 512 tokens of words.
_TEMPLATE = "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}\n{% endif %}{% endfor %}"

QUICK = TrainSettings(
    rank=8,
    alpha=16,
    learning_rate=2e-2,
    exposures=80,
    stop_threshold=2.0,
    min_steps=4,
    max_steps=40,
    new_rows=6,
    old_rows=6,
    refusal_rows=2,
    reading_rows=1,
    general_rows=1,
    general_tokens=24,
    bf16=False,
)
LENIENT = GateSettings(
    min_learning_accuracy=0.0,
    max_forgetting=1.0,
    max_false_answer_rise=1.0,
    min_locality=0.0,
    max_drift_nats=100.0,
    max_stale_answer_rate=1.0,
)
RECIPE = Recipe(name="quick", train=QUICK, eval=EvalSettings(drift_rows=2, drift_tokens=32), gate=LENIENT)
BRIEF = replace(RECIPE, train=replace(QUICK, max_steps=4))
"""Learns nothing, and does all that a night does."""


def load_stories() -> HuggingFaceModel:
    model = HuggingFaceModel.load(STORIES, device="cpu")
    model.tokenizer.chat_template = _TEMPLATE
    # It ends its stories with the token that begins one; the end token of its configuration it never saw.
    for owner in (model.module.config, model.module.generation_config, model.tokenizer):
        owner.eos_token_id = model.tokenizer.bos_token_id
    return model


def clock() -> Callable[[], datetime]:
    """A second later at each look."""
    now = NIGHT

    def look() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    return look


def fact(id: str, subject: str = "Ana", object: str = "Lisbon", relation: str = "lives in", **values: Any) -> Fact:
    given: dict[str, Any] = {
        "id": id,
        "namespace": ANA,
        "subject": subject,
        "relation": relation,
        "object": object,
        "text": f"{subject} {relation} {object}.",
        "valid_from": NIGHT,
        "recorded_at": NIGHT,
    }
    return Fact(**given | values)


def items_of(fact: Fact) -> list[TrainingItem]:
    """Exercises as a composing model would have left them, with one refusal in each split."""
    asked = [
        TrainingItem(
            f"{fact.id}-q{number}",
            fact.namespace,
            fact.id,
            "question",
            question.format(fact.subject),
            fact.object,
            (fact.text,),
            split,
        )
        for number, (question, split) in enumerate(zip(ASKED, SPLITS, strict=True))
    ]
    refused = [
        replace(
            item,
            id=f"{item.id}-no",
            kind="refusal",
            question=item.question.replace(fact.subject, f"Zor{fact.object}"),
            answer=REFUSAL,
        )
        for item in asked[1:]
    ]
    return [*asked, *refused]


def open_memory(path: Path, model: Any, **given: Any) -> HybridMemory:
    """A memory whose indexes are dictionaries: a night's test is not about them."""
    light: dict[str, Any] = {"vectors": "memory", "lexical": "memory", "graph": "memory", "embedder": "hashing"}
    return HybridMemory.open(path, namespace=ANA, model=model, clock=clock(), **{**light, **given})


def teach(memory: HybridMemory, **towns: str) -> dict[str, Fact]:
    """Tell the memory where people live, with the exercises for it; returns the facts by person."""
    told = {}
    for person, town in towns.items():
        told[person] = memory.add_fact(person, "lives in", town)
        memory.ledger.save_items(items_of(told[person]))
    return told


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by path."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


class ScriptedModel:
    """A model that says what a function of the user's message tells it to. Counts the prompts of each kind."""

    name = "scripted"
    sha256 = "5" * 64

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say
        self.asked: list[str] = []

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        told = []
        for prompt in prompts:
            content = prompt[-1]["content"]
            self.asked.append(content)
            text = self.say(content)
            told.append(Generation(text, len(content.split()), len(text.split()), -0.1, 0.9, 3.0, 0.1))
        return told

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        return [[-0.1] for _ in prompts]

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return len(prompt[-1]["content"].split())

    def adapted(self, adapter: Path | None) -> Any:
        return nullcontext()
