"""One question behind whatever an arm has of a session: the reply, the loss of the right answer, and the time."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hybridmem.evaluation.session.script import SessionQuestion
from hybridmem.models import prompts
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running.answering import Prefix, SessionSteps, Votes
from hybridmem.running.reader import SessionReader

MOST_TOKENS = 16
"""Of a reply."""
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


@dataclass(slots=True)
class TextPrefix:
    """A cache of text that was read in front of a question."""

    cache: Any
    start: int
    """The position of the question's first token."""
    length: int
    """Tokens of the session in it."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Both clocks, since it was made."""

    wall: float
    processor: float

    @classmethod
    def start(cls) -> Stopwatch:
        return cls(time.perf_counter(), time.process_time())

    def read(self) -> Stopwatch:
        return Stopwatch(time.perf_counter() - self.wall, time.process_time() - self.processor)


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    nats: float | None
    """Mean over the tokens of the right answer; None where there is none."""
    took: Stopwatch
    """To the first token."""


class _Asked:
    """The steps of a question, with what its first logits were, when, and behind which cache."""

    def __init__(self, steps: SessionSteps, prefix: Prefix, since: Stopwatch) -> None:
        self._steps = steps
        self._prefix = prefix
        self._since = since
        self.cache: Any = None
        self.logits = torch.zeros(0)
        self.took = Stopwatch(0.0, 0.0)

    def read(self, ids: Tensor, mask: Tensor | None, positions: Tensor, room: int) -> Tensor:
        self.logits = self._steps.read(ids, mask, positions, room)
        self.took = self._since.read()
        self.cache = copy.deepcopy(self._prefix.cache)
        return self.logits

    def keep(self, rows: Tensor) -> None:
        self._steps.keep(rows)

    def step(self, tokens: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        return self._steps.step(tokens, mask, positions)


def reply(
    reader: SessionReader,
    question: SessionQuestion,
    ids: Sequence[int],
    prefix: Prefix,
    votes: Votes | None,
    since: Stopwatch,
) -> Reply:
    """What is said to `question`, whose prompt ends with `ids`, behind `prefix`; the time runs from `since`."""
    begun, answer = completion(reader.model, question)
    asked = _Asked(SessionSteps(reader, prefix, votes), prefix, since)
    generation = reader.model.complete([*ids, *begun], asked, MOST_TOKENS)
    nats = None
    if answer:
        start = prefix.start + len(ids) + len(begun)
        nats = _nats(reader, asked.cache, start, asked.logits[0], answer, votes)
    text = generation.text
    if question.begun:
        # What follows the value is the rest of a sentence, and no part of the answer.
        text = _SENTENCE_END.split(text, maxsplit=1)[0].strip()
    return Reply(text, nats, asked.took)


def completion(model: HuggingFaceModel, question: SessionQuestion) -> tuple[list[int], list[int]]:
    """Token ids of what the reply begins with, and of the right answer behind it."""

    def ids(text: str) -> list[int]:
        return model.render_pair(prompts.answer(question.text), text)[1][:-1] if text else []

    begun, whole = ids(question.begun), ids(f"{question.begun} {question.answer}".strip())
    if not question.answer:
        return begun, []
    shared = next((at for at, id in enumerate(begun) if at >= len(whole) or whole[at] != id), len(begun))
    return begun[:shared], whole[shared:]


def _nats(
    reader: SessionReader, cache: Any, start: int, first: Tensor, answer: Sequence[int], votes: Votes | None
) -> float:
    """Mean loss of `answer` behind `cache`; `first` are the logits of its first token."""
    rows = [first]
    if len(answer) > 1:
        states: list[Tensor] = []
        given = torch.tensor([list(answer[:-1])], device=reader.device)
        with reader.head_inputs(states) if votes is not None else nullcontext():
            logits = reader.forward(cache, given, start)[0]
        rows += list(logits) if votes is None else map(votes.mixed, logits, states[0][0])
    told = torch.log_softmax(torch.stack([row.float() for row in rows]), dim=-1)
    return float(-told.gather(1, torch.tensor(list(answer), device=told.device)[:, None]).mean())
