"""What every ledger takes and decides alike, whatever it is kept in: plain functions of records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from hybridmem.core.clock import parse_time
from hybridmem.core.edit import Edit, Unchanged
from hybridmem.core.errors import InvalidDate, InvalidEncoding, InvalidInput
from hybridmem.core.namespace import checked_namespace
from hybridmem.core.plain_json import plain_json
from hybridmem.core.records import (
    MAX_METADATA,
    AdapterRecord,
    Episode,
    Fact,
    TrainingItem,
    checked_text,
    sound_text,
)
from hybridmem.core.roles import checked_trust
from hybridmem.core.text.tokens import whole_words

Record = TypeVar("Record", Episode, Fact, TrainingItem, AdapterRecord)


def checked_episode(episode: Episode) -> Episode:
    """`episode` with UTC times and plain JSON metadata. Raises a kind of `InvalidInput`."""
    checked_text(episode.text)
    changes = _sound(episode) | {
        "namespace": checked_namespace(episode.namespace),
        "trust": checked_trust(episode.trust),
        "at": parse_time(episode.at),
        "recorded_at": parse_time(episode.recorded_at),
        "metadata": _bounded(plain_json(episode.metadata, "the metadata")) if episode.metadata else {},
        "expires_at": _time_or_none(episode.expires_at),
        "position": 0,
    }
    return replace(episode, **changes)


def checked_fact(fact: Fact) -> Fact:
    """`fact` with UTC times and each source once. Raises a kind of `InvalidInput`."""
    for text in (fact.subject, fact.relation, fact.object, fact.text):
        checked_text(text)
    if fact.question:
        checked_text(fact.question)
    if fact.evidence < 1:
        raise InvalidInput(f"the fact {fact.id} has evidence {fact.evidence}: it takes at least 1")
    starts, ends = parse_time(fact.valid_from), _time_or_none(fact.valid_to)
    if ends is not None and (ends < starts or (ends == starts and fact.current)):
        if ends == starts:
            advice = "where it begins: valid_to is the first moment at which it no longer holds"
        else:
            advice = "before it begins: swap valid_from and valid_to"
        raise InvalidDate(f"the fact {fact.id} ends at {ends:%Y-%m-%d}, {advice}")
    return replace(
        _encodable(fact),
        namespace=checked_namespace(fact.namespace),
        trust=checked_trust(fact.trust),
        valid_from=starts,
        valid_to=ends,
        stated_to=_time_or_none(fact.stated_to),
        recorded_at=parse_time(fact.recorded_at),
        retired_at=_time_or_none(fact.retired_at),
        sources=tuple(dict.fromkeys(fact.sources)),
        metadata=_bounded(plain_json(fact.metadata, "the metadata")),
        expires_at=_time_or_none(fact.expires_at),
        position=0,
    )


def checked_item(item: TrainingItem) -> TrainingItem:
    """`item` with texts that a database takes. Raises a kind of `InvalidInput`."""
    return replace(_encodable(item), namespace=checked_namespace(item.namespace), context=tuple(item.context))


def checked_adapter(adapter: AdapterRecord) -> AdapterRecord:
    """`adapter` with each fact once and only facts of its own tainted. Raises a kind of `InvalidInput`."""
    facts = tuple(dict.fromkeys(adapter.facts))
    return replace(
        _encodable(adapter),
        namespace=checked_namespace(adapter.namespace),
        created_at=parse_time(adapter.created_at),
        facts=facts,
        tainted=tuple(fact for fact in facts if fact in adapter.tainted),
        scores=plain_json(adapter.scores, "the scores"),
        files=plain_json(adapter.files, "the files"),
    )


def checked_edit(edit: Edit) -> Edit:
    """`edit` with a UTC time and plain JSON metadata. Raises a kind of `InvalidInput`."""
    expires = edit.expires_at
    return replace(
        edit,
        metadata=None if edit.metadata is None else _bounded(plain_json(edit.metadata, "the metadata")),
        expires_at=expires if isinstance(expires, Unchanged) else _time_or_none(expires),
    )


def _bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(metadata, ensure_ascii=False))
    if size > MAX_METADATA:
        raise InvalidInput(
            f"the metadata has {size:,} characters as JSON and one memory takes {MAX_METADATA:,}: keep what is large "
            "elsewhere, and its place here"
        )
    return metadata


def unused_ids(ids: Iterable[str], taken: Iterable[str]) -> None:
    """Raise `InvalidInput` where an id is one of `taken` or comes twice."""
    seen = set(taken)
    for id in ids:
        if id in seen:
            raise InvalidInput(f"the id {id!r} is already in the ledger: leave the id out to get a new one")
        seen.add(id)


def quotes(passages: Iterable[str], texts: Sequence[str]) -> bool:
    """Whether one of `passages` has one of `texts` in it as whole words, however its white space is folded."""
    words = whole_words(*(" ".join(text.split()) for text in texts))
    return any(words.search(" ".join(passage.split())) for passage in passages)


def trustworthy(fact: Fact) -> bool:
    """Whether weights that hold `fact` may be trusted on it."""
    return fact.current and not fact.quarantined


def settled_status(adapter: AdapterRecord, alias: str | None) -> Literal["candidate", "active", "retired", "rejected"]:
    """The status to store: `active` is the alias's to give."""
    if adapter.version == alias:
        return "active"
    return "candidate" if adapter.status == "active" else adapter.status


def _time_or_none(value: datetime | None) -> datetime | None:
    return None if value is None else parse_time(value)


def _encodable(record: Record) -> Record:
    """`record` with texts that a database takes. Raises `InvalidEncoding`."""
    return replace(record, **_sound(record))


def _sound(record: Record) -> dict[str, Any]:
    """The texts of `record` that a database does not take as they are, as it takes them (see `sound_text`), by field.
    Raises `InvalidEncoding` for a NUL character."""
    sound: dict[str, Any] = {}
    for name in (field.name for field in fields(record)):
        value = getattr(record, name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and "\x00" in text:
                raise InvalidEncoding(f"the {name} has a NUL character: remove it")
        if isinstance(value, str) and not value.isascii():
            sound[name] = sound_text(value)
        elif isinstance(value, tuple):
            sound[name] = tuple(sound_text(each) if isinstance(each, str) else each for each in value)
    return sound
