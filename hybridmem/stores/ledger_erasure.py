"""Erasing a memory inside one transaction: every row that holds its words, and every mark that it leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select, update

from hybridmem.records import Episode, Fact
from hybridmem.stores import ledger_tables as tables
from hybridmem.stores.checked import quotes
from hybridmem.stores.ledger_change import Change, chunks, find, find_one
from hybridmem.stores.slots import borne_out, without_source


def erase(change: Change, id: str, at: datetime) -> dict[str, Any]:
    """Remove memory `id` and what stands on it alone; returns what `Ledger.erase` does, but for `scrubbed`."""
    memory = find_one(change.connection, change.namespace, id)
    stated = change.facts_from(id) if isinstance(memory, Episode) else []
    alone = [fact for fact in stated if len(fact.sources) == 1]
    quoting = []
    for fact in stated:
        if len(fact.sources) > 1:
            left = without_source(fact, id)
            others = find(change.connection, change.namespace, left.sources).values()
            left = borne_out(left, (other for other in others if isinstance(other, Episode)))
            if left.text != fact.text:
                change.record(fact, "updated", at, left.text)
                quoting.append(fact)
            change.write_fact(left)
            change.announce([fact.id])
    erased = [memory, *alone]
    ids = [record.id for record in erased]
    facts = [record.id for record in erased if isinstance(record, Fact)]

    words = [*_forget_history(change, erased, at), *_forget_quotations(change, quoting)]
    removed = {
        "history": len(words),
        "training_items": _drop_items(change, facts, words),
        "audits": _remove(change, tables.audits, "fact", facts),
        "uses": _remove(change, tables.uses, "memory", ids),
        "ledger": _remove(change, tables.facts, "id", facts),
    }
    if isinstance(memory, Episode):
        removed["ledger"] += _remove(change, tables.episodes, "id", [id])
    change.announce(ids, "delete")
    return {
        "removed": removed,
        "facts": [fact.id for fact in alone],
        "tainted_adapters": change.taint(facts),
    }


def _forget_history(change: Change, erased: Sequence[Episode | Fact], at: datetime) -> list[str]:
    """Write down the deletions and strip the histories of their texts; returns those texts."""
    events = tables.events
    words = []
    for memory in erased:
        change.record(memory, "deleted", at, None)
        words += [line["text"] for line in change.events(memory.id) if line["text"] is not None]
        change.connection.execute(update(events).where(events.c.memory == memory.id).values(text=None))
    return words


def _forget_quotations(change: Change, facts: Sequence[Fact]) -> list[str]:
    """Strip the histories of `facts` of their texts, which quote what was erased; returns those texts."""
    events = tables.events
    words = []
    for fact in facts:
        quoted = (events.c.memory == fact.id, events.c.text == fact.text)
        words += change.connection.execute(select(events.c.text).where(*quoted)).scalars().all()
        change.connection.execute(update(events).where(*quoted).values(text=None))
    return words


def _drop_items(change: Change, facts: Sequence[str], words: Sequence[str]) -> int:
    """Training items of `facts`, and those of other facts that show `words` in their context or question."""
    items = tables.training_items
    doomed = []
    for row in change.connection.execute(select(items).where(items.c.namespace == change.key)).mappings():
        if row["fact"] in facts or quotes([row["question"], row["answer"], *json.loads(row["context"])], words):
            doomed.append(row["id"])
    return _remove(change, items, "id", doomed)


def _remove(change: Change, table: Table, column: str, values: Sequence[str]) -> int:
    count = 0
    for some in chunks(values):
        chosen = (table.c.namespace == change.key, table.c[column].in_(some))
        count += change.connection.execute(select(func.count()).select_from(table).where(*chosen)).scalar_one()
        change.connection.execute(delete(table).where(*chosen))
    return count
