"""Exercises from real text: their form on small files, and their promises on the real ones where they are there."""

from __future__ import annotations

import json
import lzma
import time
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hybridmem.evaluation.suites.model import squad_paragraphs as squad
from hybridmem.models.prompts import REFUSAL
from lab import dialogue_exercises
from lab.paragraph_exercises import MOST_CHARACTERS, MOST_LINES
from lab.real_text import Exercise, RealText

DATA = Path(__file__).parents[3] / "shared" / "data"
SQUAD = DATA / squad.FILE


def drawn(text: RealText, count: int, seed: int = 1) -> Iterator[Exercise]:
    rng = Random(seed)
    for _ in range(count):
        exercise = text.exchanges(rng)
        if exercise is not None:
            yield exercise


def dialogue(service: str, slots: dict[str, str], *turns: str) -> dict[str, Any]:
    return {
        "services": [service],
        "turns": [["USER" if at % 2 == 0 else "SYSTEM", turn] for at, turn in enumerate(turns)],
        "final_state": {service: {"intent": "NONE", "slots": slots}},
    }


def written(folder: Path, *dialogues: dict[str, Any]) -> RealText:
    with lzma.open(folder / "sgd_dialogues.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in dialogues)
    return RealText(folder, None)


def answers(text: RealText, asked: str) -> set[str]:
    """What is answered to the questions of the slot `asked`."""
    slots = dialogue_exercises._all_slots()
    questions = next(slot.questions for slot in slots if asked in slot.slots)
    return {answer for _, pairs in drawn(text, 400) for question, answer in pairs if question in questions}


def test_without_files_there_is_nothing() -> None:
    assert RealText(None, None).exchanges(Random(1)) is None
    assert RealText(Path("missing"), Path("missing.json")).exchanges(Random(1)) is None


def test_the_last_mention_of_the_final_value_is_the_answer(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        dialogue(
            "Restaurants_1",
            {"city": "Palo Alto", "party_size": "2", "time": "11:30 am", "restaurant_name": "Bird Dog"},
            "I want to eat in San Jose, or rather palo alto, at 11:30 am.",
            "Bird Dog is in Palo Alto. A table for 3 people?",
            "For two people at 11:30 am.",
        ),
    )
    assert answers(text, "Restaurants.city") - {REFUSAL} == {"palo alto", "Palo Alto"}
    assert answers(text, "Restaurants.party_size") <= {"two", REFUSAL}
    assert answers(text, "Restaurants.time") >= {"11:30 am"}


def test_what_is_not_said_is_refused_but_never_what_might_be(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        dialogue(
            "Flights_1",
            {"origin_city": "Oslo", "destination_city": "Riga", "departure_date": "March 3rd", "airlines": "Air Foo"},
            "I want to fly from Oslo on March 3rd with Air Foo.",
            "And where do you want to go?",
            "To Riga.",
        ),
    )
    assert answers(text, "Flights.destination_city") <= {"Riga", REFUSAL}
    assert answers(text, "Flights.return_date") == {REFUSAL}, "the date of departure is no return date"
    assert answers(text, "Flights.departure_date") == {"March 3rd"}
    assert answers(text, "Flights.airlines") == {"Air Foo"}


def test_an_origin_is_no_destination(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        dialogue(
            "Buses_1",
            {"from_location": "Riga", "leaving_time": "7 am", "travelers": "1"},
            "From Oslo to Riga at 7 am for 1 person, please.",
            "A bus from Oslo to Riga at 7 am for 1 person.",
        ),
    )
    assert "Riga" not in answers(text, "Buses.from_location")


def test_a_paragraph_is_asked_about_what_its_lines_say(tmp_path: Path) -> None:
    path = tmp_path / "squad.json"
    title = next(each for each in ("A", "B", "C", "D") if not squad.is_held_out(each))
    asked = [
        {"question": "Who lives in Riga?", "answer": "Ana"},
        {"question": "What does Ana keep?", "answer": "a ferret"},
        {"question": "What colour is the house?", "answer": "blue"},
    ]
    context = "Ana lives in Riga and keeps a ferret.[citation needed] Ben painted his house blue."
    path.write_text(json.dumps([{"title": title, "context": context, "questions": asked}]))
    exercises = list(drawn(RealText(None, path), 50))
    assert exercises
    for lines, pairs in exercises:
        assert "citation" not in " ".join(lines)
        for question, answer in pairs:
            assert answer in (" ".join(lines) if answer != REFUSAL else REFUSAL)
            assert (answer == REFUSAL) == (answer != "blue" and "colour" in question)


def test_every_slot_has_its_own_wordings() -> None:
    slots = tomllib.loads(dialogue_exercises._QUESTIONS.read_text(encoding="utf-8"))["slot"]
    names = [name for slot in slots for name in slot["slots"]]
    assert len(names) == len(set(names)) > 100
    for slot in slots:
        assert len(set(slot["questions"])) >= 3
        assert all(question.endswith("?") for question in slot["questions"])
        assert (slot["kind"] == "number") == ("nouns" in slot)


def test_the_real_files() -> None:
    if not (SQUAD.is_file() and (DATA / "text" / "sgd_dialogues.jsonl.xz").is_file()):
        pytest.skip(f"{DATA} is not here")
    text = RealText(DATA / "text", SQUAD)
    assert text.exchanges(Random(0)) == text.exchanges(Random(0))
    next(drawn(text, 50))
    started = time.process_time()
    exercises = list(drawn(text, 1000))
    assert time.process_time() - started < 1000 * 0.004, "a draw is to take under a millisecond; allow a busy machine"
    assert exercises[:200] == list(islice(drawn(text, 1000), 200))
    held_out = " ".join(each.context for each in squad.read(SQUAD) if squad.is_held_out(each.title))
    refused = told = 0
    assert len(exercises) > 960
    for lines, pairs in exercises:
        assert 1 <= len(lines) <= MOST_LINES
        assert sum(map(len, lines)) <= MOST_CHARACTERS
        assert 2 <= len(pairs) <= 5
        assert len({question for question, _ in pairs}) == len(pairs)
        assert not any(line in held_out for line in lines if len(line) > 60)
        refusals = [answer for _, answer in pairs if answer == REFUSAL]
        assert len(refusals) <= 1
        refused, told = refused + len(refusals), told + len(pairs)
        assert all(answer in "\n".join(lines) for _, answer in pairs if answer != REFUSAL)
    assert 0.1 < refused / told < 0.25
