"""The training documents of the bundled base: chats that do the memory jobs, and some general text.

The same seed gives the same documents. `evaluation_set` asks for the same jobs in forms, names and values that
`stream` never shows; `world` is the fixed set of facts that the weights are to know without memories.

    >>> next(stream(1, None)) == next(stream(1, None))
    True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

from hybridmem.models import prompts
from hybridmem.models.prompts import Message
from hybridmem.pretraining import smalltalk
from hybridmem.pretraining.drawing import any_of
from hybridmem.pretraining.general_text import GeneralText
from hybridmem.pretraining.open_relations import OpenFact
from hybridmem.pretraining.open_relations import draw as draw_open
from hybridmem.pretraining.real_text import RealText
from hybridmem.pretraining.relations import Relation, load
from hybridmem.pretraining.sayings import Sayings
from hybridmem.pretraining.scenes import Asked, Scene, SceneWriter, estimated_tokens
from hybridmem.pretraining.teller import SPEAKER, Fact, Teller, world

__all__ = ["Case", "Document", "Fact", "Mixture", "evaluation_set", "stream", "world"]

Document = list[Message] | str
"""A chat (user and assistant in turn, no system message), or plain text."""

_Exchange = tuple[str, str]

_TEMPLATE_TOKENS = 3
"""What the chat template adds to an exchange: who speaks, twice, and the end of the answer."""

_LONGEST_CASE = 320
"""Tokens of a prompt that surely leave room in 384 for the answer."""

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


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation prompt, the completion that is expected, and the kind of value that it is about."""

    messages: tuple[Message, ...]
    expected: str
    kind: str


def stream(
    seed: int,
    text_folder: Path | None,
    relations: tuple[Relation, ...] | None = None,
    mixture: Mixture | None = None,
) -> Iterator[Document]:
    """Endless documents, the same for the same arguments; without `text_folder` none is of real text."""
    rng = Random(seed)  # noqa: S311
    mixture = mixture or Mixture()
    writer = _Writer(rng, relations or load(), mixture)
    jobs: dict[Callable[[], Document], float] = {
        writer.read: mixture.read,
        writer.closed_book: mixture.closed_book,
        writer.world_paraphrase: mixture.world_paraphrase,
        writer.facts: mixture.facts,
        writer.question: mixture.question,
        writer.paraphrase: mixture.paraphrase,
        writer.chat: mixture.chat,
    }
    if text_folder is not None:
        text = GeneralText(text_folder)
        real = RealText(text_folder, text_folder.parent / "squad_dev" / "squad_dev.json")
        jobs[lambda: text.chunk(rng)] = mixture.general
        jobs[lambda: writer.real_text(real)] = mixture.real_text
    makers, bounds = list(jobs), list(accumulate(jobs.values()))
    while True:
        yield rng.choices(makers, cum_weights=bounds)[0]()


def evaluation_set(
    seed: int, per_job: int = 200, relations: tuple[Relation, ...] | None = None, *, known_forms: bool = False
) -> dict[str, list[Case]]:
    """`per_job` cases for each job, about held-out names, in held-out forms unless they are to be `known_forms`.

    Only the world's facts keep their names."""
    examiner = _Examiner(Random(seed), relations or load(), known_forms)  # noqa: S311
    jobs: dict[str, Callable[[], Case | None]] = {
        "read_1": lambda: examiner.read(1),
        "read_4": lambda: examiner.read(4),
        "read_6": lambda: examiner.read(6),
        "read_8": lambda: examiner.read(8),
        "read_12": lambda: examiner.read(12),
        "read_updates": lambda: examiner.read(5, updates=True),
        "read_open": lambda: examiner.read_open(4),
        "read_unanswerable": lambda: examiner.read_unanswerable(4),
        "who_said": lambda: examiner.saying(4, examiner.sayings.who),
        "when_said": lambda: examiner.saying(4, examiner.sayings.when),
        "yes_no": lambda: examiner.saying(4, examiner.sayings.whether),
        "closed_world": examiner.closed_world,
        "closed_unknown": examiner.closed_unknown,
        "facts": examiner.facts,
        "no_facts": examiner.no_facts,
        "question": examiner.question,
    }
    return {job: _several(make, per_job) for job, make in jobs.items()}


def _several(make: Callable[[], Case | None], count: int) -> list[Case]:
    cases: list[Case] = []
    while len(cases) < count:
        case = make()
        if case is not None:
            cases.append(case)
    return cases


def _prompt(messages: list[Message]) -> str:
    """The user's part of a job: the bundled chat template leaves the system message out."""
    return messages[-1]["content"]


class _World:
    """The world's facts, and questions about what is not in it."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.facts = world(teller.relations)
        self.relations_of: dict[str, list[Relation]] = {}
        for fact in self.facts:
            self.relations_of.setdefault(fact.subject, []).append(fact.relation)

    def unknown(self) -> Fact:
        """What the world does not say: another relation of one of its subjects, or any of a stranger."""
        teller = self.teller
        while True:
            if teller.rng.random() < 0.5:
                fact = any_of(teller.rng, self.facts)
                relation = teller.relation_of(fact.relation.subject)
                if not any(teller.alike(relation, known) for known in self.relations_of[fact.subject]):
                    return Fact(fact.subject, relation, "")
            else:
                stranger = teller.fact()
                if stranger.subject not in self.relations_of:
                    return stranger


class _Writer:
    """Training documents, one method a job."""

    def __init__(self, rng: Random, relations: tuple[Relation, ...], mixture: Mixture) -> None:
        self._rng, self._mixture = rng, mixture
        self._teller = Teller(rng, relations)
        self._scenes = SceneWriter(self._teller)
        self._sayings = Sayings(self._teller, new_forms=False)
        self._world = _World(self._teller)

    def read(self) -> Document:
        rng, scenes, casually = self._rng, self._scenes, self._teller.casually
        lines = rng.choices(range(1, 13), weights=(14, 11, 12, 13, 10, 9, 7, 6, 5, 5, 4, 4))[0]
        scene = scenes.scene(lines, tokens=_LONGEST_CASE - 40, open_share=_OPEN_SHARE)
        if not (scene.facts or scene.opened) or sum(map(estimated_tokens, scene.lines)) > _LONGEST_CASE:
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
            exchanges.append((_prompt(messages), asked[1]))
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
        casually = self._teller.casually
        return self._chat(
            [
                (_prompt(prompts.answer(casually(question), () if at else lines)), answer)
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
            exchanges.append((_prompt(prompts.answer(self._teller.casually(self._teller.ask(fact)))), answer))
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
                text, answer = self._teller.no_fact(), prompts.NO_FACTS
            elif way < 0.2 + 0.7 * _OPEN_SHARE:
                opened = draw_open(self._rng)
                text = self._teller.in_small_talk(opened.statement) if self._rng.random() < 0.3 else opened.statement
                answer = prompts.SEPARATOR.join((opened.subject, opened.relation, opened.value))
            else:
                text, stated = self._statement()
                answer = "\n".join(fact.line for fact in stated)
            exchanges.append((_prompt(prompts.facts(text)), answer))
        return self._chat(exchanges)

    def question(self) -> Document:
        exchanges = []
        for _ in range(self._rng.randint(3, 6)):
            if self._rng.random() < _OPEN_SHARE:
                exchanges.append(self._open_question())
                continue
            fact = self._any_fact()
            text = self._teller.state(fact)
            if self._rng.random() < 0.25:
                text = self._teller.in_small_talk(text)
            asked, answer = self._teller.ask(fact), fact.value
            if fact.relation.train.reverse_questions and fact.subject != SPEAKER and self._rng.random() < 0.2:
                asked, answer = self._teller.ask_reverse(fact.relation, fact.value), fact.subject
            exchanges.append((_prompt(prompts.question(text)), f"{asked}{prompts.SEPARATOR}{answer}"))
        return self._chat(exchanges)

    def _open_question(self) -> _Exchange:
        fact = draw_open(self._rng)
        text, asked, answer = fact.statement, any_of(self._rng, fact.questions), fact.value
        if fact.reverse_question and fact.subject != SPEAKER and self._rng.random() < 0.2:
            asked, answer = fact.reverse_question, fact.subject
        if self._rng.random() < 0.25:
            text = self._teller.in_small_talk(text)
        return _prompt(prompts.question(text)), f"{asked}{prompts.SEPARATOR}{answer}"

    def chat(self) -> Document:
        return self._chat(self._rng.sample(smalltalk.CHAT, self._rng.randint(1, 3)))

    def _any_fact(self) -> Fact:
        spoken = self._teller.told_by_speaker() if self._rng.random() < 0.2 else None
        return spoken or self._teller.fact()

    def _reworded(self, fact: Fact) -> _Exchange:
        said = self._teller.state(fact)
        while (other := self._teller.state(fact)) == said:
            pass
        return _prompt(prompts.paraphrase(said)), other

    def _statement(self) -> tuple[str, list[Fact]]:
        """A message and the facts that it states."""
        rng, teller = self._rng, self._teller
        fact = self._any_fact()
        stated = [fact]
        way = rng.random()
        if way < 0.17 and teller.can_update(fact):
            fact = teller.updated(fact)
            text, stated = (teller.correct(fact) if rng.random() < 0.25 else teller.update(fact)), [fact]
        elif way < 0.35:
            second = self._another(fact)
            stated.append(second)
            text = teller.state_two(fact, second)
            if way < 0.22:
                third = self._another(second)
                if third.subject != fact.subject:
                    stated.append(third)
                    text = f"{text} {teller.state(third)}" if text[-1] in ".!?" else f"{text}. {teller.state(third)}"
        else:
            text = teller.state(fact)
        return (teller.in_small_talk(text) if rng.random() < 0.35 else text), stated

    def _another(self, fact: Fact) -> Fact:
        """A fact to tell along with `fact`: of the same subject, or of another."""
        teller = self._teller
        if self._rng.random() < 0.6:
            relation = teller.relation_of(fact.relation.subject)
            if not teller.alike(relation, fact.relation):
                return teller.fact(relation, fact.subject)
        other = teller.fact()
        while other.subject == fact.subject:
            other = teller.fact()
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


class _Examiner:
    """Evaluation cases, one method a job; None where a draw did not suit."""

    def __init__(self, rng: Random, relations: tuple[Relation, ...], known_forms: bool) -> None:
        self._rng = rng
        self._teller = Teller(rng, relations, held_out=True, known_forms=known_forms)
        self._scenes = SceneWriter(self._teller)
        self.sayings = Sayings(self._teller, new_forms=not known_forms)
        self._world = _World(self._teller)

    def read(self, memories: int, updates: bool = False) -> Case | None:
        scene = self._scenes.scene(memories, tokens=_LONGEST_CASE, updates=updates)
        facts = [fact for fact in scene.facts if fact.old or not updates]
        if len(scene.lines) < memories or not facts:
            return None
        fact = any_of(self._rng, facts)
        return self._case(scene, (self._teller.ask(fact), fact.value, fact.relation.object))

    def read_open(self, memories: int) -> Case | None:
        """A question about a fact that no relation covers."""
        scene = self._scenes.scene(memories, tokens=_LONGEST_CASE, open_share=0.7)
        if len(scene.lines) < memories or not scene.opened:
            return None
        return self._case(scene, self._scenes.ask_open(scene, any_of(self._rng, scene.opened)))

    def saying(self, memories: int, ask: Callable[[Scene], Asked | None]) -> Case | None:
        """A question about who said something, when, or whether it is so."""
        scene = self._scenes.scene(memories, tokens=_LONGEST_CASE)
        asked = ask(scene)
        return None if len(scene.lines) < memories or asked is None else self._case(scene, asked)

    def _case(self, scene: Scene, asked: Asked) -> Case | None:
        messages = prompts.answer(asked[0], scene.lines)
        if estimated_tokens(_prompt(messages)) > _LONGEST_CASE:
            return None
        return Case(tuple(messages), asked[1], asked[2])

    def read_unanswerable(self, memories: int) -> Case | None:
        scene = self._scenes.scene(memories, tokens=_LONGEST_CASE)
        asked = self._scenes.ask_unanswerable(scene)
        return asked and self._case(scene, asked)

    def closed_world(self) -> Case:
        fact = any_of(self._rng, self._world.facts)
        return Case(tuple(prompts.answer(self._teller.ask(fact))), fact.value, fact.relation.object)

    def closed_unknown(self) -> Case:
        fact = self._world.unknown()
        return Case(tuple(prompts.answer(self._teller.ask(fact))), prompts.REFUSAL, fact.relation.object)

    def facts(self) -> Case:
        fact = self._fact()
        text = self._teller.state(fact)
        if self._rng.random() < 0.3:
            text = self._teller.in_small_talk(text)
        return Case(tuple(prompts.facts(text)), fact.line, fact.relation.object)

    def no_facts(self) -> Case:
        return Case(tuple(prompts.facts(self._teller.no_fact())), prompts.NO_FACTS, "none")

    def question(self) -> Case:
        fact = self._fact()
        return Case(tuple(prompts.question(self._teller.state(fact))), fact.value, fact.relation.object)

    def _fact(self) -> Fact:
        spoken = self._teller.told_by_speaker() if self._rng.random() < 0.2 else None
        return spoken or self._teller.fact()
