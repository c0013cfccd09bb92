"""What hybridmem asks of a language model.

A model that a dream can train promises more: see `trainable.TrainableModel`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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


Hear = Callable[[Generation], None]
"""Told of a completion as it is written, as far as it has come: after each token of a model that writes so."""


class LanguageModel(Protocol):
    """A chat model that can be fitted with one adapter at a time. A server asks it from several threads."""

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


@runtime_checkable
class Speaker(Protocol):
    """A `LanguageModel` that tells what it writes while it writes it."""

    def speak(
        self,
        prompt: Sequence[Message],
        hear: Hear,
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Generation:
        """What `generate` gives for this prompt; `hear` is told of it after each token."""
        ...

    def speak_answer(self, prompt: Sequence[Message], hear: Hear) -> Generation:
        """The same for what `generate_answers` gives."""
        ...


def speak(
    model: LanguageModel,
    prompt: Sequence[Message],
    hear: Hear,
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> Generation:
    """What `generate` gives for one prompt; `hear` is told of it as it is written, or once it is whole."""
    if isinstance(model, Speaker):
        return model.speak(prompt, hear, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    (said,) = model.generate([prompt], max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    hear(said)
    return said


def speak_answer(model: LanguageModel, prompt: Sequence[Message], hear: Hear) -> Generation:
    """The same for what `generate_answers` gives."""
    if isinstance(model, Speaker):
        return model.speak_answer(prompt, hear)
    (said,) = generate_answers(model, [prompt])
    hear(said)
    return said


@runtime_checkable
class MixedBatches(Protocol):
    """A `LanguageModel` that computes one batch with an adapter of its own for each row."""

    def generate_mixed(self, prompts: Sequence[Sequence[Message]], adapters: Sequence[Path | None]) -> list[Generation]:
        """The answers of `generate_answers`, to each prompt with the adapter in its folder, or with none.

        Raises as `adapted` does."""
        ...


def generate_mixed(
    model: LanguageModel, prompts: Sequence[Sequence[Message]], adapters: Sequence[Path | None]
) -> list[Generation]:
    """The model's answers to `prompts`, each with the adapter in its folder: in one batch, where the model can."""
    if isinstance(model, MixedBatches):
        return model.generate_mixed(prompts, adapters)
    return one_by_one(model, prompts, adapters)


def one_by_one(
    model: LanguageModel, prompts: Sequence[Sequence[Message]], adapters: Sequence[Path | None]
) -> list[Generation]:
    """`generate_mixed` with a batch for each adapter."""
    said: dict[int, Generation] = {}
    for adapter in dict.fromkeys(adapters):
        rows = [row for row, own in enumerate(adapters) if own == adapter]
        with model.adapted(adapter):
            said |= zip(rows, generate_answers(model, [prompts[row] for row in rows]), strict=True)
    return [said[row] for row in range(len(prompts))]
