"""Facts of the form "Mira bought an old lamp at the market", and questions for any part of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import values
from hybridmem.evaluation.memory_jobs.drawing import any_of, is_held_out
from hybridmem.evaluation.memory_jobs.open_relations import facts, nouns
from hybridmem.evaluation.memory_jobs.open_relations.facts import Frames, OpenFact
from hybridmem.evaluation.memory_jobs.open_relations.nouns import NounPhrase

_QUESTIONS = 4
_ORDER = {"place": 1, "time": 2, "reason": 3}


@dataclass(frozen=True, slots=True)
class Part:
    """What may be said of an event besides who and what: a preposition and phrases to stand behind it.

    A "~" in one of `asks` stands for the rest of the question: "who ~ from"."""

    topic: str
    preposition: str
    asks: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb in its three forms, who does it, what it is done to and what may be added."""

    base: str
    past: str
    participle: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Added:
    part: Part
    value: str

    @property
    def text(self) -> str:
        return f" {self.part.preposition} {self.value}"


KINDS = frozenset({"person", "team"})
"""The kinds of subjects that do things."""


def draw(rng: Random, held_out: bool, subject: str | None, kind: str | None) -> OpenFact:
    """A fact about what `subject`, which is of `kind`, has done; what somebody has done, where not given."""
    verb = any_of(rng, _verbs(held_out) if kind is None else _verbs_of(kind, held_out))
    kind = kind or any_of(rng, verb.subjects)
    if subject is None:
        subject = values.sample_subject(kind, rng, held_out)
    done_to = nouns.draw(any_of(rng, verb.objects), rng, held_out)
    added = _added(verb, subject, rng, held_out)
    asked = any_of(rng, added) if added and rng.random() < 0.55 else None
    slots = {
        "s": subject,
        "base": verb.base,
        "past": verb.past,
        "part": verb.participle,
        "has": "have" if subject == SPEAKER else "has",
        "was": "were" if done_to.plural else "was",
    }
    return OpenFact(
        subject,
        f"{verb.past} {asked.part.preposition}" if asked else verb.past,
        asked.value if asked else done_to.text,
        _statement(done_to, added, slots, kind, rng, held_out),
        _questions(done_to, added, asked, slots, rng, held_out),
        None if subject == SPEAKER else _reverse_question(done_to, added, slots, rng, held_out),
        kind,
    )


def _added(verb: Verb, subject: str, rng: Random, held_out: bool) -> tuple[_Added, ...]:
    shape = rng.random()
    found: dict[str, _Added] = {}
    for _ in range(0 if shape < 0.25 else 1 if shape < 0.75 else 2):
        part = any_of(rng, verb.parts)
        value = facts.fresh_value(_phrases_of(part, held_out), subject, rng, held_out)
        found[part.topic] = _Added(part, value)
    return tuple(sorted(found.values(), key=lambda one: _ORDER.get(one.part.topic, 0)))


def _statement(
    done_to: NounPhrase, added: tuple[_Added, ...], slots: dict[str, str], kind: str, rng: Random, held_out: bool
) -> str:
    timed = any(one.part.topic == "time" for one in added)
    frames = [
        frame
        for frame in _frames(slots["s"], held_out).statements
        if (added or "{F}" not in frame)
        and not (timed and ("{has}" in frame or "I've" in frame))
        and (kind == "person" or ": I " not in frame)
    ]
    frame = facts.plain_first(rng, frames)
    behind = added
    front = ""
    if "{F}" in frame:
        first = any_of(rng, added)
        front = first.text.strip()
        behind = tuple(one for one in added if one is not first)
    return facts.say(frame, o=done_to.text, x="".join(one.text for one in behind), f=front, **slots)


def _questions(
    done_to: NounPhrase,
    added: tuple[_Added, ...],
    asked: _Added | None,
    slots: dict[str, str],
    rng: Random,
    held_out: bool,
) -> tuple[str, ...]:
    found = []
    frames = _frames(slots["s"], held_out).questions
    if asked is None:
        frames = tuple(frame for frame in frames if ", but " not in frame)
    for frame in facts.some_frames(rng, frames, _QUESTIONS):
        word = facts.question_word(rng, asked.part.asks if asked else done_to.asks)
        word, _, rest = word.partition(" ~ ")
        others = "".join(one.text for one in added if one is not asked) if rng.random() < 0.4 else ""
        tail = f" {rest}" if rest else others
        done = f" {done_to.definite}" if asked else ""
        if ", but " in frame:
            tail = f" {rest}" if rest else ""
        found.append(facts.say(frame, w=word, o=done, t=tail, **slots))
    return tuple(dict.fromkeys(found))


def _reverse_question(
    done_to: NounPhrase, added: tuple[_Added, ...], slots: dict[str, str], rng: Random, held_out: bool
) -> str:
    frame = facts.plain_first(rng, _frames(slots["s"], held_out).reverse_questions)
    rest = "".join(one.text for one in added) if rng.random() < 0.4 else ""
    return facts.say(frame, o=done_to.definite, x=rest, **slots)


@cache
def _parts() -> dict[str, Part]:
    return {
        table["name"]: Part(
            table.get("topic", table["name"]),
            table["preposition"],
            facts.phrases(table["asks"]),
            facts.phrases(table["phrases"]),
        )
        for table in facts.tables("events.toml")["parts"]
    }


@cache
def _phrases_of(part: Part, held_out: bool) -> tuple[str, ...]:
    """The phrases of `part` that are trained or held out, with about as many slots for kinds, if any."""
    slots = tuple(phrase for phrase in part.phrases if "{" in phrase)
    fixed = facts.half(tuple(phrase for phrase in part.phrases if "{" not in phrase), held_out)
    return slots * max(1, len(fixed) // max(1, len(slots))) + fixed or part.phrases


def verbs(held_out: bool) -> frozenset[str]:
    """The verbs that are trained, or those that are held out."""
    return frozenset(verb.base for verb in _verbs(held_out))


@cache
def _verbs(held_out: bool) -> tuple[Verb, ...]:
    found = []
    for table in facts.tables("events.toml")["verbs"]:
        for word in facts.phrases(table["words"]):
            base, past, participle = _forms(word)
            if is_held_out(base) == held_out:
                parts = tuple(_parts()[name] for name in table["parts"])
                subjects = tuple(table.get("subjects", ("person",)))
                found.append(Verb(base, past, participle, subjects, tuple(table["objects"]), parts))
    return tuple(found)


@cache
def _verbs_of(kind: str, held_out: bool) -> tuple[Verb, ...]:
    return tuple(verb for verb in _verbs(held_out) if kind in verb.subjects)


def _forms(word: str) -> tuple[str, str, str]:
    base, *others = word.split("/")
    past = others[0] if others else _regular_past(base)
    return base, past, others[1] if len(others) > 1 else past


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    return f"{base[:-1]}ied" if base.endswith("y") and base[-2] not in "aeiou" else f"{base}ed"


def _frames(subject: str, held_out: bool) -> Frames:
    return _all_frames("frames_for_speaker" if subject == SPEAKER else "frames", held_out)


@cache
def _all_frames(name: str, held_out: bool) -> Frames:
    return facts.frames(facts.tables("events.toml")[name], held_out)
