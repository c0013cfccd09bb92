"""How often a model's greedy answer is exactly the expected one, job by job, within a few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import torch

from hybridmem.models.prompts import SEPARATOR

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


class Case(Protocol):
    """A prompt and the one right answer."""

    @property
    def messages(self) -> list[dict[str, str]]: ...

    @property
    def expected(self) -> str: ...


def exact_match(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    jobs: Mapping[str, Sequence[Case]],
    *,
    seconds: float = 20.0,
    batch: int = 50,
    longest: int = 64,
) -> dict[str, float]:
    """Each job's right-answer rate in 0..1; when `seconds` are over, what is not yet reached is left out."""
    deadline = time.monotonic() + seconds
    batches = [
        (job, cases[start : start + batch])
        for start in range(0, max(map(len, jobs.values()), default=0), batch)
        for job, cases in jobs.items()
        if cases[start : start + batch]
    ]
    right: dict[str, list[bool]] = {}
    for job, cases in batches:
        if time.monotonic() > deadline:
            break
        answers = greedy_answers(model, tokenizer, [case.messages for case in cases], longest=longest)
        right.setdefault(job, []).extend(
            _is_right(job, said.strip(), case.expected) for said, case in zip(answers, cases, strict=True)
        )
    return {job: sum(marks) / len(marks) for job, marks in right.items()}


def _is_right(job: str, said: str, expected: str) -> bool:
    """Whether `said` is `expected`; of the question job's "question | answer", whether the answer is."""
    return (said.rpartition(SEPARATOR)[2] if job == "question" else said) == expected


def greedy_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    chats: Sequence[list[dict[str, str]]],
    *,
    longest: int = 64,
) -> list[str]:
    """What the model says to each of `chats`, generated together (padded on the left)."""
    prompts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    with torch.inference_mode():
        said = model.generate(
            input_ids=inputs["input_ids"].to(model.device),
            attention_mask=inputs["attention_mask"].to(model.device),
            max_new_tokens=longest,
            do_sample=False,
        )
    answers: list[str] = tokenizer.batch_decode(said[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers
