"""Makes a router's stream: what happens on each day, and a few questions of every kind about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.fiction import Relation, padding, relations, small_talk
from hybridmem.evaluation.routing.question import Moment, Part, RouterQuestion
from hybridmem.evaluation.routing.stream import Quarantine, RouterStream, day_of
from hybridmem.evaluation.stream import Stated, StreamDelete, StreamFact, StreamMaker

FEWEST_FACTS = 5
"""Of a day: a change, a long text, both halves of two-hop questions, and one more."""
_DECK: tuple[Part, ...] = ("fit", "fit", "dev", "test", "test")
_LONG = 24
"""Sentences around the fact in a long text."""
_NEVER_TOLD = 2
"""Relations that no fact is of."""


def make_router_stream(seed: int, nights: int = 10, facts_per_night: int = 10) -> RouterStream:
    """`facts_per_night` facts on each of as many days: from the second on, one in five replaces an earlier value, and
    beside them one in ten of as many is deleted and one in ten quarantined. Raises `InvalidInput` where that is too
    small for every kind of question.

    A shorter stream is the beginning of a longer one with the same seed and as many facts a night."""
    if nights < 2 or facts_per_night < FEWEST_FACTS:
        raise InvalidInput(
            f"{nights} nights of {facts_per_night} facts: every kind of question needs 2 nights of {FEWEST_FACTS} facts"
        )
    maker = _Maker(Random(seed), facts_per_night)  # noqa: S311 - a reproducible draw
    for night in range(1, nights + 1):
        maker.live(night)
    return RouterStream(seed, nights, tuple(maker.events), tuple(maker.quarantines), tuple(maker.questions))


@dataclass(frozen=True, slots=True)
class _Half:
    """The fact told first of the two that a two-hop question joins."""

    told: Stated
    person: str
    thing: str
    """What the person looks after."""


@dataclass(slots=True)
class _Maker:
    rng: Random
    facts: int
    """Of a day."""
    events: list[StreamFact | StreamDelete] = field(default_factory=list)
    quarantines: list[Quarantine] = field(default_factory=list)
    questions: list[RouterQuestion] = field(default_factory=list)
    _maker: StreamMaker = field(init=False)
    _never: list[Relation] = field(init=False)
    _joins: Relation = field(init=False)
    """Whose values are persons."""
    _standing: list[Stated] = field(default_factory=list)
    """Told in plain words, and neither changed nor taken away."""
    _changed: list[tuple[Stated, Stated]] = field(default_factory=list)
    """Old and new."""
    _long: list[Stated] = field(default_factory=list)
    _deleted: list[Stated] = field(default_factory=list)
    _quarantined: list[Stated] = field(default_factory=list)
    _halves: list[_Half] = field(default_factory=list)
    """Whose other half is told on the next day."""
    _parts: dict[str, Part] = field(default_factory=dict)
    _decks: dict[str, list[Part]] = field(default_factory=lambda: {"subjects": [], "pairs": []})
    """What of each pack of `_DECK` is left: pairs have their own, so that there are some in every part."""
    _asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        (self._joins,) = [relation for relation in relations() if relation.object == "person"]
        others = [relation for relation in relations() if relation is not self._joins]
        self._never = self.rng.sample(others, _NEVER_TOLD)
        self._maker = StreamMaker(self.rng, [each for each in relations() if each not in self._never])

    def live(self, night: int) -> None:
        """One day with its events and questions."""
        halves, self._halves = self._halves, []
        pending = {half.told.fact.id for half in halves}
        old = [stated for stated in self._standing if stated.fact.id not in pending]
        self.rng.shuffle(old)
        changed = self._changed_today(night, old)
        plain = [self._maker.new(night) for _ in range(self.facts - len(changed) - self._share(5) - 2)]
        second = [self._second_half(night, half) for half in halves]
        self._halves = [self._first_half(night)]
        plain += [half.told for half in self._halves]
        if not second:  # As many facts on the first day as on the others.
            plain.append(self._maker.new(night))
        long = [self._in_a_long_text(self._maker.new(night)) for _ in range(self._share(5))]
        deleted = [old.pop() for _ in range(min(len(old), self._share(10)))]
        quarantined = self._quarantined_today(night, old)

        told = [*plain, *second, *(new for _, new in changed), *long]
        told += [stated for stated in quarantined if stated.fact.night == night]
        self.rng.shuffle(told)
        self.events += [stated.fact for stated in told]
        self.events += [StreamDelete(night, stated.fact.id) for stated in deleted]
        self.quarantines += [Quarantine(night, stated.fact.id) for stated in quarantined]

        gone = {each.fact.id for each in (*deleted, *quarantined, *(before for before, _ in changed))}
        self._standing = [each for each in self._standing if each.fact.id not in gone]
        self._ask_by_day(night, [*plain, *second], changed, list(zip(halves, second, strict=True)))
        self._ask_what_is_gone(night, "day", deleted, quarantined)
        self._standing += [*plain, *second]
        self._changed += changed
        self._long += long
        self._deleted += deleted
        self._quarantined += quarantined
        self._ask_by_night(night)

    # what happens

    def _share(self, one_in: int) -> int:
        """One in so many of a day's facts, one at least."""
        return max(1, round(self.facts / one_in))

    def _changed_today(self, night: int, old: list[Stated]) -> list[tuple[Stated, Stated]]:
        """Takes what changes from `old`."""
        before = [old.pop() for _ in range(min(len(old), self._share(5)))] if night > 1 else []
        return [(each, self._maker.update(night, each)) for each in before]

    def _quarantined_today(self, night: int, old: list[Stated]) -> list[Stated]:
        """By turns something new, which no dream will read, and something old, taken from `old`."""
        if night % 2 == 0 or not old:
            return [self._maker.new(night) for _ in range(self._share(10))]
        return [old.pop() for _ in range(min(len(old), self._share(10)))]

    def _first_half(self, night: int) -> _Half:
        """By turns who looks after a thing, and something about a person."""
        thing, person = self._maker.inventor.subject(self._joins.subject), self._maker.inventor.subject("person")
        self._parts[person] = self._part(thing, "pairs")
        return _Half(self._about(night, thing, person) if night % 2 else self._about(night, person), person, thing)

    def _second_half(self, night: int, half: _Half) -> Stated:
        if half.told.relation is self._joins:
            return self._about(night, half.person)
        return self._about(night, half.thing, half.person)

    def _about(self, night: int, subject: str, value: str | None = None) -> Stated:
        """A fact about somebody new; with a `value`, about a thing that this person looks after."""
        relation = self._joins
        while value is None and relation.subject != "person":
            relation = self._maker.next_relation()
        return self._maker.new(night, relation, self._maker.introduce(relation.subject, subject), value)

    def _in_a_long_text(self, stated: Stated) -> Stated:
        around = self.rng.sample(padding(), _LONG)
        at = self.rng.randrange(4, _LONG - 3)
        text = " ".join([*around[:at], stated.fact.text, *around[at:]])
        return replace(stated, fact=replace(stated.fact, text=text))

    # what is asked

    def _ask_by_day(
        self,
        night: int,
        told: Sequence[Stated],
        changed: Sequence[tuple[Stated, Stated]],
        joined: Sequence[tuple[_Half, Stated]],
    ) -> None:
        for stated in self._least_asked(told, 4):
            self._ask(night, "day", "told today", stated, self._wording(stated))
        for old, new in changed:
            for _ in range(2):
                self._ask_changed(night, "day", "superseded before the dream", old, new)
        for half, second in joined:
            personal = second if half.told.relation is self._joins else half.told
            person = f"the person who looks after {half.thing}"
            plain = [wording for wording in personal.relation.questions if "{s}'s" not in wording]
            for wording in self.rng.sample(plain, min(len(plain), max(2, self._count(2)))):
                self._ask(night, "day", "two-hop", personal, wording.format(s=person), fact=half.told)

    def _ask_by_night(self, night: int) -> None:
        consolidated = self._least_asked(self._standing, 10)
        for stated in consolidated:
            self._ask(night, "night", "consolidated", stated, self._wording(stated))
        for stated in consolidated[: self._count(8)]:
            self._ask(night, "night", "paraphrase", stated, self._wording(stated))
        for stated in self._least_asked(self._standing, 8):
            wording = stated.relation.indirect[self._asked[stated.fact.id] % len(stated.relation.indirect)]
            self._ask(night, "night", "other wording", stated, wording.format(s=stated.subject))
        for old, new in self._least_asked_changes(4):
            self._ask_changed(night, "night", "superseded after the dream", old, new)
        for number, (old, new) in enumerate(self._least_asked_changes(4)):
            self._ask_as_of(night, old, new, before=number % 2 == 0)
        for stated in self._least_asked(self._long, 3):
            self._ask(night, "night", "long memory", stated, self._wording(stated))
        self._ask_what_is_gone(
            night, "night", self._least_asked(self._deleted, 3), self._least_asked(self._quarantined, 3)
        )
        for number in range(self._count(4)):
            self._ask_what_nothing_answers(night, number)

    def _ask_what_is_gone(
        self, night: int, moment: Moment, deleted: Sequence[Stated], quarantined: Sequence[Stated]
    ) -> None:
        for stated in deleted:
            self._ask(night, moment, "deleted", stated, self._wording(stated), deleted=(stated.fact.answer,))
        for stated in quarantined:
            self._ask(night, moment, "quarantined", stated, self._wording(stated), quarantined=(stated.fact.answer,))

    def _ask_what_nothing_answers(self, night: int, number: int) -> None:
        """One question of each kind that no fact is behind."""
        told = [relation for relation in relations() if relation not in self._never]
        unsaid = [(relation, name) for relation in told for name in self._maker.silent(relation)]
        if unsaid:
            relation, name = self.rng.choice(unsaid)
            self._ask_probe(night, "near miss, subject", relation, name)
        stated = self.rng.choice(self._standing)
        stranger = self._maker.inventor.subject(stated.relation.subject)
        if stated.relation.subject == "person" and number % 2:  # Somebody with a first name that is known.
            stranger = f"{stated.subject.split()[0]} {stranger.split()[-1]}"
        self._ask_probe(night, "near miss, relation", stated.relation, stranger)
        relation = self.rng.choice(self._never)
        self._ask_probe(night, "never stored", relation, self._maker.inventor.subject(relation.subject))
        talk = self.rng.choice(small_talk())
        self._put(RouterQuestion("", night, "night", "small talk", talk, None, talk, self._part(talk)))

    def _ask_probe(self, night: int, kind: str, relation: Relation, subject: str) -> None:
        text = self.rng.choice(relation.questions).format(s=subject)
        about = f"{relation.name} of {subject}"
        self._put(RouterQuestion("", night, "night", kind, text, None, about, self._part(subject)))

    def _ask_changed(self, night: int, moment: Moment, kind: str, old: Stated, new: Stated) -> None:
        self._ask(night, moment, kind, new, self._wording(old), fact=old, stale=(old.fact.answer,))

    def _ask_as_of(self, night: int, old: Stated, new: Stated, *, before: bool) -> None:
        meant, other = (old, new) if before else (new, old)
        first, last = (old.fact.night, new.fact.night - 1) if before else (new.fact.night, night)
        day = day_of(self.rng.randint(first, last))
        text = old.relation.dated.format(s=old.subject, d=f"{day.day} {day:%B %Y}")
        stale = () if before else (other.fact.answer,)
        self._ask(night, "night", "as of", meant, text, fact=old, stale=stale)

    def _ask(
        self,
        night: int,
        moment: Moment,
        kind: str,
        stated: Stated,
        text: str,
        *,
        fact: Stated | None = None,
        stale: tuple[str, ...] = (),
        deleted: tuple[str, ...] = (),
        quarantined: tuple[str, ...] = (),
    ) -> None:
        """Right is the value of `stated`, unless that is gone; `fact` is the first of its line, or what it hangs on."""
        first = (fact or stated).fact.id
        self._asked[first] += 1
        right = None if deleted or quarantined else stated.fact.answer
        part = self._part((fact or stated).subject)
        self._put(RouterQuestion("", night, moment, kind, text, right, first, part, stale, deleted, quarantined))

    def _put(self, question: RouterQuestion) -> None:
        self.questions.append(replace(question, id=f"q{len(self.questions) + 1}"))

    def _wording(self, stated: Stated) -> str:
        """The next wording of its question."""
        wordings = stated.relation.questions
        return wordings[self._asked[stated.fact.id] % len(wordings)].format(s=stated.subject)

    def _count(self, of_ten: int) -> int:
        """So many questions where a day has ten facts."""
        return max(1, round(of_ten * self.facts / 10))

    def _least_asked(self, pool: Sequence[Stated], of_ten: int) -> list[Stated]:
        order = sorted(pool, key=lambda stated: (self._asked[stated.fact.id], self.rng.random()))
        return order[: self._count(of_ten)]

    def _least_asked_changes(self, of_ten: int) -> list[tuple[Stated, Stated]]:
        order = sorted(self._changed, key=lambda pair: (self._asked[pair[0].fact.id], self.rng.random()))
        return order[: self._count(of_ten)]

    def _part(self, subject: str, of: str = "subjects") -> Part:
        if subject not in self._parts:
            self._decks[of] = self._decks[of] or self.rng.sample(_DECK, len(_DECK))
            self._parts[subject] = self._decks[of].pop()
        return self._parts[subject]
