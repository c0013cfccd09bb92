"""A question that no single memory answers, in two steps: who it describes, and what it asks of them.

Each step is a question that the router answers for itself, from the weights or from the memories. The second is asked
only where the first is answered, so that a guess is never built on a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hybridmem.core.records import Answer
from hybridmem.core.text.descriptions import Description, description
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.core.text.topics import topic
from hybridmem.models import prompts
from hybridmem.router.second_look import same

Ask = Callable[[Sequence[str]], list[Answer]]
"""Answers questions each by its best route, in one step."""


@dataclass(frozen=True, slots=True)
class TwoSteps:
    """A question that was asked in two steps."""

    first: str
    described: Answer
    second: str
    answer: Answer
    """To the whole question."""


def in_two_steps(
    questions: Sequence[str], shown: Sequence[Sequence[str]], answers: Sequence[Answer], threshold: float, ask: Ask
) -> list[TwoSteps | None]:
    """What `ask` answers in two steps to those of `questions` that their `answers` do not settle: refusals, and those
    that name whom the question describes instead of what it asks of them. `shown` are the memories for each.

    An answer is right where both steps are; less likely than `threshold`, it is not given."""
    described = {
        number: found
        for number, (question, memories) in enumerate(zip(questions, shown, strict=True))
        if (found := description(question, memories)) is not None
        if not _answers(answers[number]) or _may_be_described(answers[number].text, found, memories)
    }
    asked = ask([found.question for found in described.values()]) if described else []
    firsts = dict(zip(described, asked, strict=True))
    open_still = {
        number: found
        for number, found in described.items()
        if _answers(firsts[number])
        and (not _answers(answers[number]) or same(answers[number].text, firsts[number].text))
    }
    seconds = [found.of(firsts[number].text) for number, found in open_still.items()]
    steps: list[TwoSteps | None] = [None] * len(questions)
    for (number, found), second, answer in zip(
        open_still.items(), seconds, ask(seconds) if seconds else [], strict=True
    ):
        whole = _joined(answers[number], firsts[number], answer, threshold)
        steps[number] = TwoSteps(found.question, firsts[number], second, whole)
    return steps


def why(steps: TwoSteps) -> str:
    """Why the answer is what it is, in one sentence."""
    first = f"No single memory says, so it was asked in two steps: “{steps.first}” gives “{steps.described.text}”"
    if not _answers(steps.answer):
        return f"{first}, and “{steps.second}” is not known well enough."
    return f"{first}, and “{steps.second}” the answer; that both are right is {steps.answer.confidence:.0%} likely."


def _may_be_described(answer: str, found: Description, memories: Sequence[str]) -> bool:
    """Whether a memory that gives `answer` speaks of what is described, and of nothing that is asked of it. Most
    answers need no second look."""
    described, asked = topic(found.question), topic(found.of(""))
    return any(
        contains_words(normalised(memory), normalised(answer)) and said & described and not said & asked
        for memory in memories
        for said in [topic(memory)]
    )


def _joined(direct: Answer, first: Answer, second: Answer, threshold: float) -> Answer:
    tokens = direct.prompt_tokens + first.prompt_tokens + second.prompt_tokens
    seconds = direct.seconds + first.seconds + second.seconds
    confidence = first.confidence * second.confidence
    if not _answers(second) or same(second.text, first.text) or confidence < threshold:
        doubt = 1 - confidence if _answers(second) else second.confidence
        return replace(
            direct,
            text=prompts.REFUSAL,
            route="abstain",
            confidence=doubt,
            adapter=None,
            prompt_tokens=tokens,
            seconds=seconds,
        )
    return replace(
        second,
        route=second.route if second.route == first.route else "both",
        confidence=confidence,
        evidence=tuple({hit.id: hit for hit in (*second.evidence, *first.evidence)}.values()),
        adapter=second.adapter or first.adapter,
        prompt_tokens=tokens,
        seconds=seconds,
    )


def _answers(answer: Answer) -> bool:
    return answer.route != "abstain"
