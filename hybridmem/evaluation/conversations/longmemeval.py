"""LongMemEval (Wu et al. 2024, arXiv:2410.10813): a question for each history of chats between a user and an assistant.

A file is a list of such histories. Beside the published `question` and `answer`, a history may have several in lists
(`questions`, `answers`), each with its own `answer_session_ids`; `question_types` then names their types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput, UnknownFormat
from hybridmem.evaluation.conversations.base import Conversation, Question, json_files
from hybridmem.importers.base import ImportedTurn, document

UNANSWERABLE = "_abs"
"""How the id of a question ends that the history does not answer."""
_OWN = "answer_"
"""How the ids of the sessions begin that were written for a published question; the others fill the history."""


def load(path: Path) -> list[Conversation]:
    """The histories of a LongMemEval file, or of a folder of such. Raises `InvalidInput` and `UnknownFormat`."""
    return [each for file in json_files(path, "a LongMemEval file") for each in _histories(file)]


def _histories(file: Path) -> Iterator[Conversation]:
    value = document(file)
    if not isinstance(value, list) or not all(
        isinstance(each, Mapping) and isinstance(each.get("haystack_sessions"), list) for each in value
    ):
        raise UnknownFormat(f"{file} is not in LongMemEval's format: expected a list with haystack_sessions in each")
    for number, history in enumerate(value, 1):
        name = str(history.get("question_id") or f"history-{number}")
        try:
            yield _history(name, history)
        except KeyError as error:
            raise InvalidInput(f"{file}, {name}: it has no {error.args[0]}") from None
        except (AttributeError, InvalidInput, TypeError, ValueError) as error:
            raise InvalidInput(f"{file}, {name}: {error}") from None


def _history(name: str, history: Mapping[str, Any]) -> Conversation:
    sessions = history["haystack_sessions"]
    dates = history.get("haystack_dates") or [None] * len(sessions)
    ids = history.get("haystack_session_ids") or [f"session_{number}" for number in range(1, len(sessions) + 1)]
    if not len(sessions) == len(dates) == len(ids):
        raise InvalidInput("its haystack_sessions, haystack_dates and haystack_session_ids are not equally many")
    turns = [
        ImportedTurn(
            str(turn["content"]),
            role=str(turn.get("role") or "user"),
            session=str(id),
            at=_time(at),
            source="longmemeval",
        )
        for id, at, said in zip(ids, dates, sessions, strict=True)
        for turn in said
        if str(turn.get("content") or "").strip()
    ]
    return Conversation(
        name, tuple(turns), tuple(str(turn.session) for turn in turns), tuple(_questions(name, history))
    )


def _questions(name: str, history: Mapping[str, Any]) -> Iterator[Question]:
    published = str(history.get("question_type") or "unknown")
    asked_on = _time(history.get("question_date"))
    if "questions" not in history:
        answerable = not name.endswith(UNANSWERABLE)
        yield Question(
            str(history["question"]),
            published if answerable else "abstention",
            _ids(history.get("answer_session_ids")),
            _text(history.get("answer")) if answerable else None,
            answerable,
            asked_on,
        )
        return
    asked, answers, places = (list(history[key]) for key in ("questions", "answers", "answer_session_ids"))
    types = history.get("question_types") or [
        published if any(id.startswith(_OWN) for id in _ids(where)) else "filler session" for where in places
    ]
    if not len(asked) == len(answers) == len(places) == len(types):
        raise InvalidInput("its questions, answers and answer_session_ids are not equally many")
    for text, answer, where, type in zip(asked, answers, places, types, strict=True):
        yield Question(str(text), str(type), _ids(where), _text(answer), asked_on=asked_on)


def _ids(value: Sequence[object] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, value or ())))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(written: object) -> datetime | None:
    """A moment as LongMemEval writes it: 2023/05/20 (Sat) 02:21."""
    if not isinstance(written, str) or not written.strip():
        return None
    day, _, rest = written.strip().partition(" (")
    try:
        return datetime.strptime(f"{day} {rest.partition(')')[2].strip() or '00:00'}", "%Y/%m/%d %H:%M").replace(
            tzinfo=UTC
        )
    except ValueError:
        raise InvalidInput(f"{written!r} is not a date like 2023/05/20 (Sat) 02:21") from None
