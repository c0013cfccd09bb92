"""What hybridmem asks of a language model.

A model that a dream can train promises more: see `trainable.TrainableModel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from hybridmem.models.prompts import Message


@dataclass(frozen=True, slots=True)
class Generation:
    """One completion and how sure the model was of it (all logarithms natural)."""

    text: str
    prompt_tokens: int
    tokens: int
    logprob: float
    """Sum over the completion's tokens, the end of the turn included."""
    min_probability: float
    """Of its least likely token."""
    margin: float
    """Smallest difference over its tokens between the logits' best and second-best log-probability."""
    entropy: float
    """Mean entropy of the next-token distribution, in nats."""


class LanguageModel(Protocol):
    """A chat model that can be fitted with one adapter at a time."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str:
        """Of the base weights: adapters are bound to it."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        """One completion for each prompt, greedy at temperature 0; the same seed gives the same samples."""
        ...

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        """Log-probability of each token of each completion (its end of turn included) after its prompt."""
        ...

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        """Tokens of the rendered prompt, the generation prefix included."""
        ...

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        """Within this context the model runs with the adapter in folder `adapter`, or as the bare base for None.

        Raises `CorruptAdapter` or `WrongBase`. Adapters stay loaded, so that switching is cheap."""
        ...


@runtime_checkable
class AnswerWriter(Protocol):
    """A `LanguageModel` that has a faster way for answers, which somebody waits for."""

    def generate_answers(self, prompts: Sequence[Sequence[Message]]) -> list[Generation]:
        """What `generate` promises, greedily, from weights that may be rounded."""
        ...


def generate_answers(model: LanguageModel, prompts: Sequence[Sequence[Message]]) -> list[Generation]:
    """The model's answers to `prompts`, in its fastest way."""
    return model.generate_answers(prompts) if isinstance(model, AnswerWriter) else model.generate(prompts)
