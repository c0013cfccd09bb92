"""What a reader can do: which memory jobs it was trained for, and whether it follows worked examples.

A reader that was trained for a job gets the bare prompt. Any other model that follows instructions gets worked examples
before it. The small bundled base can do neither for a job that it was not trained for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from hybridmem.models import prompts
from hybridmem.models.jobs import Job
from hybridmem.models.prompts import Example, Message
from hybridmem.models.reader import Reader

FILE = Path(__file__).with_name("worked_examples.toml")


def trained_for(reader: Reader, job: Job) -> bool:
    """Whether `reader` was trained for `job`: it says so in its attribute `jobs`."""
    return job in getattr(reader, "jobs", ())


def supports(reader: Reader, job: Job) -> bool:
    """Whether `reader` can do `job`: trained for it, or by worked examples (its attribute `follows_examples`)."""
    return trained_for(reader, job) or bool(getattr(reader, "follows_examples", False))


def propositions(
    reader: Reader, text: str, *, speaker: str | None, at: datetime | None, before: Sequence[str] = ()
) -> list[Message]:
    """`prompts.propositions` in the form that `reader` needs."""
    shown = worked_examples().propositions if _needs_examples(reader, "propositions") else ()
    return prompts.propositions(text, speaker=speaker, at=at, before=before, examples=shown)


def question(reader: Reader, text: str) -> list[Message]:
    """`prompts.question` in the form that `reader` needs."""
    shown = worked_examples().questions if _needs_examples(reader, "question") else ()
    return prompts.question(text, examples=shown)


def questions(reader: Reader, text: str, answer: str, count: int, *, other_than: Sequence[str] = ()) -> list[Message]:
    """`prompts.questions` in the form that `reader` needs. No model was trained for this job."""
    shown = worked_examples().several if _needs_examples(reader, "propositions") else ()
    return prompts.questions(text, answer, count, other_than=other_than, examples=shown)


def samples(reader: Reader) -> bool:
    """Whether `reader` gives other completions of one prompt at another temperature: a `LanguageModel` does."""
    return hasattr(reader, "logprobs")


def _needs_examples(reader: Reader, job: Job) -> bool:
    return supports(reader, job) and not trained_for(reader, job)


@dataclass(frozen=True, slots=True)
class WorkedExamples:
    """The examples of ``worked_examples.toml``, as a prompt shows them."""

    propositions: tuple[Example, ...]
    questions: tuple[Example, ...]
    several: tuple[Example, ...]


@cache
def worked_examples() -> WorkedExamples:
    """Read once, when a model without the skills is first asked."""
    given = tomllib.loads(FILE.read_text("utf-8"))
    return WorkedExamples(
        tuple(
            (
                prompts.propositions(
                    each["text"],
                    speaker=None if each["speaker"] == "user" else each["speaker"],
                    at=each["at"],
                    before=each.get("before", ()),
                )[-1]["content"],
                "\n".join(each["says"]) or prompts.NO_FACTS,
            )
            for each in given["propositions"]
        ),
        tuple(
            (prompts.question(each["text"])[-1]["content"], f"{each['question']}{prompts.SEPARATOR}{each['answer']}")
            for each in given["question"]
        ),
        tuple(
            (
                prompts.questions(each["text"], each["answer"], len(each["questions"]))[-1]["content"],
                "\n".join(f"{asked}{prompts.SEPARATOR}{each['answer']}" for asked in each["questions"]),
            )
            for each in given["questions"]
        ),
    )
