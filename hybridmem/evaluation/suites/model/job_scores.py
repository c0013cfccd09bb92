"""How often a model does each memory job right, on the cases of `memory_jobs.evaluation_set`.

A case is judged by what it asks for, whatever its job is called: an answer is right as `metrics.is_correct` says, a
refusal if it is one, a list of facts if all are there and none besides, and a question if it makes the round trip.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hybridmem.evaluation.memory_jobs.case_generator import Case
from hybridmem.evaluation.suites.model.fact_scores import FactScores, fact_scores, same_facts
from hybridmem.evaluation.suites.model.round_trip import QUESTION_TOKENS, round_trips
from hybridmem.metrics import Proportion, is_correct, observed_proportion
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

ANSWER_TOKENS = 24
FACT_TOKENS = 64

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class JobScore:
    """One job: the share of its cases that are right."""

    right: Proportion | None
    memories: float
    """In the prompt, on average."""
    refused: Proportion | None
    """Of the cases that have an answer, those that were refused; None for jobs that have none."""


@dataclass(frozen=True, slots=True)
class JobScores:
    """All jobs, and what is counted across them."""

    jobs: dict[str, JobScore]
    refused_unanswerable: Proportion | None
    """Of the questions about memories that these do not answer: higher is better."""
    refused_answerable: Proportion | None
    """Of the questions about memories that these do answer: lower is better."""
    facts: FactScores
    question_round_trip: Proportion | None


@dataclass(frozen=True, slots=True)
class _Response:
    """A case, and what the model said to it."""

    case: Case
    said: str

    @property
    def prompt(self) -> str:
        return self.case.messages[-1]["content"]

    @property
    def lists_facts(self) -> bool:
        return self.prompt.startswith("Facts in: ")

    @property
    def asks(self) -> bool:
        return self.prompt.startswith("Question about: ")

    @property
    def memories(self) -> int:
        return self.prompt.count("\n- ") if self.prompt.startswith("Memories:\n") else 0

    @property
    def answerable(self) -> bool | None:
        """None where no answer is asked for."""
        return None if self.lists_facts or self.asks else not prompts.is_refusal(self.case.expected)

    @property
    def refused(self) -> bool:
        return prompts.is_refusal(self.said)

    @property
    def is_right(self) -> bool:
        if self.lists_facts:
            listed, wanted = prompts.parse_facts(self.said), prompts.parse_facts(self.case.expected)
            return same_facts(listed, wanted) if wanted else is_correct(self.said, self.case.expected)
        return self.refused if self.answerable is False else is_correct(self.said, self.case.expected)


def job_scores(
    model: LanguageModel,
    jobs: Mapping[str, Sequence[Case]],
    progress: Progress = lambda step, done, total: None,
) -> JobScores:
    """What `model` makes of the cases of `jobs`, greedily and in batches."""
    responses: dict[str, list[_Response]] = {}
    scores: dict[str, JobScore] = {}
    trips: list[bool] = []
    for done, (job, cases) in enumerate(jobs.items()):
        progress("jobs", done, len(jobs))
        responses[job] = _responses(model, cases)
        marks = [each.is_right for each in responses[job]]
        if any(each.asks for each in responses[job]):
            marks = _round_trips(model, responses[job])
            trips += marks
        scores[job] = JobScore(
            observed_proportion(marks),
            statistics.fmean(each.memories for each in responses[job]) if responses[job] else 0.0,
            observed_proportion(each.refused for each in responses[job] if each.answerable),
        )
    progress("jobs", len(jobs), len(jobs))
    everything = [each for some in responses.values() for each in some]
    read = [each for each in everything if each.memories]
    facts = [each for each in everything if each.lists_facts]
    return JobScores(
        scores,
        refused_unanswerable=observed_proportion(each.refused for each in read if each.answerable is False),
        refused_answerable=observed_proportion(each.refused for each in read if each.answerable),
        facts=fact_scores(
            [prompts.parse_facts(each.said) for each in facts],
            [prompts.parse_facts(each.case.expected) for each in facts],
        ),
        question_round_trip=observed_proportion(trips),
    )


def _responses(model: LanguageModel, cases: Sequence[Case]) -> list[_Response]:
    silent = [_Response(case, "") for case in cases]
    room = ANSWER_TOKENS
    if any(each.asks for each in silent):
        room = QUESTION_TOKENS
    elif any(each.lists_facts for each in silent):
        room = FACT_TOKENS
    said = model.generate([list(case.messages) for case in cases], max_new_tokens=room)
    return [_Response(case, generation.text.strip()) for case, generation in zip(cases, said, strict=True)]


def _round_trips(model: LanguageModel, responses: Sequence[_Response]) -> list[bool]:
    return round_trips(
        model,
        [each.prompt.partition(": ")[2] for each in responses],
        [each.case.expected for each in responses],
        [each.said for each in responses],
    )
