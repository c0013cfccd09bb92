"""A ledger whose texts are read, or written, without the secrets in them.

What a dream reads, it reads through one: no prompt, exercise or adapter ever holds a password. A memory that is opened
with ``redact="store"`` writes through one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar, cast

from hybridmem.core.records import Episode, Event, Fact, TrainingItem
from hybridmem.core.standing import Block, StandingQuestion, Statement
from hybridmem.redaction import is_redacted, redact
from hybridmem.stores.ledger.archive import Archive, KeptQuestion
from hybridmem.stores.ledger.base import Ledger

READING = frozenset(
    {
        "archive",
        "around",
        "details",
        "episodes",
        "facts",
        "get",
        "get_many",
        "history",
        "items",
        "latest",
        "matching",
        "neighbours",
    }
    | {"newest", "said", "texts", "unextracted"}
    | {"blocks", "block_history", "standing_questions"}
)
WRITING = frozenset(
    {"annotate", "append", "put_episodes", "put_fact", "restore", "save_items", "update_text"}
    | {"put_block", "put_standing_question"}
)
"""The methods of a ledger that return texts, and those that take some."""
T = TypeVar("T")


def redacted(ledger: Ledger, when: Literal["read", "written"]) -> Ledger:
    """`ledger` with its texts redacted when they are `when`; everything else is passed on."""
    return cast(Ledger, _Redacted(ledger, READING if when == "read" else WRITING, when))


class _Redacted:
    def __init__(self, ledger: Ledger, methods: Collection[str], when: Literal["read", "written"]) -> None:
        self._ledger, self._methods, self._when = ledger, methods, when

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if name not in self._methods:
            return found
        return _reading(found) if self._when == "read" else _writing(found)


def _reading(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def read(*given: Any, **named: Any) -> Any:
        return _without_secrets(method(*given, **named))

    return read


def _writing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def write(*given: Any, **named: Any) -> Any:
        return method(*map(_without_secrets, given), **{name: _without_secrets(value) for name, value in named.items()})

    return write


def without_secrets(record: T) -> T:
    """`record` (an episode, a fact, a training item or an event) with its texts redacted; the same one where there is
    no secret in it."""
    changes: dict[str, Any] = {}
    for name in _TEXTS.get(type(record), ()):
        value = getattr(record, name)
        found = _without_secrets(value)
        if found != value:
            changes[name] = found
    return cast(T, replace(cast(Any, record), **changes)) if changes else record


def holds_secret(record: Episode | Fact | TrainingItem) -> bool:
    """Whether a secret was removed from one of the texts of a `record` that was read without them."""
    return any(is_redacted(str(getattr(record, name))) for name in _TEXTS[type(record)])


_TEXTS: Mapping[type, tuple[str, ...]] = {
    Episode: ("text", "metadata"),
    Fact: ("subject", "relation", "object", "text", "question"),
    TrainingItem: ("question", "answer", "context"),
    Event: ("text",),
    Archive: ("memories", "events", "blocks", "block_events", "questions"),
    Block: ("value", "description"),
    StandingQuestion: ("question", "statements"),
    Statement: ("text",),
    KeptQuestion: ("question",),
}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _without_secrets(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_secrets(each) for each in value)
    return without_secrets(value) if type(value) in _TEXTS else value
