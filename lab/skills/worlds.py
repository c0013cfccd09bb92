"""Worlds: some weeks of one life in messages, with questions across them (the schema is in ``lab/worlds/README.md``).

What a search finds for a question lies in one life: the same people, days and prices in several memories, of which one
is meant. Records that have nothing to do with each other cannot teach that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.models import prompts
from lab.skills.exercises import Group, Line, casually

FOLDER = Path(__file__).parents[1] / "worlds"
MOST_MEMORIES = 6
MOST_ASKED = 9


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer, and the numbers of the messages that give it: the newest value's, where it changed."""

    question: str
    answer: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Messages of one speaker in order of time, and what is asked about them."""

    id: str
    messages: tuple[Line, ...]
    questions: tuple[Asked, ...]
    unanswerable: tuple[str, ...]
    yes_no: tuple[Asked, ...]


def load(folder: Path = FOLDER) -> list[World]:
    """All worlds, file by file. Raises `ValueError` naming the line that is none."""
    return [world for file in sorted(folder.glob("*.jsonl")) for world in read(file)]


def read(file: Path) -> list[World]:
    """The worlds of one file. Raises `ValueError` naming the line that is none."""
    worlds = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        try:
            worlds.append(_world(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file.name}, line {number} is no world: {error}") from error
    return worlds


def problems(world: World) -> list[str]:
    """What is wrong with a world: messages in disorder, sources that are not there, answers that are neither."""
    times = [line.at for line in world.messages]
    found = ["messages in disorder"] * (times != sorted(times))
    for asked in (*world.questions, *world.yes_no):
        if not asked.sources or not all(0 <= at < len(world.messages) for at in asked.sources):
            found.append(f"no such message: {asked.sources} of {asked.question!r}")
    found += [f"no answer: {asked.question!r}" for asked in world.questions if not asked.answer.strip()]
    found += [f"neither Yes nor No: {a.answer!r}" for a in world.yes_no if a.answer not in {"Yes", "No"}]
    return found


class WorldExercises:
    """Draws groups from `worlds`; every draw is the same for the same state of `rng`."""

    def __init__(self, worlds: Sequence[World], rng: Random) -> None:
        self._worlds, self._rng = list(worlds), rng

    def read(self) -> Group:
        """Questions over what a search might find for the first of them, among it what only looks right."""
        rng = self._rng
        world = rng.choice(self._worlds)
        first = rng.choice((*world.questions, *world.yes_no))
        shown = self._found(world, first, rng.randint(max(2, len(first.sources)), MOST_MEMORIES))
        asked = [
            (each.question, each.answer)
            for each in (*world.questions, *world.yes_no)
            if each is not first and set(each.sources) <= set(shown)
        ]
        rng.shuffle(asked)
        refused = rng.sample(world.unanswerable, min(2, len(world.unanswerable)))
        asked = [(first.question, first.answer), *((q, prompts.REFUSAL) for q in refused), *asked][:MOST_ASKED]
        rng.shuffle(asked)
        return self._group(world, shown, asked)

    def read_alone(self) -> Group:
        """Questions over one memory: what it says, and what it has nothing to say about although it is near."""
        rng = self._rng
        world = rng.choice(self._worlds)
        at = rng.randrange(len(world.messages))
        asked = [(a.question, a.answer) for a in (*world.questions, *world.yes_no) if a.sources == (at,)]
        text = normalised(world.messages[at].text)
        # An earlier message may hold an older value, which would be the right answer where it is all that is known.
        elsewhere = [
            (each.question, prompts.REFUSAL)
            for each in world.questions
            if max(each.sources) < at and not contains_words(text, normalised(each.answer))
        ]
        elsewhere += [(question, prompts.REFUSAL) for question in world.unanswerable]
        rng.shuffle(elsewhere)
        chosen = [*asked, *elsewhere[: max(2, len(asked))]][:MOST_ASKED]
        rng.shuffle(chosen)
        return self._group(world, [at], chosen)

    def _found(self, world: World, asked: Asked, count: int) -> list[int]:
        """Numbers of `count` messages: the sources of what is `asked`, and mostly those that share words with it."""
        words = set(normalised(asked.question).split()) | set(normalised(asked.answer).split())
        near = sorted(
            (at for at in range(len(world.messages)) if at not in asked.sources),
            key=lambda at: -len(words & set(normalised(world.messages[at].text).split())) + self._rng.random() * 2,
        )
        return sorted([*asked.sources, *near[: count - len(asked.sources)]])

    def _group(self, world: World, shown: Sequence[int], asked: Sequence[tuple[str, str]]) -> Group:
        named = self._rng.random() < 0.7
        dated = self._rng.random() < 0.8
        lines = [
            prompts.memory(
                world.messages[at].text,
                speaker=world.messages[at].speaker if named else None,
                at=world.messages[at].at if dated else None,
            )
            for at in shown
        ]
        return [(prompts.answer(casually(question, self._rng), lines), answer) for question, answer in asked]


def _world(line: dict[str, Any]) -> World:
    return World(
        id=line["id"],
        messages=tuple(
            Line(datetime.fromisoformat(each["at"]), line["speaker"], each["text"]) for each in line["messages"]
        ),
        questions=_asked(line["questions"]),
        unanswerable=tuple(line["unanswerable"]),
        yes_no=_asked(line["yes_no"]),
    )


def _asked(given: Sequence[dict[str, Any]]) -> tuple[Asked, ...]:
    return tuple(Asked(each["q"], each["a"], tuple(each["from"])) for each in given)
