"""Chat messages to token ids: by the tokenizer's own chat template, or as plain text where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from hybridmem.models.huggingface.control_tokens import ControlTokens
from hybridmem.models.prompts import Message

RECENT = 16
"""Prompts whose ids are kept."""


class PromptRenderer:
    """Renders the prompts of one `tokenizer`. What messages and completions say is text, whatever it spells."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._control: dict[str | None, ControlTokens] = {}
        self._recent: dict[tuple[str | None, ...], list[int]] = {}

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of the prompt with the prefix of an answer. The last are kept: a prompt is counted, and then read."""
        said = (text for message in messages for text in message.values())
        key = (self._tokenizer.chat_template, *said)
        if key not in self._recent:
            ids = self._control_tokens.encode(self._text(messages))
            while len(self._recent) >= RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[key] = ids
        return list(self._recent[key])

    def pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]:
        """(ids of the prompt, ids of the completion without the end of the turn)."""
        control = self._control_tokens
        text, answer = self._text(messages), control.hide(completion)
        prompt = control.encode(text)
        whole = control.encode(text + answer)
        # Some tokenizers mark the start of a text: the completion is cut out of the whole so that it gets no such mark.
        if whole[: len(prompt)] == prompt:
            return prompt, whole[len(prompt) :]
        return prompt, control.encode_text(completion)

    def text(self, text: str) -> list[int]:
        """Ids of plain text, without any that mark its start or end."""
        return self._control_tokens.encode_text(text)

    def answered(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a conversation that ends with an answer, by the template."""
        return self._control_tokens.encode(self._templated(messages, add_generation_prompt=False))

    @property
    def _control_tokens(self) -> ControlTokens:
        template = self._tokenizer.chat_template
        if template not in self._control:
            self._control[template] = ControlTokens(self._tokenizer, template)
        return self._control[template]

    @cached_property
    def _takes_system(self) -> bool:
        from jinja2.exceptions import TemplateError

        try:
            self._templated([{"role": "system", "content": "1"}, {"role": "user", "content": "2"}])
        except TemplateError:
            return False
        return True

    def _text(self, messages: Sequence[Message]) -> str:
        """The rendered prompt, with placeholders for control tokens that a message spells."""
        hide = self._control_tokens.hide
        hidden = [{**message, "content": hide(message["content"])} for message in messages]
        if not self._tokenizer.chat_template:
            return "\n\n".join(message["content"] for message in hidden) + "\n"
        # Models such as Qwen3 would think aloud first, which a job of a few words has no room for.
        return self._templated(hidden if self._takes_system else _system_merged(hidden), enable_thinking=False)

    def _templated(self, turns: Sequence[Message], *, add_generation_prompt: bool = True, **settings: Any) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(turns), add_generation_prompt=add_generation_prompt, tokenize=False, **settings
        )
        return text


def _system_merged(messages: Sequence[Message]) -> list[Message]:
    """The system message as the head of the first user message, for templates that take none (Gemma's)."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    turns = [dict(message) for message in messages if message["role"] != "system"]
    if system and turns:
        turns[0]["content"] = f"{system}\n\n{turns[0]['content']}"
    return turns
