"""LoCoMo (Maharana et al. 2024, arXiv:2402.17753): long conversations in sessions, with questions about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate, InvalidInput, UnknownFormat
from hybridmem.core.records import checked_text
from hybridmem.importers.base import BrokenLine, ImportedTurn, document

ANSWERABLE = (1, 2, 3, 4)
"""Categories with an answer in the conversation; 5 is adversarial."""

_SESSION = re.compile(r"session_(\d+)")
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a conversation."""

    text: str
    category: int
    evidence: tuple[str, ...]
    """The `dia_id`s of the turns that answer it, as far as they are in the conversation."""
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One sample: its turns in order, and its questions."""

    sample: str
    turns: tuple[ImportedTurn, ...]
    questions: tuple[Question, ...]
    broken: tuple[BrokenLine, ...] = ()


def read(path: Path) -> Iterator[ImportedTurn | BrokenLine]:
    """The turns of every conversation, with sessions named ``SAMPLE/session_N``. Raises `InvalidInput`."""
    for conversation in load(path):
        yield from conversation.turns
        yield from conversation.broken


def load(path: Path) -> list[Conversation]:
    """The conversations of a file, with their questions. Raises `InvalidInput` and `UnknownFormat`."""
    value = document(path)
    if not recognises(value):
        raise UnknownFormat(
            f"{path} is not in LoCoMo's format: expected objects with a conversation of session_N lists"
        )
    samples = value if isinstance(value, list) else [value]
    return [_conversation(sample, index) for index, sample in enumerate(samples, 1)]


def recognises(value: object) -> bool:
    """Whether a JSON document is a LoCoMo sample or a list of them."""
    samples = value if isinstance(value, list) else [value]
    return bool(samples) and all(
        isinstance(sample, Mapping)
        and isinstance(sample.get("conversation"), Mapping)
        and any(_SESSION.fullmatch(key) for key in sample["conversation"])
        for sample in samples
    )


def _conversation(sample: Mapping[str, Any], index: int) -> Conversation:
    name = str(sample.get("sample_id") or f"sample-{index}")
    spoken: Mapping[str, Any] = sample["conversation"]
    turns: list[ImportedTurn] = []
    broken: list[BrokenLine] = []
    sessions = sorted((int(match[1]), key) for key in spoken if (match := _SESSION.fullmatch(key)))
    for _, key in sessions:
        at = _time(spoken.get(f"{key}_date_time"), f"{name}/{key}")
        for number, turn in enumerate(spoken[key] or [], 1):
            try:
                turns.append(_turn(turn, f"{name}/{key}", at))
            except InvalidInput as error:
                broken.append(BrokenLine(number, f"{name}/{key}, turn {number}: {error}"))
    known = {turn.metadata["dia_id"] for turn in turns if "dia_id" in turn.metadata}
    questions = tuple(_question(asked, known) for asked in sample.get("qa") or [] if isinstance(asked, Mapping))
    return Conversation(name, tuple(turns), questions, tuple(broken))


def _turn(turn: object, session: str, at: datetime | None) -> ImportedTurn:
    if not isinstance(turn, Mapping) or not isinstance(turn.get("text"), str):
        raise InvalidInput("it has no text")
    text, caption = turn["text"], turn.get("blip_caption")
    metadata = {"dia_id": str(turn["dia_id"])} if turn.get("dia_id") else {}
    if isinstance(caption, str) and caption.strip():
        text = f"{text} [photo: {caption.strip()}]".strip()
    speaker = str(turn["speaker"]) if turn.get("speaker") else None
    return ImportedTurn(checked_text(text), speaker=speaker, session=session, at=at, source="locomo", metadata=metadata)


def _question(asked: Mapping[str, Any], known: set[str]) -> Question:
    # the published evidence has slips: "D8:6; D9:17" in one string, "D:11:26", and a bare "D"
    pairs = _EVIDENCE.findall(" ".join(map(str, asked.get("evidence") or [])))
    named = dict.fromkeys(f"D{session}:{turn}" for session, turn in pairs)
    evidence = tuple(dia_id for dia_id in named if dia_id in known)
    answer = asked.get("answer")
    return Question(
        str(asked.get("question", "")),
        int(asked.get("category") or 0),
        evidence,
        None if answer is None else str(answer),
    )


def _time(written: object, where: str) -> datetime | None:
    if not isinstance(written, str) or not written.strip():
        return None
    try:
        return datetime.strptime(written.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return parse_time(written)
    except InvalidDate:
        raise InvalidDate(f"{where}: {written!r} is not a date like 1:56 pm on 8 May, 2023, or ISO 8601") from None
