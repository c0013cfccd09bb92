"""Who says what: draws facts, tells them and asks for them, in trained or in held-out forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import smalltalk, values
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.relations import Forms, Relation, load
from hybridmem.evaluation.memory_jobs.sentences import capitalised, fill, uncapitalised, with_pronoun
from hybridmem.models import prompts

THE_USER = "the user"
"""The subject of what an agent noted down about the speaker."""

_WORLD = Path(__file__).with_name("world.tsv")


@dataclass(frozen=True, slots=True)
class Fact:
    """`subject` stands in `relation` to `value`, which has replaced `old` if that is given."""

    subject: str
    relation: Relation
    value: str
    old: str | None = None

    @property
    def line(self) -> str:
        """The fact as the fact job writes it."""
        return prompts.SEPARATOR.join((self.subject, self.relation.name, self.value))


def plain_first(rng: Random, forms: Sequence[str]) -> str:
    """One of `forms`, the earlier ones more often: in the relation files the plainest stand first."""
    return forms[int(rng.random() ** 1.3 * len(forms))]


class FactGenerator:
    """Facts over `relations`, and sentences and questions for them.

    If `held_out`, the values are those that no training has, and so are the forms, unless `known_forms`."""

    def __init__(
        self, rng: Random, relations: tuple[Relation, ...], held_out: bool = False, known_forms: bool = False
    ) -> None:
        self.rng, self.relations, self.held_out = rng, relations, held_out
        self._new_forms = held_out and not known_forms
        self._of_subject: dict[str, list[Relation]] = {}
        for relation in relations:
            self._of_subject.setdefault(relation.subject, []).append(relation)
        self._alike = _alike(relations)

    def forms(self, relation: Relation) -> Forms:
        """The forms that this generator may use."""
        return relation.held_out if self._new_forms else relation.train

    def relation_of(self, kind: str) -> Relation:
        """A relation whose subject is of `kind`."""
        return any_of(self.rng, self._of_subject[kind])

    def alike(self, relation: Relation, other: Relation) -> bool:
        """Whether some question asks for both relations, so that one subject should not have both."""
        return relation.name == other.name or (relation.name, other.name) in self._alike

    def subject(self, relation: Relation, named: bool = False) -> str:
        """A fresh subject for `relation`; if `named`, no phrase such as "my sister"."""
        if relation.subject == "person" and named:
            return values.person(self.rng, self.held_out)
        if relation.object == "animal":
            return values.sample(relation.subject, self.rng, self.held_out)
        return values.sample_subject(relation.subject, self.rng, self.held_out)

    def value(self, relation: Relation, *others: str) -> str:
        """A fresh value that neither holds nor is part of any of `others`."""
        for _ in range(20):
            value = values.sample(relation.object, self.rng, self.held_out)
            if not any(value in other or other in value for other in others):
                break
        return value

    def fact(self, relation: Relation | None = None, subject: str | None = None) -> Fact:
        """A fresh fact, of `relation` and about `subject` if given."""
        relation = relation or any_of(self.rng, self.relations)
        subject = subject or self.subject(relation)
        return Fact(subject, relation, self.value(relation, subject))

    def told_by_speaker(self) -> Fact | None:
        """A fresh fact about the speaker; None where no relation has a first person."""
        people = self._of_subject.get("person")
        return self.fact(any_of(self.rng, people), SPEAKER) if people else None

    def state(self, fact: Fact) -> str:
        """A sentence that states `fact`."""
        forms = self.forms(fact.relation)
        if fact.subject == SPEAKER:
            return fill(plain_first(self.rng, forms.first_person), SPEAKER, fact.value)
        return fill(plain_first(self.rng, forms.statements), fact.subject, fact.value)

    def as_said_by(self, fact: Fact) -> str:
        """A first-person sentence for `fact`, to stand behind its subject's name and a colon."""
        return fill(plain_first(self.rng, self.forms(fact.relation).first_person), SPEAKER, fact.value)

    def can_update(self, fact: Fact) -> bool:
        """Whether there are forms that say that the value of `fact` has changed."""
        forms = self.forms(fact.relation)
        return fact.relation.single and bool(forms.first_person_updates if fact.subject == SPEAKER else forms.updates)

    def updated(self, fact: Fact) -> Fact:
        """`fact` with a new value."""
        return Fact(fact.subject, fact.relation, self.value(fact.relation, fact.subject, fact.value), fact.value)

    def update(self, fact: Fact) -> str:
        """A sentence that says that `fact` holds now and its old value no longer."""
        forms = self.forms(fact.relation)
        some = forms.first_person_updates if fact.subject == SPEAKER else forms.updates
        return fill(any_of(self.rng, some), fact.subject, fact.value, fact.old or "")

    def correct(self, fact: Fact) -> str:
        """The old value stated and taken back in one breath, or denied before the new one is stated."""
        old = Fact(fact.subject, fact.relation, fact.old or "")
        if self.rng.random() < 0.6:
            return f"{_ended(self.state(old))} {fill(any_of(self.rng, _TAKEN_BACK), '', fact.value, fact.old or '')}"
        return f"{fill(any_of(self.rng, _DENIED), '', '', fact.old or '')} {self.state(fact)}"

    def state_two(self, first: Fact, second: Fact) -> str:
        """Both facts in one turn, with a pronoun or an "and" where that reads well."""
        start = self.state(first)
        relation = second.relation
        if first.subject == second.subject != SPEAKER and self.rng.random() < 0.7:
            form = plain_first(self.rng, self.forms(relation).statements)
            said = with_pronoun(form, second.subject, relation.subject, second.value, self.rng)
            if said is not None:
                return f"{_ended(start)} {said}"
        said = self.state(second)
        if start.endswith(".") and said.startswith(("I ", second.subject)) and self.rng.random() < 0.4:
            return f"{start[:-1]}, and {said}"
        return f"{_ended(start)} {capitalised(said)}"

    def in_small_talk(self, text: str) -> str:
        """`text` with chat before it, behind it or on both sides."""
        where = self.rng.random()
        if where < 0.7:
            opener = any_of(self.rng, smalltalk.OPENERS if self.rng.random() < 0.6 else smalltalk.FILLERS)
            text = f"{opener} {text}"
        if where > 0.4:
            closer = any_of(self.rng, smalltalk.CLOSERS if self.rng.random() < 0.6 else smalltalk.FILLERS)
            text = f"{_ended(text)} {closer}"
        return text

    def ask(self, fact: Fact, subject: str | None = None) -> str:
        """A question whose answer is the value of `fact`; `subject` is another name for its subject."""
        forms = self.forms(fact.relation)
        if fact.subject == SPEAKER:
            return plain_first(self.rng, forms.first_person_questions)
        return fill(plain_first(self.rng, forms.questions), subject or fact.subject)

    def ask_reverse(self, relation: Relation, value: str) -> str:
        """A question whose answer is the subject that has `value`; the relation must have such questions."""
        return fill(any_of(self.rng, relation.train.reverse_questions), "", value)

    def casually(self, question: str) -> str:
        """`question` as people type it: now and then in small letters, without its mark, or behind a "hey, "."""
        if self.held_out:
            return question
        way = self.rng.random()
        if way < 0.08:
            return question.lower()
        if way < 0.15:
            return question.rstrip("?.")
        if way < 0.19:
            return question.lower().rstrip("?.")
        if way < 0.32:
            starts_with_name = question.split(" ", 1)[0].rstrip("'s,") not in _QUESTION_WORDS
            return any_of(self.rng, smalltalk.CASUAL) + (question if starts_with_name else uncapitalised(question))
        return question

    def no_fact(self) -> str:
        """A message that states nothing to remember."""
        kind = self.rng.random()
        if kind < 0.2:
            return self.casually(self.ask(self.fact()))
        if kind < 0.35 and not self.held_out:
            text = any_of(self.rng, smalltalk.FILLERS)
        else:
            text = fill_kinds(any_of(self.rng, _no_facts(self._new_forms)), self.rng, self.held_out)
        return self.in_small_talk(text) if self.rng.random() < 0.25 else text


_TAKEN_BACK = (
    "Sorry, I meant {o}, not {old}.",
    "No wait, {o}, not {old}.",
    "Correction: not {old} but {o}.",
    "Scratch {old}, it's {o}.",
    "Oops, make that {o} instead of {old}.",
)
_DENIED = ("Not {old}, as I said before:", "Forget {old}.", "It isn't {old}.", "{old} was wrong.", "Not {old}!")

_QUESTION_WORDS = frozenset(
    "What Where Who When Which How Whose Why Is Do Does Did Can Could Would Remind Tell In On At For From To By With "  # noqa: SIM905
    "Under If The Please Any May Have Has Are Was Were Give Name".split()
)


def _ended(text: str) -> str:
    return text if text[-1] in ".!?:,)" else f"{text}."


@cache
def _no_facts(held_out: bool) -> tuple[str, ...]:
    return tuple(text for at, text in enumerate(smalltalk.NO_FACTS) if (at % 8 == 0) == held_out)


def fill_kinds(template: str, rng: Random, held_out: bool = False) -> str:
    """`template` with each ``{kind}`` replaced by a value of that kind."""
    parts = template.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        kind, _, rest = part.partition("}")
        out += (values.sample(kind, rng, held_out), rest)
    return "".join(out)


def _alike(relations: tuple[Relation, ...]) -> frozenset[tuple[str, str]]:
    askers: dict[tuple[str, str], set[str]] = {}
    for relation in relations:
        for forms in (relation.train, relation.held_out):
            for form in (*forms.questions, *forms.first_person_questions):
                askers.setdefault((relation.subject, form.lower().rstrip("?. ")), set()).add(relation.name)
    return frozenset((a, b) for names in askers.values() for a in names for b in names)


@cache
def world(relations: tuple[Relation, ...] | None = None) -> tuple[Fact, ...]:
    """The facts that the weights are to know without memories: the same 400, those that `relations` cover."""
    named = {relation.name: relation for relation in relations or load()}
    lines = (line.split("\t") for line in _WORLD.read_text(encoding="utf-8").splitlines())
    return tuple(Fact(subject, named[name], value) for subject, name, value in lines if name in named)
