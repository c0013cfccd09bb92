"""What the memory skills are trained on: groups of exercises, drawn job by job in given shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

from hybridmem.evaluation.memory_jobs import relations
from hybridmem.models.prompts import Message
from lab.general_text import GeneralText
from lab.real_text import RealText
from lab.skills.exercises import Group, NaturalExercises
from lab.skills.natural import NaturalRecord
from lab.skills.worlds import World, WorldExercises
from lab.writer import Document, Mixture, Writer

_QUESTION = "\nQuestion: "


@dataclass(frozen=True, slots=True)
class Shares:
    """How often each job is drawn, relative to the others."""

    read: float = 16
    read_world: float = 36
    read_alone: float = 14
    propositions: float = 20
    questions: float = 10
    facts: float = 5
    without_memories: float = 2
    real_text: float = 10
    generated_read: float = 5
    generated_facts: float = 3
    generated_question: float = 2
    paraphrase: float = 2
    general_text: float = 3


def stream(
    records: list[NaturalRecord],
    seed: int,
    text_folder: Path | None,
    shares: Shares | None = None,
    worlds: Sequence[World] = (),
) -> Iterator[Group | str]:
    """Endless groups of exercises and pieces of general text, the same for the same arguments.

    Without `text_folder` (its neighbour ``squad_dev`` holds the paragraphs) none is of real text."""
    rng = Random(seed)  # noqa: S311
    shares = shares or Shares()
    writer = Writer(rng, relations.load(), Mixture())
    jobs: dict[Callable[[], Group | str], float] = {
        lambda: regrouped(writer.read()): shares.generated_read,
        lambda: regrouped(writer.facts()): shares.generated_facts,
        lambda: regrouped(writer.question()): shares.generated_question,
        lambda: regrouped(writer.paraphrase()): shares.paraphrase,
    }
    if records:
        natural = NaturalExercises(records, rng)
        jobs |= {
            natural.read: shares.read,
            natural.propositions: shares.propositions,
            natural.questions: shares.questions,
            natural.facts: shares.facts,
            natural.without_memories: shares.without_memories,
        }
    if worlds:
        lives = WorldExercises(worlds, rng)
        jobs |= {lives.read: shares.read_world, lives.read_alone: shares.read_alone}
    if text_folder is not None:
        text = GeneralText(text_folder)
        real = RealText(text_folder, text_folder.parent / "squad_dev" / "squad_dev.json")
        jobs[lambda: regrouped(writer.real_text(real))] = shares.real_text
        jobs[lambda: text.chunk(rng)] = shares.general_text
    makers, bounds = list(jobs), list(accumulate(jobs.values()))
    while True:
        drawn = rng.choices(makers, cum_weights=bounds)[0]()
        if drawn:
            yield drawn


def regrouped(document: Document) -> Group:
    """A chat of several exchanges as exercises that stand alone: each has the memories of the first in its prompt."""
    if isinstance(document, str):
        return []
    pairs = [(document[at]["content"], document[at + 1]["content"]) for at in range(0, len(document), 2)]
    memories, behind, _ = pairs[0][0].partition(_QUESTION)
    shared = memories + "\n" if behind else ""
    return [(_user(user if not at else shared + user), answer) for at, (user, answer) in enumerate(pairs)]


def _user(content: str) -> list[Message]:
    return [{"role": "user", "content": content}]
