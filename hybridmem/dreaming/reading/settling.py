"""Propositions with their questions to facts, and what they do to the facts that are believed.

A newer proposition replaces an older fact when the reader, shown both in the order of time, answers the older one's
question with a value of the newer one; and not otherwise. It does so by taking the older one's slot: the ledger's
timeline does the rest. A denial ends a fact when the reader, shown both, knows no answer any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

from hybridmem.core.records import Fact, new_id
from hybridmem.core.text import moods
from hybridmem.core.text.dates import dates
from hybridmem.core.text.first_person import SPEAKER, THE_USER, asked_by_user
from hybridmem.core.text.kinds import of_one_kind
from hybridmem.core.text.subjects import names_subject
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.dreaming.reading.aboutness import nearest, speaks_to, subject_of
from hybridmem.dreaming.reading.agreement import agrees
from hybridmem.dreaming.reading.propositions import AT_ONCE, Proposition
from hybridmem.dreaming.reading.questions import Question, is_span
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.models import prompts, skills
from hybridmem.models.reader import Reader, Reading

CERTAIN = 1.0
"""Nats by which a question by grammar alone is preferred: "Who is the contact for Ana?" to "Who contacts Ana?"."""
Find = Callable[[str, int], Sequence[str]]
"""Ids of the memories that are most like a text, best first."""


@dataclass
class Settled:
    """What became of the propositions of a night, while they are read one after the other."""

    facts: list[Fact] = field(default_factory=list)
    """To put, in the order of time."""
    ended: dict[str, str] = field(default_factory=dict)
    """Ids of facts, those to put among them, that a denial ends, with the episode that denies each."""
    left_out: Counter[str] = field(default_factory=Counter)
    tokens: int = 0


def settle(
    reader: Reader,
    believed: Sequence[Proposition],
    denied: Sequence[Proposition],
    questions: Sequence[Question],
    standing: Sequence[Fact],
    settings: ReadingSettings,
    find: Find | None = None,
) -> Settled:
    """The facts of these propositions; `standing` are those that the ledger believes now. Writes nothing."""
    desk = _Desk(reader, {fact.id: fact for fact in standing}, settings, find)
    desk.derive(questions)
    asked: dict[int, list[Question]] = {}
    for question in questions:
        asked.setdefault(id(question.proposition), []).append(question)
    for proposition in sorted((*believed, *denied), key=lambda each: each.source.episode.at):
        if proposition.mood == "denied":
            desk.deny(proposition)
        else:
            desk.state(proposition, asked.get(id(proposition), []))
    return desk.settled


@dataclass
class _Desk:
    """The facts that are believed so far, and the reader that compares each new proposition with them."""

    reader: Reader
    current: dict[str, Fact]
    settings: ReadingSettings
    find: Find | None
    settled: Settled = field(default_factory=Settled)
    asked: dict[str, str] = field(default_factory=dict)
    """The question on each bare triple that was compared, by the fact's id; "" where the model found none."""
    triples: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """The triples that the model finds in each proposition, by its text."""

    def derive(self, questions: Sequence[Question]) -> None:
        """Ask for the triples of every proposition that has a question."""
        texts = list(dict.fromkeys(question.proposition.text for question in questions))
        for start in range(0, len(texts), AT_ONCE):
            batch = texts[start : start + AT_ONCE]
            said = self.reader.generate([prompts.facts(text) for text in batch], max_new_tokens=72)
            self.settled.tokens += sum(each.prompt_tokens + each.tokens for each in said)
            self.triples |= {text: prompts.parse_facts(each.text) for text, each in zip(batch, said, strict=True)}

    def state(self, proposition: Proposition, questions: Sequence[Question]) -> None:
        """Add the facts of a believed `proposition`."""
        made = [self._in_slot(proposition, older, value) for older, value in self._answered_anew(proposition)]
        for question in _best_of_each_answer(questions)[: self.settings.facts]:
            if any(agrees(fact.object, question.answer, proposition.source.episode.at.date()) for fact in made):
                continue
            fact = self._with_question(question)
            if any(other.slot == fact.slot and other.object != fact.object for other in self.current.values()):
                # The question is one that an older fact answers, and the reader does not take this for its new answer.
                self.settled.left_out["ambiguous"] += 1
                continue
            made.append(fact)
        for fact in made:
            for id, other in list(self.current.items()):
                if other.slot == fact.slot and other.valid_from <= fact.valid_from:
                    del self.current[id]
            self.current[fact.id] = fact
        self.settled.facts += made

    def deny(self, proposition: Proposition) -> None:
        """End the facts whose value a denial names, where nothing answers their question any more."""
        source = proposition.source
        if not source.is_users:
            return
        concerned = [
            fact
            for fact in self._candidates(proposition)
            if fact.valid_from <= source.episode.at
            and contains_words(normalised(proposition.text), fact.object)
            and fact.id not in self.settled.ended
        ]
        questions = [self._question_of(fact) for fact in concerned]
        said = self._read(
            [(question, [_line(fact), source.line]) for fact, question in zip(concerned, questions, strict=True)]
        )
        for fact, question, answer in zip(concerned, questions, said, strict=True):
            if question and speaks_to(question, proposition.text) and prompts.is_refusal(answer.text):
                self.settled.ended[fact.id] = source.episode.id
                self.current.pop(fact.id, None)

    def _answered_anew(self, proposition: Proposition) -> list[tuple[Fact, str]]:
        """The current facts whose questions `proposition` answers, each with the answer: another one where it replaces
        the fact, an equal one where it says the same again."""
        said_on = proposition.source.episode.at.date()
        asked = [
            (fact, question)
            for fact in self._candidates(proposition)
            # What was only meant or tried leaves what is so as it is.
            if not moods.is_unfulfilled(proposition.text) or moods.is_unfulfilled(fact.text)
            if (question := self._question_of(fact)) and speaks_to(question, proposition.text)
        ]
        alone = self._read([(question, [proposition.text]) for _, question in asked])
        together = self._read([(question, _in_time(fact, proposition)) for fact, question in asked])
        answered: list[tuple[Fact, str, str]] = []
        for (fact, question), own, both in zip(asked, alone, together, strict=True):
            value = own.text.strip(" .")
            if prompts.is_refusal(value) or not is_span(value, proposition.text) or not of_one_kind(fact.object, value):
                continue
            last = fact.object if fact.valid_from > proposition.source.episode.at else value
            if agrees(both.text, last, said_on):
                answered.append((fact, question, value))
        # "Size 43, I wrongly ordered 42" has a proposition on 42, and is no word of a size 42.
        message = [*proposition.source.before, proposition.source.line]
        told = self._read([(question, message) for _, question, _ in answered])
        return [
            (fact, fact.object if agrees(value, fact.object, said_on) else value)
            for (fact, _, value), whole in zip(answered, told, strict=True)
            if agrees(whole.text, value, said_on)
        ]

    def _candidates(self, proposition: Proposition) -> list[Fact]:
        among = [(fact, f"{fact.text} {fact.question}") for fact in self.current.values() if not fact.quarantined]
        limit = self.settings.candidates
        found = self.find(proposition.text, 2 * limit) if self.find else ()
        near = [self.current[id] for id in found if id in self.current and not self.current[id].quarantined]
        return list(
            {fact.id: fact for fact in (*near[: limit // 2], *nearest(proposition.text, among, limit))}.values()
        )[:limit]

    def _question_of(self, fact: Fact) -> str:
        if fact.question:
            return fact.question
        if fact.id not in self.asked:
            (completion,) = self.reader.generate([skills.question(self.reader, fact.text)], max_new_tokens=48)
            self.settled.tokens += completion.prompt_tokens + completion.tokens
            pair = prompts.parse_question(completion.text)
            fits = pair is not None and agrees(pair[1], fact.object, fact.valid_from.date())
            self.asked[fact.id] = asked_by_user(pair[0]) if pair and fits else ""
        return self.asked[fact.id]

    def _read(self, asked: Sequence[tuple[str, list[str]]]) -> Sequence[Reading]:
        said = self.reader.generate([prompts.answer(question, lines) for question, lines in asked])
        self.settled.tokens += sum(answer.prompt_tokens + answer.tokens for answer in said)
        return said

    def _in_slot(self, proposition: Proposition, older: Fact, value: str) -> Fact:
        """The fact that `proposition` gives the slot of `older`."""
        return replace(
            _fact(proposition, older.question, value, older.subject, older.relation), question=older.question
        )

    def _with_question(self, question: Question) -> Fact:
        subject, relation = self._triple(question)
        return _fact(question.proposition, question.text, question.answer, subject, relation)

    def _triple(self, question: Question) -> tuple[str, str]:
        """Subject and relation for people and the graph, in the text's own words where the model finds them."""
        text = question.proposition.text
        for subject, relation, object in self.triples.get(text, ()):
            if not agrees(object, question.answer, question.proposition.source.episode.at.date()):
                continue
            subject = SPEAKER if normalised(subject) in {normalised(THE_USER), "i"} else subject
            if names_subject(question.text, subject, plural=False) and (
                subject == SPEAKER or contains_words(normalised(text), subject)
            ):
                return subject, relation
        return subject_of(question.text, text), question.text


def _fact(proposition: Proposition, question: str, answer: str, subject: str, relation: str) -> Fact:
    episode = proposition.source.episode
    return Fact(
        id=new_id("fa"),
        namespace=episode.namespace,
        subject=subject,
        relation=relation,
        object=answer,
        text=proposition.text,
        valid_from=episode.at,
        valid_to=_end_of_plan(proposition),
        sources=(episode.id,),
        trust=episode.trust,
        question=question,
    )


def _end_of_plan(proposition: Proposition) -> datetime | None:
    """The end of the last day that a plan names; None for anything else."""
    if proposition.mood != "planned":
        return None
    last = max(dates(proposition.text), default=None)
    if last is None:
        return None
    ends = datetime.combine(last, time(), UTC) + timedelta(days=1)
    return ends if ends > proposition.source.episode.at else None


def _best_of_each_answer(questions: Sequence[Question]) -> list[Question]:
    """The most probable question for each distinct answer, most probable first."""
    ranked = sorted(questions, key=lambda question: -question.logprob - CERTAIN * question.is_certain)
    best: dict[str, Question] = {}
    for question in ranked:
        best.setdefault(normalised(question.answer), question)
    return list(best.values())


def _in_time(fact: Fact, proposition: Proposition) -> list[str]:
    lines = [(fact.valid_from, _line(fact)), (proposition.source.episode.at, proposition.line)]
    return [line for _, line in sorted(lines, key=lambda each: each[0])]


def _line(fact: Fact) -> str:
    return prompts.memory(fact.text, at=fact.valid_from)
