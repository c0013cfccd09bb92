"""What hybridmem asks of a reader, and what a reader elsewhere gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hybridmem.models.prompts import Message

CHARACTERS_A_TOKEN = 4
"""For an estimate, where a model does not count its tokens."""


class Reading(Protocol):
    """One completion."""

    @property
    def text(self) -> str: ...

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def tokens(self) -> int:
        """Of the completion."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Completes prompts. What it can do beyond the basic jobs it says in two optional attributes, which `skills` reads:
    `jobs`, those that it was trained for, and `follows_examples`, whether it does the others by worked examples.
    Two more say how it is asked and accounted for: `name`, and `settings` (a `ReaderSettings`)."""

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> Sequence[Reading]:
        """One completion for each prompt, as certain as the model can give it. Raises `ModelError`."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteReading:
    """The completion of a model that tells nothing about its probabilities."""

    text: str
    prompt_tokens: int
    tokens: int
    is_estimated: bool = False
    """Whether the tokens are estimated from the characters, because the model did not count them."""
    refused: str = ""
    """Why there is no text: the model refused this one prompt, or said nothing."""


def estimated_tokens(prompt: Sequence[Message]) -> int:
    """Tokens of `prompt`, at `CHARACTERS_A_TOKEN`."""
    return sum(len(message["content"]) for message in prompt) // CHARACTERS_A_TOKEN


def reading(
    prompt: Sequence[Message], text: str, prompt_tokens: int | None, tokens: int | None, refused: str = ""
) -> RemoteReading:
    """With the tokens estimated where they were not counted."""
    counted = prompt_tokens is not None and tokens is not None
    return RemoteReading(
        text,
        estimated_tokens(prompt) if prompt_tokens is None else prompt_tokens,
        len(text) // CHARACTERS_A_TOKEN if tokens is None else tokens,
        not counted,
        refused if refused or text else "an empty reply",
    )
