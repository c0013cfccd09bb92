"""A model that says what a test wants it to, for what is measured on models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybridmem.models.base import Generation
from hybridmem.models.prompts import Message


class ScriptedModel:
    """Says what `script` makes of the prompt's last message; a word is a token."""

    name = "scripted"
    sha256 = "0" * 64

    def __init__(self, script: Callable[[str], str]) -> None:
        self.script = script
        self.asked: list[str] = []

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        contents = [prompt[-1]["content"] for prompt in prompts]
        self.asked += contents
        return [self._generation(content, max_new_tokens) for content in contents]

    def _generation(self, content: str, most: int) -> Generation:
        words = self.script(content).split(" ")[:most]
        return Generation(" ".join(words), len(content.split()), len(words), -0.5, 0.9, 2.0, 0.1)

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        return [[-0.5] for _ in prompts]

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return len(prompt[-1]["content"].split())

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        yield
