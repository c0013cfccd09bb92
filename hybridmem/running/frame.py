"""What stands around a session in a prompt: the opening before its first message, and the question behind its last.

It is the prompt that a retrieval answer reads (`prompts.answer`), so a session in it is read as memories are. The
opening is the sink that every chunk is read behind: attention that finds nothing goes to the first tokens of a text,
and without them what is read alone is read badly (StreamingLLM, Xiao et al. 2023, arXiv:2309.17453).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Protocol

from hybridmem.models import prompts
from hybridmem.models.prompts import Message

SINK = 4
"""Tokens that an opening has at least."""
_FILLERS = ("0", "x")
"""Two memories that no tokenizer begins or ends alike."""


class Renderer(Protocol):
    def render(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the prompt with the prefix of an answer."""
        ...

    def encode_text(self, text: str) -> list[int]:
        """Token ids of plain text, without special tokens."""
        ...


def opening(model: Renderer) -> tuple[int, ...]:
    """The tokens before the first message, which are the same for every question."""
    first, second = (model.render(_asked("?", filler)) for filler in _FILLERS)
    return tuple(_common(first, second))


def ending(model: Renderer, question: str) -> tuple[int, ...]:
    """The tokens behind the last message, which ends with a line break: the question, and the prefix of an answer."""
    first, second = (model.render(_asked(question, filler)) for filler in _FILLERS)
    found = _common(first[::-1], second[::-1])[::-1]
    break_ = model.encode_text("\n")
    return tuple(found[len(break_) :] if found[: len(break_)] == break_ else found)


def words(model: Renderer, question: str) -> slice:
    """Which tokens of an `ending` are the question's own words, and not what stands around every question."""
    mine, other = ending(model, question), ending(model, _FILLERS[0])
    before, after = len(_common(mine, other)), len(_common(mine[::-1], other[::-1]))
    return slice(before, len(mine) - after) if before + after < len(mine) else slice(None)


def _asked(question: str, memories: str) -> list[Message]:
    *before, asked = prompts.answer(question, ["0"])
    return [*before, {**asked, "content": asked["content"].replace("- 0\n", f"{memories}\n", 1)}]


def _common(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))]
