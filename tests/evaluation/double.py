"""A memory in a few lines, for the benchmark's tests: it learns texts by heart at night and can forget on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from hybridmem.core.records import Answer, Check, DreamReport, Episode, ErasureReceipt
from hybridmem.dreaming.recipes import Recipe
from hybridmem.evaluation.stream import Stream
from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL, Message

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class DoubleModel:
    """Reads the memories in its prompt, and knows nothing else."""

    memory: DoubleMemory
    name = "fake"
    sha256 = "0" * 64

    @property
    def context_length(self) -> int | None:
        return self.memory.room

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return len(prompt[-1]["content"].split())

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int) -> list[Generation]:
        assert self.memory.in_force is None, "the full context is read by the bare model"
        said = []
        for prompt in prompts:
            *lines, question = prompt[-1]["content"].splitlines()
            text = self.memory._answer(
                question.removeprefix("Question: "), [line.removeprefix("- ") for line in lines[1:]]
            )
            said.append(Generation(text, self.count_tokens(prompt), 1, -0.1, 0.9, 1.0, 0.1))
        return said

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        """A word is a token, sure where the weights hold it."""
        questions = [prompt[-1]["content"].removeprefix("Question: ") for prompt in prompts]
        said = [self.memory._answer(question, self.memory.fresh) for question in questions]
        return [
            [-0.125 if text == answer else -4.0] * len(answer.split()) + [-9.0]
            for text, answer in zip(said, completions, strict=True)
        ]

    @contextmanager
    def adapted(self, adapter: Path | None):
        self.memory.in_force = adapter
        yield
        self.memory.in_force = None


@dataclass
class DoubleMemory:
    """Answers a question with the value of the latest text that it knows about it.

    `keeps` is the number of nights that the weights hold a fact, `unlearns` whether deletion reaches them, and
    `invents` what it says where it should refuse.
    """

    stream: Stream
    keeps: int = 99
    unlearns: bool = True
    updates: bool = True
    invents: str = REFUSAL
    nights: int = 0
    store: dict[str, str] = field(default_factory=dict)
    weights: dict[str, tuple[int, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    recipes: list[Recipe] = field(default_factory=list)
    in_force: Path | None = None
    """The adapter that the model runs with."""
    room: int | None = None
    """Tokens that the model reads; a word is one."""

    answer_seconds: Mapping[str, float] = field(default_factory=dict)
    """By route."""

    @property
    def model(self):
        return DoubleModel(self)

    @property
    def fresh(self) -> list[str]:
        """The texts that the weights hold."""
        return [text for learned, text in self.weights.values() if self.nights - learned < self.keeps]

    @property
    def adapters(self):
        return SimpleNamespace(
            active=lambda: SimpleNamespace(version="v1") if self.nights else None, path=lambda version: Path(version)
        )

    def add(self, text: str) -> list[Episode]:
        self.calls.append(f"add {text}")
        id = f"e{len(self.calls)}"
        self.store[id] = text
        return [Episode(id, ("test",), text)]

    def delete(self, id: str) -> ErasureReceipt:
        self.calls.append(f"delete {self.store[id]}")
        text = self.store.pop(id)
        if self.unlearns:
            self.weights = {known: entry for known, entry in self.weights.items() if entry[1] != text}
        return ErasureReceipt(id, ("test",), NOW, {"ledger": 1})

    def dream(self, *, recipe: Recipe, progress: Callable[[str, int, int], None]) -> DreamReport:
        self.calls.append(f"dream {recipe.name}")
        self.recipes.append(recipe)
        self.nights += 1
        for id, text in self.store.items():
            self.weights.setdefault(id, (self.nights, text))
        return DreamReport(
            id=f"d{self.nights}",
            namespace=("test",),
            status="promoted",
            night=self.nights,
            started_at=NOW,
            seconds=1.0,
            adapter=f"v{self.nights}",
            gate=(Check("learned", 1.0, 0.9, True),),
            trained_tokens=100 * self.nights,
        )

    def answer_many(self, questions: Sequence[str], *, route: str) -> list[Answer]:
        self.calls.append(f"ask {route}")
        known = list(self.store.values()) if route == "retrieval" else self.fresh
        seconds = self.answer_seconds.get(route, 0.0)
        return [
            Answer(self._answer(question, known), route, 1.0, prompt_tokens=10, seconds=seconds)
            for question in questions
        ]

    def _answer(self, question: str, known: list[str]) -> str:
        facts = [fact for fact in self.stream.facts if question in fact.test_questions]
        line = [fact for fact in self.stream.facts if any(fact.id in (one.id, one.supersedes) for one in facts)]
        line += [fact for fact in self.stream.facts if fact.supersedes in {one.id for one in facts}]
        stated = [(known.index(fact.text), fact.answer) for fact in line if fact.text in known]
        if stated:
            return (max if self.updates else min)(stated)[1]
        local = [probe for probe in self.stream.probes if probe.kind == "locality" and probe.question == question]
        if local:
            return local[0].answer if self.invents == REFUSAL or not self.nights else self.invents
        return self.invents if self.nights else REFUSAL

    def list(self, *, limit: int, after: int | None, kind: str) -> list[SimpleNamespace]:
        self.calls.append(f"list {kind}")
        return (
            [SimpleNamespace(text=text, position=1, quarantined=False) for text in self.store.values()]
            if after is None
            else []
        )

    def drift(self) -> float:
        return 0.03

    @contextmanager
    def opened(self):
        self.calls.append("open")
        yield self
        self.calls.append("close")
