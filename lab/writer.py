"""Writes the training documents: one method a job."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import smalltalk, values
from hybridmem.evaluation.memory_jobs.attribution_questions import AttributionQuestions
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.fact_generator import Fact, FactGenerator
from hybridmem.evaluation.memory_jobs.known_world import KnownWorld
from hybridmem.evaluation.memory_jobs.open_relations import OpenFact
from hybridmem.evaluation.memory_jobs.open_relations import draw as draw_open
from hybridmem.evaluation.memory_jobs.relations import Relation
from hybridmem.evaluation.memory_jobs.scenes import (
    LONGEST_PROMPT,
    Asked,
    Scene,
    SceneWriter,
    estimated_tokens,
    user_part,
)
from hybridmem.evaluation.memory_jobs.sentences import capitalised
from hybridmem.models import prompts
from hybridmem.models.prompts import Message
from lab.real_text import RealText

Document = list[Message] | str
"""A chat (user and assistant in turn, no system message), or plain text."""

_Exchange = tuple[str, str]

_TEMPLATE_TOKENS = 3
"""What the chat template adds to an exchange: who speaks, twice, and the end of the answer."""

_OPEN_SHARE = 0.3
"""The share of facts that no relation covers."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """The weights of the jobs among the documents, and how long a document may be."""

    read: float = 44
    real_text: float = 9
    closed_book: float = 4
    world_paraphrase: float = 0.5
    facts: float = 20
    question: float = 14
    paraphrase: float = 2
    chat: float = 1
    general: float = 6
    tokens: int = 365
    """The bound of a chat, by `estimated_tokens`, whose error is about 10."""
    refusals: float = 0.22
    """The share of the questions about memories that they do not answer."""
    sayings: float = 0.14
    """The share of the questions that ask who said something, when, or whether it is so."""


class Writer:
    """Training documents, one method a job."""

    def __init__(self, rng: Random, relations: tuple[Relation, ...], mixture: Mixture) -> None:
        self._rng, self._mixture = rng, mixture
        self._generator = FactGenerator(rng, relations)
        self._scenes = SceneWriter(self._generator)
        self._sayings = AttributionQuestions(self._generator, new_forms=False)
        self._world = KnownWorld(self._generator)

    def read(self) -> Document:
        rng, scenes, casually = self._rng, self._scenes, self._generator.casually
        lines = rng.choices(range(1, 13), weights=(14, 11, 12, 13, 10, 9, 7, 6, 5, 5, 4, 4))[0]
        scene = scenes.scene(lines, tokens=LONGEST_PROMPT - 40, open_share=_OPEN_SHARE)
        if not (scene.facts or scene.opened) or sum(map(estimated_tokens, scene.lines)) > LONGEST_PROMPT:
            return self.read()
        left: list[Fact | OpenFact] = [*scene.facts, *scene.opened]
        rng.shuffle(left)
        exchanges: list[_Exchange] = []
        while left and len(exchanges) < 9:
            asked = self._special(scene)
            if asked is None:
                fact = left.pop()
                asked = scenes.ask(scene, fact) if isinstance(fact, Fact) else scenes.ask_open(scene, fact)
            question = casually(asked[0])
            messages = prompts.answer(question, () if exchanges else scene.lines)
            exchanges.append((user_part(messages), asked[1]))
        return self._chat(exchanges)

    def _special(self, scene: Scene) -> Asked | None:
        """A question that the memories do not answer, or one about a saying; None for an ordinary one."""
        way, sayings = self._rng.random(), self._sayings
        # Some tries find nothing to ask, so a few more are made.
        if way < 1.25 * self._mixture.refusals:
            return self._scenes.ask_unanswerable(scene)
        if way > 1 - 1.4 * self._mixture.sayings:
            ask = sayings.who if scene.speakers and way < 0.9 else sayings.when if scene.dates else sayings.whether
            return ask(scene) if scene.speakers or scene.dates or way > 0.9 else None
        return None

    def real_text(self, text: RealText) -> Document:
        """Memories and questions of real text."""
        drawn = None
        while drawn is None:
            drawn = text.exchanges(self._rng)
        lines, asked = drawn
        casually = self._generator.casually
        return self._chat(
            [
                (user_part(prompts.answer(casually(question), () if at else lines)), answer)
                for at, (question, answer) in enumerate(asked)
            ]
        )

    def closed_book(self) -> Document:
        exchanges = []
        for _ in range(self._rng.randint(3, 6)):
            if self._rng.random() < 0.5:
                fact = any_of(self._rng, self._world.facts)
                answer = fact.value
            else:
                fact, answer = self._world.unknown(), prompts.REFUSAL
                if fact.relation.subject == "person" and self._rng.random() < 0.1:
                    fact = Fact(SPEAKER, fact.relation, "")
            exchanges.append((user_part(prompts.answer(self._generator.casually(self._generator.ask(fact)))), answer))
        return self._chat(exchanges)

    def world_paraphrase(self) -> Document:
        facts = self._rng.sample(self._world.facts, self._rng.randint(2, 4))
        return self._chat([self._reworded(fact) for fact in facts])

    def paraphrase(self) -> Document:
        return self._chat([self._reworded(self._any_fact()) for _ in range(self._rng.randint(2, 4))])

    def facts(self) -> Document:
        exchanges = []
        for _ in range(self._rng.randint(3, 6)):
            way = self._rng.random()
            if way < 0.2:
                text, answer = self._generator.no_fact(), prompts.NO_FACTS
            elif way < 0.3:
                text, answer = self._labelled()
            elif way < 0.3 + 0.65 * _OPEN_SHARE:
                opened = draw_open(self._rng)
                text = self._generator.in_small_talk(opened.statement) if self._rng.random() < 0.3 else opened.statement
                answer = prompts.SEPARATOR.join((opened.subject, opened.relation, opened.value))
            else:
                text, stated = self._statement()
                answer = "\n".join(fact.line for fact in stated)
            exchanges.append((user_part(prompts.facts(text)), answer))
        return self._chat(exchanges)

    def _labelled(self) -> _Exchange:
        """What somebody says of himself behind his name, and the fact of that name."""
        generator = self._generator
        fact = generator.told_by_speaker()
        if fact is None:
            return generator.no_fact(), prompts.NO_FACTS
        name = values.first_name(self._rng) if self._rng.random() < 0.7 else values.person(self._rng)
        said = generator.as_said_by(fact)
        text = generator.in_small_talk(said) if self._rng.random() < 0.3 else said
        return f"{name}: {capitalised(text)}", Fact(name, fact.relation, fact.value).line

    def question(self) -> Document:
        exchanges = []
        for _ in range(self._rng.randint(3, 6)):
            if self._rng.random() < _OPEN_SHARE:
                exchanges.append(self._open_question())
                continue
            fact = self._any_fact()
            text = self._generator.state(fact)
            if self._rng.random() < 0.25:
                text = self._generator.in_small_talk(text)
            asked, answer = self._generator.ask(fact), fact.value
            if fact.relation.train.reverse_questions and fact.subject != SPEAKER and self._rng.random() < 0.2:
                asked, answer = self._generator.ask_reverse(fact.relation, fact.value), fact.subject
            exchanges.append((user_part(prompts.question(text)), f"{asked}{prompts.SEPARATOR}{answer}"))
        return self._chat(exchanges)

    def _open_question(self) -> _Exchange:
        fact = draw_open(self._rng)
        text, asked, answer = fact.statement, any_of(self._rng, fact.questions), fact.value
        if fact.reverse_question and fact.subject != SPEAKER and self._rng.random() < 0.2:
            asked, answer = fact.reverse_question, fact.subject
        if self._rng.random() < 0.25:
            text = self._generator.in_small_talk(text)
        return user_part(prompts.question(text)), f"{asked}{prompts.SEPARATOR}{answer}"

    def chat(self) -> Document:
        """Small talk, and statements that somebody wants remembered, which are acknowledged in a word or two."""
        rng = self._rng
        stated = [(self._any_statement(), any_of(rng, smalltalk.ACKNOWLEDGEMENTS)) for _ in range(rng.randint(1, 3))]
        exchanges = [*stated, *rng.sample(smalltalk.CHAT, rng.randint(1, 2))]
        rng.shuffle(exchanges)
        return self._chat(exchanges)

    def _any_statement(self) -> str:
        text = draw_open(self._rng).statement if self._rng.random() < _OPEN_SHARE else self._statement()[0]
        return self._generator.in_small_talk(text) if self._rng.random() < 0.3 else text

    def _any_fact(self) -> Fact:
        spoken = self._generator.told_by_speaker() if self._rng.random() < 0.2 else None
        return spoken or self._generator.fact()

    def _reworded(self, fact: Fact) -> _Exchange:
        said = self._generator.state(fact)
        while (other := self._generator.state(fact)) == said:
            pass
        return user_part(prompts.paraphrase(said)), other

    def _statement(self) -> tuple[str, list[Fact]]:
        """A message and the facts that it states."""
        rng, generator = self._rng, self._generator
        fact = self._any_fact()
        stated = [fact]
        way = rng.random()
        if way < 0.17 and generator.can_update(fact):
            fact = generator.updated(fact)
            text, stated = (generator.correct(fact) if rng.random() < 0.25 else generator.update(fact)), [fact]
        elif way < 0.35:
            second = self._another(fact)
            stated.append(second)
            text = generator.state_two(fact, second)
            if way < 0.22:
                third = self._another(second)
                if third.subject != fact.subject:
                    stated.append(third)
                    text = (
                        f"{text} {generator.state(third)}" if text[-1] in ".!?" else f"{text}. {generator.state(third)}"
                    )
        else:
            text = generator.state(fact)
        return (generator.in_small_talk(text) if rng.random() < 0.35 else text), stated

    def _another(self, fact: Fact) -> Fact:
        """A fact to tell along with `fact`: of the same subject, or of another."""
        generator = self._generator
        if self._rng.random() < 0.6:
            relation = generator.relation_of(fact.relation.subject)
            if not generator.alike(relation, fact.relation):
                return generator.fact(relation, fact.subject)
        other = generator.fact()
        while other.subject == fact.subject:
            other = generator.fact()
        return other

    def _chat(self, exchanges: list[_Exchange]) -> Document:
        """The exchanges as messages, as many as the bound leaves room for and at least one."""
        messages: list[Message] = []
        room: float = self._mixture.tokens
        for user, assistant in exchanges:
            room -= estimated_tokens(user) + estimated_tokens(assistant) + _TEMPLATE_TOKENS
            if room < 0 and messages:
                break
            messages.append({"role": "user", "content": user})
            messages.append({"role": "assistant", "content": assistant})
        return messages
