"""Reading exercises from the Schema-Guided Dialogue set (Rastogi et al. 2020): some turns, and what they say.

The questions stand in ``slot_questions.toml``, by service and slot; an answer is the slot's value as the turns have it.
"""

from __future__ import annotations

import json
import lzma
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.models.prompts import REFUSAL
from lab.paragraph_exercises import MOST_CHARACTERS
from lab.slot_forms import FORMS, absent_form, number_form, value_form

_QUESTIONS = Path(__file__).with_name("slot_questions.toml")
_SPEAKERS = {"USER": "User", "SYSTEM": "Agent"}
_UNSAID = frozenset({"", "dontcare", "True", "False", "None"})
_UNANSWERABLE_SHARE = 0.6
_FAR_SHARE = 0.2
_LONGEST_NAME = 4
"""Words of the known values that `_Slot.known` is searched for."""

_OFFER = re.compile(r"(?<=[:.!?] )[^.!?\n]*\b(?:such as|maybe|or|, like|specific|particular)\b[^.!?\n]*\?")
"""A question that names what might be chosen."""
_WORD = re.compile(r"[\w'&.-]*\w")

_TRAVEL = frozenset({"Buses", "Trains", "Flights", "RideSharing", "RentalCars", "Hotels", "Travel", "Weather"})
_LEISURE = frozenset({"Events", "Movies", "Media", "Music"})


@dataclass(frozen=True, slots=True)
class _Slot:
    """What some slots of the set have in common: how their value looks, and how people ask for it."""

    slots: tuple[str, ...]
    kind: str
    questions: tuple[str, ...]
    nouns: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return self.slots[0].partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Dialogue:
    turns: tuple[str, ...]
    families: frozenset[str]
    values: tuple[tuple[_Slot, str], ...]


class DialogueExercises:
    """Exercises from the dialogues at `path`, a compressed file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def draw(self, rng: Random) -> tuple[list[str], list[tuple[str, str]]] | None:
        """Lines, and two to four questions with their answers; None where the draw did not suit."""
        dialogue = any_of(rng, self._dialogues)
        lines = _window(rng, dialogue.turns)
        text = "\n".join(lines)
        stated = _stated(dialogue, text)
        if len(stated) < 2:
            return None
        chosen = rng.sample(stated, min(len(stated), rng.choices((2, 3, 4), weights=(30, 40, 30))[0]))
        exchanges = [(any_of(rng, slot.questions), value) for slot, value in chosen]
        tries = 3 if rng.random() < _UNANSWERABLE_SHARE else 0
        missing = next((slot for _ in range(tries) if (slot := self._missing(rng, dialogue, text))), None)
        if missing is not None and missing not in dict(stated):
            exchanges.insert(rng.randint(0, len(exchanges)), (any_of(rng, missing.questions), REFUSAL))
        return lines, exchanges

    def _missing(self, rng: Random, dialogue: _Dialogue, text: str) -> _Slot | None:
        """A slot of the dialogue's services that `text` does not mention, or any slot of services far from them."""
        if rng.random() < _FAR_SHARE:
            slot = any_of(rng, self._names)
            return None if _related(slot.family, dialogue.families) else slot
        near = [slot for family in sorted(dialogue.families) for slot in self._by_family.get(family, ())]
        slot = any_of(rng, [*near, *_forms_of(dialogue.families)])
        if slot.kind == "name":
            return None
        text = _without_others(dialogue, slot, text)
        if slot.kind in {"place", "closed"}:
            return None if self._mentioned(slot, text) else slot
        return None if absent_form(slot.kind, slot.nouns).search(text) else slot

    def _mentioned(self, slot: _Slot, text: str) -> bool:
        """Whether `text` holds a value that a slot of this kind has anywhere in the set."""
        words = _WORD.findall(text.lower())
        known = self._known[slot.kind if slot.kind == "place" else slot.slots[0]]
        runs = (" ".join(words[at : at + size]) for size in range(1, _LONGEST_NAME + 1) for at in range(len(words)))
        return any(run in known for run in runs)

    @cached_property
    def _dialogues(self) -> list[_Dialogue]:
        slots = {name: slot for slot in _slots() for name in slot.slots}
        with lzma.open(self._path, "rt", encoding="utf-8") as lines:
            return [_dialogue(json.loads(line), slots) for line in lines]

    @cached_property
    def _names(self) -> list[_Slot]:
        """The slots whose questions make no sense elsewhere."""
        return [slot for slot in _slots() if slot.kind == "name" and slot.family != "Calendar"]

    @cached_property
    def _by_family(self) -> dict[str, list[_Slot]]:
        found: dict[str, list[_Slot]] = {}
        for slot in _slots():
            for family in dict.fromkeys(name.partition(".")[0] for name in slot.slots):
                found.setdefault(family, []).append(slot)
        return found

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        """Every value of the places together, and of each other slot, as `_mentioned` looks for them."""
        known: dict[str, set[str]] = {}
        for slot in _slots():
            known.setdefault("place" if slot.kind == "place" else slot.slots[0], set())
        for dialogue in self._dialogues:
            for slot, value in dialogue.values:
                words = " ".join(_WORD.findall(value.lower()))
                known["place" if slot.kind == "place" else slot.slots[0]].add(words)
        return {name: frozenset(values) for name, values in known.items()}


def _slots() -> list[_Slot]:
    """The slots of services, without the forms that agents say."""
    return [slot for slot in _all_slots() if slot.family != "said"]


def _forms_of(families: frozenset[str]) -> list[_Slot]:
    """The forms that an agent of `families` may say."""
    weather = {"said.temperature", "said.rain"}
    sums = {"Banks", "Payment", "Homes"}
    return [
        slot
        for slot in _all_slots()
        if slot.family == "said"
        and ((slot.slots[0] in weather) == (families == {"Weather"}))
        and not (slot.kind == "money" and families & sums)
    ]


def _read_slots() -> Iterator[_Slot]:
    for each in tomllib.loads(_QUESTIONS.read_text(encoding="utf-8"))["slot"]:
        yield _Slot(tuple(each["slots"]), each["kind"], tuple(each["questions"]), tuple(each.get("nouns", ())))


_SLOTS: list[_Slot] = []


def _all_slots() -> list[_Slot]:
    if not _SLOTS:
        _SLOTS.extend(_read_slots())
    return _SLOTS


def _dialogue(record: dict[str, Any], slots: dict[str, _Slot]) -> _Dialogue:
    """The dialogue with the values that were said in the end; none where two slots with the same questions differ."""
    values: dict[_Slot, str | None] = {}
    families = set()
    for service, state in record["final_state"].items():
        family = service.partition("_")[0]
        families.add(family)
        for name, value in state["slots"].items():
            slot = slots.get(f"{family}.{name}")
            if slot is not None and value not in _UNSAID:
                values[slot] = value if values.get(slot, value) == value else None
    return _Dialogue(
        turns=tuple(f"{_SPEAKERS[speaker]}: {' '.join(text.split())}" for speaker, text in record["turns"]),
        families=frozenset(families),
        values=tuple((slot, value) for slot, value in values.items() if value is not None),
    )


def _window(rng: Random, turns: Sequence[str]) -> list[str]:
    """Some consecutive turns, as many as fit."""
    wanted = rng.choices(range(1, 6), weights=(15, 20, 20, 20, 25))[0]
    start = int(rng.random() * max(1, len(turns) - wanted + 1))
    lines: list[str] = []
    room = MOST_CHARACTERS
    for turn in turns[start : start + wanted]:
        room -= len(turn) + 1
        if room < 0 and lines:
            break
        lines.append(turn[:MOST_CHARACTERS])
    return lines


def _without_others(dialogue: _Dialogue, slot: _Slot, text: str) -> str:
    """`text` without the values of the dialogue's other slots of the same kind."""
    own = dict(dialogue.values).get(slot, "").lower()
    for other, value in dialogue.values:
        if other.kind == slot.kind != "number" and value.lower() not in own:
            text = value_form(value, slot.kind).sub("", text)
    return text


def _stated(dialogue: _Dialogue, text: str) -> list[tuple[_Slot, str]]:
    """What `text` states: each slot with its value, as the last mention of it has it."""
    found = []
    text = _OFFER.sub("", text)
    for slot, value in dialogue.values:
        said = _last_number(slot, value, text) if slot.kind == "number" else _last(slot, value, text)
        if said is not None:
            found.append((slot, said))
    for slot in _forms_of(dialogue.families):
        forms = {" ".join(match.group().split()) for match in FORMS[slot.kind].finditer(text)}
        if len(forms) == 1:
            found.append((slot, forms.pop()))
    return found


def _last(slot: _Slot, value: str, text: str) -> str | None:
    if value.lower() not in text.lower():
        return None
    said = [
        match.group()
        for match in value_form(value, slot.kind).finditer(text)
        if not text.endswith(_other_end(slot), 0, match.start())
    ]
    return said[-1] if said else None


def _other_end(slot: _Slot) -> str:
    """What stands before a place that is the other end of a trip: "from Oslo" is no destination."""
    end = slot.slots[0].partition(".")[2]
    return {"origin": " to ", "destination": " from "}.get(end, "\n\n")


def _last_number(slot: _Slot, value: str, text: str) -> str | None:
    """The number before the slot's nouns, where the last one there is `value`."""
    numbers = [match.group(1) for match in number_form(slot.nouns).finditer(text)]
    if not numbers:
        return None
    last = numbers[-1]
    return last if value in (last, str(_SMALL.get(last.lower()))) else None


_SMALL = {
    word: number
    for number, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), start=1)
}


def _related(family: str, families: frozenset[str]) -> bool:
    """Whether questions of `family` might be answered by a dialogue with `families`."""
    return family in families or any(family in group and families & group for group in (_TRAVEL, _LEISURE))
