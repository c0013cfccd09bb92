"""Propositions to questions whose answers are spans of them, each checked by reading.

A question is kept when the proposition alone gives its answer, the message gives the same, and nothing that was said
before gives another; and when it names what it asks of. What passes is both a fact's slot and an exercise for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from hybridmem.core.records import Episode
from hybridmem.core.text.first_person import asked_by_user
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.dreaming.reading import turned
from hybridmem.dreaming.reading.aboutness import asks_of_its_subject, is_about
from hybridmem.dreaming.reading.agreement import answers
from hybridmem.dreaming.reading.propositions import Proposition
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.dreaming.reading.source import MAX_CHARACTERS, Source
from hybridmem.dreaming.reading.unsaid import unsaid
from hybridmem.models import prompts, skills
from hybridmem.models.base import LanguageModel
from hybridmem.models.reader import Reader

LONGEST_ANSWER = 10
"""Words of an answer, at most: a longer one is a sentence, not a value."""

Neighbours = Callable[[Source], Sequence[Episode]]
"""Other messages, said no later, that might answer a question about this one."""


@dataclass(frozen=True)
class Question:
    """A question that a proposition answers with a span of its own."""

    proposition: Proposition
    written: str
    """As the model wrote it."""
    text: str
    """As the user would ask it."""
    answer: str
    logprob: float = 0.0
    """The model's log-probability of the question; 0 from a reader that tells none."""
    is_certain: bool = False
    """Whether grammar alone made it of the proposition."""


@dataclass(frozen=True)
class Questions:
    """The questions on some propositions, and what was left out."""

    kept: tuple[Question, ...]
    left_out: Counter[str]
    """How many were left out, by the check that they failed."""
    tokens: int


@dataclass(frozen=True)
class _Draft:
    """A question with its answer as it was written, and how probable it is to the model."""

    text: str
    answer: str
    logprob: float
    tokens: int
    is_certain: bool = False
    """Whether grammar alone made it."""

    @property
    def nats(self) -> float:
        """What it costs, a token."""
        return -self.logprob / max(1, self.tokens)


def write(reader: Reader, propositions: Sequence[Proposition], settings: ReadingSettings, seed: int) -> Questions:
    """Distinct questions on `propositions`, each with a span as its answer, that name what they ask of.

    The reader writes them; where it is small, grammar alone gives more of them."""
    left_out: Counter[str] = Counter()
    distinct: dict[tuple[int, str], Question] = {}
    small = skills.trained_for(reader, "propositions")
    written, tokens = _drafts(reader, propositions, settings, seed)
    if small and skills.samples(reader):
        written = [*_turned(cast(LanguageModel, reader), propositions), *written]
    for place, draft in written:
        proposition = propositions[place]
        asked, answer = asked_by_user(draft.text), draft.answer.strip(" .")
        question = Question(proposition, draft.text, asked, answer, draft.logprob, draft.is_certain)
        max_nats = settings.max_turned_nats if draft.is_certain else settings.max_question_nats
        if not is_span(question.answer, proposition.text):
            left_out["no_span"] += 1
        elif contains_words(normalised(question.text), question.answer):
            left_out["tells_answer"] += 1
        elif not is_about(question.text, proposition.text):
            left_out["about_nothing"] += 1
        elif small and not asks_of_its_subject(question.text, question.answer, proposition.text):
            left_out["about_another"] += 1
        elif small and draft.nats > settings.max_unsaid_nats and unsaid(question.text, proposition.words):
            left_out["asks_unsaid"] += 1
        elif small and draft.nats > max_nats:
            left_out["improbable"] += 1
        else:
            distinct.setdefault((place, normalised(question.text)), question)
    return Questions(tuple(distinct.values()), left_out, tokens)


def _drafts(
    reader: Reader, propositions: Sequence[Proposition], settings: ReadingSettings, seed: int
) -> tuple[list[tuple[int, _Draft]], int]:
    """What the reader writes about each proposition, by the proposition's place, and the tokens used."""
    drawn = settings.samples if skills.samples(reader) else 0
    places = [*range(len(propositions))]
    sampled = [place for place in places for _ in range(drawn)]
    completions = [*reader.generate([skills.question(reader, each.text) for each in propositions], max_new_tokens=48)]
    if drawn:
        completions += reader.generate(  # type: ignore[call-arg]
            [skills.question(reader, propositions[place].text) for place in sampled],
            max_new_tokens=48,
            temperature=settings.temperature,
            seed=seed,
        )
    written = [
        (place, _Draft(*pair, getattr(completion, "logprob", 0.0), completion.tokens))
        for place, completion in zip([*places, *sampled], completions, strict=True)
        if (pair := prompts.parse_question(completion.text))
    ]
    return written, sum(completion.prompt_tokens + completion.tokens for completion in completions)


def _turned(model: LanguageModel, propositions: Sequence[Proposition]) -> list[tuple[int, _Draft]]:
    """The questions that grammar alone gives, each as probable as `model` finds it."""
    written = [(place, *pair) for place, each in enumerate(propositions) for pair in turned.asked(each.text)]
    figures = model.logprobs(
        [skills.question(model, propositions[place].text) for place, *_ in written],
        [f"{question}{prompts.SEPARATOR}{answer}" for _, question, answer in written],
    )
    return [
        (place, _Draft(question, answer, sum(logprobs), len(logprobs), is_certain=True))
        for (place, question, answer), logprobs in zip(written, figures, strict=True)
    ]


def check(reader: Reader, questions: Sequence[Question], neighbours: Neighbours) -> Questions:
    """Those of `questions` whose answers reading confirms."""
    left_out: Counter[str] = Counter()
    tokens = 0
    kept = list(questions)
    for reason, lines in (
        ("not_in_proposition", lambda each: [each.proposition.text]),
        ("not_in_message", lambda each: [*each.proposition.source.before, each.proposition.source.line]),
    ):
        before = len(kept)
        kept, cost = _answered(reader, kept, lines)
        tokens += cost
        left_out[reason] += before - len(kept)
    before = len(kept)
    kept, cost = _alone(reader, kept, neighbours)
    left_out["ambiguous"] += before - len(kept)
    return Questions(tuple(kept), +left_out, tokens + cost)


def is_span(answer: str, text: str) -> bool:
    """Whether `answer` is a few words of `text`."""
    return 0 < len(answer.split()) <= LONGEST_ANSWER and contains_words(normalised(text), answer)


def _answered(
    reader: Reader, questions: Sequence[Question], lines: Callable[[Question], list[str]]
) -> tuple[list[Question], int]:
    """Those that reading `lines` answers as they say, and the tokens used."""
    said = reader.generate([prompts.answer(each.text, lines(each)) for each in questions])
    kept = [each for each, answer in zip(questions, said, strict=True) if _gives(each, answer.text)]
    return kept, sum(answer.prompt_tokens + answer.tokens for answer in said)


def _alone(reader: Reader, questions: Sequence[Question], neighbours: Neighbours) -> tuple[list[Question], int]:
    """Those that no neighbour answers otherwise, or whose message, read behind them, still gives its own answer: it
    then says what changed."""
    around = [[_line(each) for each in neighbours(question.proposition.source)] for question in questions]
    alone = [number for number, lines in enumerate(around) if lines]
    said = reader.generate([prompts.answer(questions[number].text, around[number]) for number in alone])
    tokens = sum(answer.prompt_tokens + answer.tokens for answer in said)
    doubted = {
        number
        for number, answer in zip(alone, said, strict=True)
        if not prompts.is_refusal(answer.text) and not _gives(questions[number], answer.text)
    }
    again = sorted(doubted)
    asked = [
        prompts.answer(questions[number].text, [*around[number], questions[number].proposition.source.line])
        for number in again
    ]
    said = reader.generate(asked)
    tokens += sum(answer.prompt_tokens + answer.tokens for answer in said)
    doubted -= {number for number, answer in zip(again, said, strict=True) if _gives(questions[number], answer.text)}
    return [question for number, question in enumerate(questions) if number not in doubted], tokens


def _gives(question: Question, said: str) -> bool:
    return answers(said, question.answer, question.proposition.source.episode.at.date())


def _line(episode: Episode) -> str:
    return prompts.memory(episode.text[:MAX_CHARACTERS], speaker=episode.speaker, at=episode.at)
