"""Blocks and standing questions in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text, update

from hybridmem.core.clock import parse_time
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Event
from hybridmem.core.standing import Block, StandingQuestion, Statement, checked_block, checked_question
from hybridmem.stores.ledger.archive import Archive, KeptQuestion, Restored, fitted_standing
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import find
from hybridmem.stores.ledger.sql.database import Database
from hybridmem.stores.ledger.sql.rows import Row, event_of, event_row, key, micros, namespace_of, time_of
from hybridmem.stores.ledger.standing import block_event

_BLOCKS = text("SELECT * FROM blocks WHERE namespace = :namespace")
"""Built once: every conversation begins with them."""


class StandingRows:
    """The part of `SqlLedger` that `Standing` asks for."""

    _database: Database

    def blocks(self, namespace: Namespace) -> list[Block]:
        with self._database.read() as connection:
            return _blocks(connection, namespace)

    def put_block(self, namespace: Namespace, block: Block, *, replaces: Block | None, by: str) -> Block | None:
        block = checked_block(block)
        with self._database.write() as connection:
            found = connection.execute(_one(tables.blocks, namespace, block.label)).mappings().first()
            stored = _block_of(found) if found is not None else None
            if stored != replaces:
                return None
            event = block_event(stored, block, by)
            if event is None:
                return stored
            if stored is not None:
                connection.execute(delete(tables.blocks).where(*_named(tables.blocks, namespace, block.label)))
            connection.execute(insert(tables.blocks), _block_row(namespace, block))
            _record(connection, namespace, event)
        return block

    def remove_block(self, namespace: Namespace, label: str, at: datetime, *, by: str) -> dict[str, int]:
        events = tables.block_events
        with self._database.write() as connection:
            if connection.execute(_one(tables.blocks, namespace, label)).first() is None:
                return {}
            named = _named(events, namespace, label)
            texts = select(func.count()).select_from(events).where(*named, events.c.text.is_not(None))
            count = connection.execute(texts).scalar_one()
            connection.execute(update(events).where(*named).values(text=None, changes=None))
            _record(connection, namespace, Event(label, "deleted", parse_time(at), None, by))
            connection.execute(delete(tables.blocks).where(*_named(tables.blocks, namespace, label)))
            self._database.require_scrub(connection)
        self._database.scrub()
        return {"ledger": 1, "history": count}

    def block_history(self, namespace: Namespace, label: str) -> list[Event]:
        table = tables.block_events
        query = select(table).where(*_named(table, namespace, label)).order_by(table.c.number)
        with self._database.read() as connection:
            return [_event_of(row) for row in connection.execute(query).mappings()]

    def standing_questions(self, namespace: Namespace) -> list[StandingQuestion]:
        table = tables.standing_questions
        query = select(table).where(table.c.namespace == key(namespace)).order_by(table.c.id)
        with self._database.read() as connection:
            return [_question_of(row) for row in connection.execute(query).mappings()]

    def put_standing_question(self, question: StandingQuestion) -> None:
        table, checked = tables.standing_questions, checked_question(question)
        with self._database.write() as connection:
            if len(find(connection, checked.namespace, checked.shown)) < len(checked.shown):
                checked = checked.unanswered()
            same = (table.c.namespace == key(checked.namespace), table.c.id == checked.id)
            connection.execute(delete(table).where(*same))
            connection.execute(insert(table), _question_row(checked))

    def remove_standing_question(self, namespace: Namespace, id: str) -> bool:
        table = tables.standing_questions
        with self._database.write() as connection:
            same = (table.c.namespace == key(namespace), table.c.id == id)
            removed = connection.execute(delete(table).where(*same)).rowcount
            if removed:
                self._database.require_scrub(connection)
        if removed:
            self._database.scrub()
        return bool(removed)


def forget_answers(connection: Connection, namespace: Namespace, ids: Sequence[str]) -> int:
    """Leave only the question of each that was answered from one of the erased `ids`; returns how many."""
    table, gone = tables.standing_questions, set(ids)
    query = select(table).where(table.c.namespace == key(namespace), table.c.shown != "[]")
    found = [_question_of(row) for row in connection.execute(query).mappings()]
    doomed = [question for question in found if not gone.isdisjoint(question.shown)]
    for question in doomed:
        same = (table.c.namespace == key(namespace), table.c.id == question.id)
        connection.execute(update(table).where(*same).values(_question_row(question.unanswered())))
    return len(doomed)


def _blocks(connection: Connection, namespace: Namespace) -> list[Block]:
    found = [_block_of(row) for row in connection.execute(_BLOCKS, {"namespace": key(namespace)}).mappings()]
    # Here, because databases put letters in orders of their own.
    return sorted(found, key=lambda block: block.label)


def _named(table: Any, namespace: Namespace, label: str) -> tuple[Any, Any]:
    return table.c.namespace == key(namespace), table.c.label == label


def _one(table: Any, namespace: Namespace, label: str) -> Any:
    return select(table).where(*_named(table, namespace, label))


def _record(connection: Connection, namespace: Namespace, event: Event) -> None:
    table = tables.block_events
    last = select(func.max(table.c.number)).where(*_named(table, namespace, event.memory))
    number = connection.execute(last).scalar()
    row = event_row(namespace, 0 if number is None else number + 1, event)
    row["label"] = row.pop("memory")
    connection.execute(insert(table), row)


def _block_row(namespace: Namespace, block: Block) -> dict[str, Any]:
    return {
        "namespace": key(namespace),
        "label": block.label,
        "value": block.value,
        "description": block.description,
        "characters": block.limit,
        "read_only": block.read_only,
        "updated_at": micros(block.updated_at),
    }


def _block_of(row: Row) -> Block:
    return Block(
        label=row["label"],
        value=row["value"],
        description=row["description"],
        limit=row["characters"],
        read_only=bool(row["read_only"]),
        updated_at=time_of(row["updated_at"]),
    )


def _question_row(question: StandingQuestion) -> dict[str, Any]:
    answered = question.answered_at
    return {
        "namespace": key(question.namespace),
        "id": question.id,
        "question": question.question,
        "statements": json.dumps([[each.text, list(each.sources)] for each in question.statements]),
        "shown": json.dumps(list(question.shown)),
        "read_by": question.read_by,
        "answered_at": micros(answered) if answered is not None else None,
        "position": question.position,
    }


def _question_of(row: Row) -> StandingQuestion:
    answered = row["answered_at"]
    return StandingQuestion(
        id=row["id"],
        namespace=namespace_of(row["namespace"]),
        question=row["question"],
        statements=tuple(Statement(text, tuple(sources)) for text, sources in json.loads(row["statements"])),
        shown=tuple(json.loads(row["shown"])),
        read_by=row["read_by"],
        answered_at=time_of(answered) if answered is not None else None,
        position=row["position"],
    )


def read_standing(connection: Connection, namespace: Namespace) -> Archive:
    """What stands in `namespace`, and no memories."""
    events, questions = tables.block_events, tables.standing_questions
    blocks = _blocks(connection, namespace)
    histories = select(events).where(events.c.namespace == key(namespace)).order_by(events.c.number)
    lines: dict[str, list[Event]] = {block.label: [] for block in blocks}
    for row in connection.execute(histories).mappings():
        if row["label"] in lines:
            lines[row["label"]].append(_event_of(row))
    asked = select(questions.c.id, questions.c.question).where(questions.c.namespace == key(namespace))
    return Archive(
        memories=(),
        extracted=frozenset(),
        events=(),
        blocks=tuple(blocks),
        block_events=tuple(event for events in lines.values() for event in events),
        questions=tuple(KeptQuestion(*row) for row in connection.execute(asked.order_by(questions.c.id))),
    )


def write_standing(connection: Connection, namespace: Namespace, archive: Archive) -> Restored:
    """Take in what stands in `archive`, which is checked, as `Archives.restore` promises."""
    events = tables.block_events
    erased = select(events.c.label).where(events.c.namespace == key(namespace)).distinct()
    here = read_standing(connection, namespace)
    fits, restored = fitted_standing(archive, here, set(connection.execute(erased).scalars()))
    for block in fits.blocks:
        connection.execute(insert(tables.blocks), _block_row(namespace, block))
    for event in fits.block_events:
        _record(connection, namespace, event)
    for each in fits.questions:
        row = _question_row(StandingQuestion(each.id, namespace, each.question))
        connection.execute(insert(tables.standing_questions), row)
    return restored


def _event_of(row: Row) -> Event:
    return event_of({**row, "memory": row["label"]})
