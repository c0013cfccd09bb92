"""Facts of the form "the locker number of Mira is 43", over hundreds of attributes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import values
from hybridmem.evaluation.memory_jobs.drawing import any_of, is_held_out
from hybridmem.evaluation.memory_jobs.open_relations import facts
from hybridmem.evaluation.memory_jobs.open_relations.facts import Frames, OpenFact

_QUESTIONS = 4
_REVERSIBLE = 0.75


@dataclass(frozen=True, slots=True)
class Attribute:
    """What subjects of some kinds may have; `values` are phrases with ``{kind}`` in them or without."""

    name: str
    subjects: tuple[str, ...]
    values: tuple[str, ...]
    asks: tuple[str, ...]
    setting: bool


@dataclass(frozen=True, slots=True)
class _Wording:
    of_others: Frames
    of_speaker: Frames
    of_settings: Frames


def draw(rng: Random, held_out: bool, subject: str | None, kind: str | None) -> OpenFact:
    """A fact about `subject`, which is of `kind`; about anybody or anything of `kind`, or of any, where not given."""
    attribute = any_of(rng, _attributes(held_out) if kind is None else _attributes_of(kind, held_out))
    kind = kind or any_of(rng, attribute.subjects)
    if subject is None:
        subject = values.sample_subject(kind, rng, held_out)
    value = facts.fresh_value(attribute.values, subject, rng, held_out)
    slots = {
        "s": subject,
        "a": attribute.name,
        "A": attribute.name[0].upper() + attribute.name[1:],
        "o": value,
        "k": kind,
    }
    return OpenFact(
        subject,
        f"{attribute.name} is",
        value,
        facts.say(_statement(attribute, subject, rng, held_out), **slots),
        _questions(attribute, slots, rng, held_out),
        _reverse_question(attribute, slots, rng, held_out),
        kind,
    )


def _statement(attribute: Attribute, subject: str, rng: Random, held_out: bool) -> str:
    wording = _wording(held_out)
    if subject == SPEAKER:
        return facts.plain_first(rng, wording.of_speaker.statements)
    if attribute.setting and rng.random() < 0.4:
        return facts.plain_first(rng, wording.of_settings.statements)
    return facts.plain_first(rng, wording.of_others.statements)


def _questions(attribute: Attribute, slots: dict[str, str], rng: Random, held_out: bool) -> tuple[str, ...]:
    wording = _wording(held_out)
    frames = (wording.of_speaker if slots["s"] == SPEAKER else wording.of_others).questions
    found = []
    for frame in facts.some_frames(rng, frames, _QUESTIONS):
        what = facts.question_word(rng, attribute.asks)
        if what not in ("what", "who") and " have as " in frame:
            what = "what"
        if " " in what:
            frame = frame.replace("{What}'s", "{What} is")
        found.append(facts.say(frame, what=what, **slots))
    return tuple(dict.fromkeys(found))


def _reverse_question(attribute: Attribute, slots: dict[str, str], rng: Random, held_out: bool) -> str | None:
    closed = {f"{{{kind}}}" for kind in values.CLOSED}
    open_values = any("{" in phrase and phrase not in closed for phrase in attribute.values)
    if slots["s"] == SPEAKER or not open_values or rng.random() > _REVERSIBLE:
        return None
    return facts.say(facts.plain_first(rng, _wording(held_out).of_others.reverse_questions), **slots)


@cache
def _attributes(held_out: bool) -> tuple[Attribute, ...]:
    """The attributes that are trained, or those that are held out."""
    found = []
    for table in facts.tables("attributes.toml")["attributes"]:
        given = (f"{{{table['value']}}}",) if "value" in table else facts.phrases(table["phrases"])
        asks = facts.phrases(table.get("asks", "what"))
        for name in facts.phrases(table["names"]):
            if is_held_out(name) == held_out:
                found.append(Attribute(name, tuple(table["subjects"]), given, asks, table.get("setting", False)))
    return tuple(found)


@cache
def _attributes_of(kind: str, held_out: bool) -> tuple[Attribute, ...]:
    return tuple(attribute for attribute in _attributes(held_out) if kind in attribute.subjects)


def names(held_out: bool) -> frozenset[str]:
    """The names of the attributes that are trained, or of those that are held out."""
    return frozenset(attribute.name for attribute in _attributes(held_out))


@cache
def kinds() -> frozenset[str]:
    """The kinds of subjects that have attributes, in training and held out."""
    return frozenset(
        kind for attribute in _attributes(False) for kind in attribute.subjects if _attributes_of(kind, True)
    )


@cache
def _wording(held_out: bool) -> _Wording:
    tables = facts.tables("attributes.toml")
    return _Wording(
        *(facts.frames(tables[name], held_out) for name in ("frames", "frames_for_speaker", "frames_of_settings"))
    )
