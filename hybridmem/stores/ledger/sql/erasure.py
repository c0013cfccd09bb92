"""Erasing a memory inside one transaction: every row that holds its words, and every mark that it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Table, delete, func, select, update

from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger.erasure import Erasure
from hybridmem.stores.ledger.fact_timeline import only_quotes, without_source, wordings
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, chunks, find, find_one
from hybridmem.stores.ledger.sql.facts import settle
from hybridmem.stores.ledger.sql.standing import forget_answers
from hybridmem.stores.ledger.validation import quotes


def erase(change: Change, id: str, at: datetime) -> Erasure:
    """Remove memory `id` and what stands on it alone, but not its parts; the file is not scrubbed yet."""
    memory = find_one(change.connection, change.namespace, id)
    stated = change.facts_from(id) if isinstance(memory, Episode) else []
    alone = [fact for fact in stated if len(fact.sources) == 1]
    for fact in stated:
        if len(fact.sources) > 1:
            change.write_fact(without_source(fact, id))
            change.announce([fact.id])
    erased = [memory, *alone]
    ids = [record.id for record in erased]
    facts = [record.id for record in erased if isinstance(record, Fact)]

    words = _forget_history(change, erased, at)
    said = [*words, *wordings(memory)] if isinstance(memory, Episode) else words
    others = [fact for fact in change.facts_where() if fact.id not in facts]
    reworded = _reword(change, others, said, at)
    words += _forget_quotations(change, {fact.id: fact for fact in [*others, *reworded]}, said)
    removed = {
        "history": len(words),
        "training_items": _drop_items(change, facts, words),
        "audits": _remove(change, tables.audits, "fact", facts),
        "uses": _remove(change, tables.uses, "memory", ids),
        "ledger": _remove(change, tables.facts, "id", facts),
    }
    if isinstance(memory, Episode):
        removed["ledger"] += _remove(change, tables.episodes, "id", [id])
    answers = forget_answers(change.connection, change.namespace, ids)
    if answers:
        removed["standing_answers"] = answers
    change.announce(ids, "delete")
    settle(change, [record for record in erased if isinstance(record, Fact)], at, id)
    return Erasure(
        removed=removed,
        facts=tuple(fact.id for fact in alone),
        reworded=tuple(fact.id for fact in reworded),
        tainted_adapters=tuple(change.taint([*facts, *(fact.id for fact in reworded)])),
    )


def _forget_history(change: Change, erased: Sequence[Episode | Fact], at: datetime) -> list[str]:
    """Write down the deletions and strip the histories of their texts and edits; returns those texts."""
    events = tables.events
    words = []
    for memory in erased:
        change.record(memory, "deleted", at, None)
        words += [line["text"] for line in change.events(memory.id) if line["text"] is not None]
        change.connection.execute(update(events).where(events.c.memory == memory.id).values(text=None, changes=None))
    return words


def _reword(change: Change, others: Sequence[Fact], said: Sequence[str], at: datetime) -> list[Fact]:
    """State those of `others` whose text only quotes what was `said` in their own bare words; returns them so."""
    reworded = []
    for fact in others:
        if fact.text == fact.bare or not only_quotes(fact.text, said, _sources(change, fact)):
            continue
        change.record(fact, "updated", at, fact.bare)
        bare = replace(fact, text=fact.bare)
        change.write_fact(bare)
        change.announce([fact.id])
        reworded.append(bare)
    return reworded


def _forget_quotations(change: Change, others: Mapping[str, Fact], said: Sequence[str]) -> list[str]:
    """Strip the histories of `others` of texts that only quote what was `said`; returns those texts."""
    events = tables.events
    texts = select(events.c.memory, events.c.text).where(events.c.namespace == change.key, events.c.text.is_not(None))
    words = []
    for memory, text in change.connection.execute(texts).all():
        fact = others.get(memory)
        if fact is not None and text != fact.text and only_quotes(text, said, _sources(change, fact)):
            quoted = (events.c.memory == memory, events.c.text == text)
            change.connection.execute(update(events).where(*quoted).values(text=None))
            words.append(text)
    return words


def _sources(change: Change, fact: Fact) -> Iterator[Episode]:
    """The episodes behind `fact`, looked up when the first is asked for."""
    for memory in find(change.connection, change.namespace, fact.sources).values():
        if isinstance(memory, Episode):
            yield memory


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
