"""Memories to read: a few lines in one style, the facts that hold after them, and questions about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import smalltalk, values
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.fact_generator import THE_USER, Fact, FactGenerator
from hybridmem.evaluation.memory_jobs.open_relations import OpenFact
from hybridmem.evaluation.memory_jobs.open_relations import draw as draw_open
from hybridmem.evaluation.memory_jobs.sentences import capitalised, second_person
from hybridmem.models import prompts
from hybridmem.models.prompts import Message

PLAIN, AS_YOU, AS_THE_USER, LABELLED = "I", "you", "the user", "User: I"
_VOICES = (PLAIN, AS_YOU, AS_THE_USER, LABELLED)

Asked = tuple[str, str, str]
"""A question, its answer, and the kind of value it asks for."""


LONGEST_PROMPT = 320
"""Tokens of a prompt that surely leave room in 384 for the answer."""

_DIGITS = re.compile(r"\d")
_CAPITALS = re.compile(r"[A-Z]")


def estimated_tokens(text: str) -> float:
    """About how many tokens of the bundled base `text` has.

    Fitted to a BPE of 2,048 entries with lone digits over these documents: standard error 10 tokens in 190.
    """
    digits, capitals = len(_DIGITS.findall(text)), len(_CAPITALS.findall(text))
    return 0.315 * (len(text) - digits - capitals) + 1.15 * digits + 0.8 * capitals


def user_part(messages: list[Message]) -> str:
    """The user's part of a job: the bundled chat template leaves the system message out."""
    return messages[-1]["content"]


@dataclass
class Scene:
    """Memory lines, oldest first, and the facts that hold in the end."""

    lines: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    speakers: tuple[str, ...] = ()
    voice: str = PLAIN
    """How what the speaker says of himself was written down."""
    opened: list[OpenFact] = field(default_factory=list)
    """Facts outside the relations, about subjects that no other fact has."""
    stated_in: dict[Fact, int] = field(default_factory=dict)
    """The line that stated a fact last."""
    dates: tuple[str, ...] = ()
    """The lines' dates, or none."""

    def mentions(self, text: str) -> bool:
        """Whether `text` stands in the memories, whatever its case."""
        small = text.lower()
        return any(small in line.lower() for line in self.lines)


class SceneWriter:
    """Writes scenes of a given number of lines and asks about them, in the words of `generator`."""

    def __init__(self, generator: FactGenerator) -> None:
        self.generator = generator
        self.rng: Random = generator.rng

    def scene(self, lines: int, tokens: int = 165, updates: bool = False, open_share: float = 0.0) -> Scene:
        """`lines` memories (fewer where `tokens` are reached); with `updates` at least one value changes.

        About `open_share` of the lines tell facts outside the relations."""
        rng = self.rng
        style = rng.random()
        scene, dated = Scene(), rng.random() < 0.17
        if style < 0.17:
            scene.speakers = tuple(dict.fromkeys((self._name(), self._name())))
        first_person = 0.2 < style < 0.45
        scene.voice = rng.choices(_VOICES, weights=(50, 12, 19, 19))[0]
        # A third of the scenes is calm: many facts, and no value changes.
        change = 0.22 if rng.random() < 0.65 else 0.0
        said: list[str] = scene.lines
        used = 0.0
        while len(said) < lines and used < tokens:
            if updates and len(said) >= lines - 1 and not any(fact.old for fact in scene.facts):
                line = self._change(scene)
                if line is None:
                    return self.scene(lines, tokens, updates, open_share)
            elif rng.random() < open_share and (opened := self._open_line(scene)):
                line = opened
            else:
                line = self._line(scene, first_person, change)
            for fact in scene.facts:
                scene.stated_in.setdefault(fact, len(said))
            said.append(line)
            used += estimated_tokens(line) + (14 if dated else 2)
        if dated:
            self._date(scene)
        return scene

    def ask(self, scene: Scene, fact: Fact) -> Asked:
        """A question about `fact`; now and then by a first name alone, or for the subject."""
        generator, rng, relation = self.generator, self.rng, fact.relation
        if relation.train.reverse_questions and rng.random() < 0.12 and self._points_back(scene, fact):
            return generator.ask_reverse(relation, fact.value), fact.subject, relation.subject
        if relation.subject == "person" and rng.random() < 0.15 and (first := self._first_name(scene, fact)):
            return generator.ask(fact, first), fact.value, relation.object
        return generator.ask(fact), fact.value, relation.object

    def ask_open(self, scene: Scene, fact: OpenFact) -> Asked:
        """A question about a fact outside the relations, now and then for its subject."""
        rng = self.rng
        back = fact.reverse_question
        if back is not None and fact.subject != SPEAKER and rng.random() < 0.25:
            alike = [other for other in scene.opened if fact.value in other.statement]
            if len(alike) == 1 and sum(fact.value.lower() in line.lower() for line in scene.lines) == 1:
                return back, fact.subject, "open"
        return any_of(rng, fact.questions), fact.value, "open"

    def ask_unanswerable(self, scene: Scene) -> Asked | None:
        """A question near the memories that they do not answer; None where a try found none."""
        generator, rng = self.generator, self.rng
        if scene.opened and (not scene.facts or rng.random() < 0.4):
            return self._ask_open_unanswerable(scene)
        if not scene.facts:
            return None
        fact = any_of(rng, scene.facts)
        relation = fact.relation
        way = rng.random()
        if way < 0.5:
            other = generator.relation_of(relation.subject)
            stated = [near.relation for near in scene.facts if near.subject == fact.subject]
            if any(generator.alike(other, near) for near in stated):
                return None
            return generator.ask(Fact(fact.subject, other, "")), prompts.REFUSAL, other.object
        if way < 0.58 and relation.train.reverse_questions:
            value = generator.value(relation, *(near.value for near in scene.facts))
            if scene.mentions(value):
                return None
            return generator.ask_reverse(relation, value), prompts.REFUSAL, relation.subject
        if way < 0.65 and not scene.speakers and not any(near.subject == SPEAKER for near in scene.facts):
            asked = generator.told_by_speaker()
            return None if asked is None else (generator.ask(asked), prompts.REFUSAL, asked.relation.object)
        subject = self._similar(fact)
        if subject is None or scene.mentions(subject) or subject.partition(" ")[0] in _single_names(scene):
            return None
        return generator.ask(Fact(subject, relation, "")), prompts.REFUSAL, relation.object

    def _name(self) -> str:
        return values.first_name(self.rng, self.generator.held_out)

    def _ask_open_unanswerable(self, scene: Scene) -> Asked | None:
        """What an open fact's question asks, of another subject; or another question about its subject."""
        rng = self.rng
        fact = any_of(rng, scene.opened)
        if rng.random() < 0.5:
            near = (fact.subject, fact.kind) if rng.random() < 0.7 else (None, None)
            other = draw_open(rng, self.generator.held_out, *near)
            if _states(scene, other) or scene.mentions(other.value):
                return None
            return any_of(rng, other.questions), prompts.REFUSAL, "open"
        question = any_of(rng, fact.questions)
        stranger = self._name()
        if fact.subject == SPEAKER or fact.subject not in question or scene.mentions(stranger):
            return None
        return question.replace(fact.subject, stranger), prompts.REFUSAL, "open"

    def _open_line(self, scene: Scene) -> str | None:
        """A line about what no relation covers; None where its subject might be confused with another."""
        rng = self.rng
        near = any_of(rng, scene.opened) if scene.opened and rng.random() < 0.35 else None
        fact = draw_open(rng, self.generator.held_out, *((near.subject, near.kind) if near else ()))
        stated = scene.opened + scene.facts
        if any(fact.subject == other.subject for other in scene.facts) or scene.mentions(fact.value):
            return None
        if _states(scene, fact):
            return None
        if fact.subject == SPEAKER and (scene.speakers or scene.voice == AS_THE_USER):
            return None
        words = set(fact.subject.split())
        if any(other.subject != fact.subject and words & set(other.subject.split()) for other in stated):
            return None
        scene.opened.append(fact)
        return self._voiced(scene, self._chatty(fact.statement), fact.subject)

    def _line(self, scene: Scene, first_person: bool, change: float) -> str:
        rng, generator = self.rng, self.generator
        way = rng.random()
        if way < change:
            line = self._change(scene)
            if line is not None:
                return line
        elif way > 0.93 and scene.lines:
            return self._voiced(scene, any_of(rng, smalltalk.FILLERS))
        fact = self._next_fact(scene, first_person)
        scene.facts.append(fact)
        if fact.subject in scene.speakers:
            return f"{fact.subject}: {self._chatty(generator.as_said_by(fact))}"
        noted = self._noted(scene, fact)
        if way < 0.32 and change and generator.can_update(noted):
            scene.facts[-1] = generator.updated(fact)
            changed = self._noted(scene, scene.facts[-1])
            text = generator.correct(changed) if rng.random() < 0.4 else generator.update(changed)
            return self._voiced(scene, self._chatty(text), fact.subject)
        if way > 0.82:
            second = self._next_fact(scene, first_person)
            if second.subject not in scene.speakers:
                scene.facts.append(second)
                return self._voiced(scene, generator.state_two(noted, self._noted(scene, second)), fact.subject)
        return self._voiced(scene, self._chatty(generator.state(noted)), fact.subject)

    def _noted(self, scene: Scene, fact: Fact) -> Fact:
        """`fact` as the scene's notes name its subject."""
        if fact.subject == SPEAKER and scene.voice == AS_THE_USER:
            return Fact(THE_USER, fact.relation, fact.value, fact.old)
        return fact

    def _change(self, scene: Scene) -> str | None:
        """A line that gives a fact of the scene a new value, or None where no fact can change (again)."""
        generator = self.generator
        able = [
            at for at, fact in enumerate(scene.facts) if not fact.old and generator.can_update(self._noted(scene, fact))
        ]
        if not able:
            return None
        at = any_of(self.rng, able)
        fact = scene.facts[at] = generator.updated(scene.facts[at])
        if fact.subject in scene.speakers:
            spoken = Fact(SPEAKER, fact.relation, fact.value, fact.old)
            if generator.can_update(spoken):
                return f"{fact.subject}: {self._chatty(generator.update(spoken))}"
        return self._voiced(scene, self._chatty(generator.update(self._noted(scene, fact))), fact.subject)

    def _next_fact(self, scene: Scene, first_person: bool) -> Fact:
        """A fact that often shares subject or relation with an earlier one, but never contradicts it."""
        rng, generator = self.rng, self.generator
        for _ in range(30):
            way = rng.random()
            near = any_of(rng, scene.facts) if scene.facts else None
            if near and way < 0.33:
                fact = generator.fact(generator.relation_of(near.relation.subject), near.subject)
            elif scene.speakers and way < 0.75 and (said := generator.told_by_speaker()):
                fact = generator.fact(said.relation, any_of(rng, scene.speakers))
            elif first_person and way < 0.6 and (said := generator.told_by_speaker()):
                fact = said
            elif near and way < 0.7:
                subject = self._similar(near) if rng.random() < 0.3 else None
                named = bool(scene.speakers)
                fact = generator.fact(near.relation, subject or generator.subject(near.relation, named))
            else:
                fact = generator.fact()
                if scene.speakers and fact.subject.startswith(("my ", "our ")):
                    continue
            if not self._clashes(scene, fact):
                return fact
        return fact

    def _clashes(self, scene: Scene, fact: Fact) -> bool:
        first = fact.subject.partition(" ")[0]
        for other in scene.facts:
            if other.subject == fact.subject:
                if self.generator.alike(other.relation, fact.relation):
                    return True
            elif first[0].isupper() and (first == other.subject or other.subject.partition(" ")[0] == fact.subject):
                # "Tom" and "Tom Becker" might be one person.
                return True
        return False

    def _similar(self, fact: Fact) -> str | None:
        """A subject of the same kind, with a part of the name of the fact's subject if that has two."""
        rng, held_out = self.rng, self.generator.held_out
        first, _, last = fact.subject.partition(" ")
        if fact.relation.subject == "person" and last and first[0].isupper() and rng.random() < 0.6:
            if rng.random() < 0.5:
                subject = f"{first} {values.last_name(rng, held_out)}"
            else:
                subject = f"{values.first_name(rng, held_out)} {last}"
        else:
            subject = self.generator.subject(fact.relation)
        return None if subject == fact.subject else subject

    def _chatty(self, text: str) -> str:
        return self.generator.in_small_talk(text) if self.rng.random() < 0.14 else text

    def _voiced(self, scene: Scene, text: str, subject: str = "") -> str:
        """`text`, which is about `subject`, in the voice of a speaker or of the notes."""
        if scene.speakers:
            return f"{any_of(self.rng, scene.speakers)}: {capitalised(text)}"
        if scene.voice == AS_YOU and subject == SPEAKER:
            return second_person(text)
        if scene.voice == LABELLED:
            return f"User: {capitalised(text)}"
        return text

    def _date(self, scene: Scene) -> None:
        rng = self.rng
        # Months of 28 days: later lines never bear an earlier date, and all fall within one year.
        year, day = rng.randint(2019, 2029), rng.randint(0, 200)
        dates = []
        for _ in scene.lines:
            day += rng.randint(0, 9)
            dates.append(f"{year}-{1 + day // 28:02}-{1 + day % 28:02}")
        scene.dates = tuple(dates)
        scene.lines = [f"[{date}] {line}" for date, line in zip(dates, scene.lines, strict=True)]

    def _points_back(self, scene: Scene, fact: Fact) -> bool:
        """Whether the value of `fact` stands in the memories once, and for nothing else."""
        stated_once = sum(fact.value.lower() in line.lower() for line in scene.lines) == 1
        return stated_once and fact.subject != SPEAKER and not self._is_old(scene, fact.value)

    def _first_name(self, scene: Scene, fact: Fact) -> str | None:
        """The first name of the fact's subject, if it has two names and shares neither with the others."""
        first, _, last = fact.subject.partition(" ")
        if not last or not first[0].isupper():
            return None
        others = [near for near in scene.facts if near.subject != fact.subject]
        shared = any(first in near.subject for near in others) or any(first in near.value for near in scene.facts)
        return None if shared else first

    def _is_old(self, scene: Scene, value: str) -> bool:
        return any(fact.old and value in fact.old for fact in scene.facts)


def _single_names(scene: Scene) -> set[str]:
    return {fact.subject for fact in scene.facts}


def _states(scene: Scene, fact: OpenFact) -> bool:
    """Whether the scene tells of the same: "bought at" and "bought on" may be one purchase."""
    verb = fact.relation.split(" ")[0]
    return any((other.subject, other.relation.split(" ")[0]) == (fact.subject, verb) for other in scene.opened)
