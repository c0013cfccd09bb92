"""What a benchmark of conversations is: turns to remember, and questions with the places that answer them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode
from hybridmem.core.roles import role_of
from hybridmem.importers.base import ImportedTurn, checked_file

Place = Literal["turn", "session"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a conversation."""

    text: str
    type: str
    evidence: tuple[str, ...] = ()
    """The places that answer it; empty where the file names none, or none that is there."""
    answer: str | None = None
    answerable: bool = True
    """Whether the conversation has the answer."""
    asked_on: datetime | None = None
    """The day from which its "last week" is seen; the conversation's end where None."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation in order, and what is asked of it."""

    name: str
    turns: tuple[ImportedTurn, ...]
    places: tuple[str, ...]
    """Of each turn: the name by which `Question.evidence` knows it, or its session."""
    questions: tuple[Question, ...]

    @property
    def ended(self) -> datetime | None:
        return max((turn.at for turn in self.turns if turn.at), default=None)

    @property
    def with_evidence(self) -> list[Question]:
        return [question for question in self.questions if question.answerable and question.evidence]

    def episodes(self, namespace: Namespace) -> Iterator[Episode]:
        """The turns, with ids in their order."""
        for number, turn in enumerate(self.turns):
            yield Episode(
                f"{self.name}-{number:06}",
                namespace,
                turn.text,
                role=role_of(turn.role),
                speaker=turn.speaker,
                session=turn.session,
                source=turn.source,
                at=turn.at or utc_now(),
                metadata=turn.metadata,
            )


@dataclass(frozen=True, slots=True)
class Suite:
    """One benchmark."""

    name: str
    summary: str
    paper: str
    licence: str
    place: Place
    """What its evidence names."""
    load: Callable[[Path], list[Conversation]]
    """Reads a file or a folder. Raises `InvalidInput` and `UnknownFormat`."""


def json_files(path: Path, wanted: str, suffixes: Collection[str] = (".json",)) -> list[Path]:
    """`path`, or the files of that folder that end in one of `suffixes`. Raises `InvalidInput`."""
    if not path.is_dir():
        return [checked_file(path)]
    found = sorted(file for file in path.iterdir() if file.suffix in suffixes)
    if not found:
        raise InvalidInput(f"{path} holds no .json file: name {wanted}")
    return found
