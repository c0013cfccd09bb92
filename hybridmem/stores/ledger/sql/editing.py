"""Edits of what is kept beside a memory's words, inside one transaction."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import update

from hybridmem.core.edit import Edit, edited, is_revived
from hybridmem.core.records import Episode, Fact
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.change import Change, find_one
from hybridmem.stores.ledger.sql.rows import micros


def edit_memory(change: Change, id: str, edit: Edit, at: datetime) -> Episode | Fact:
    """Do `edit` (checked) to memory `id`, as `Memories.edit` promises."""
    memory = find_one(change.connection, change.namespace, id)
    changed, changes = edited(memory, edit, at)
    if not changes:
        return memory
    change.record(memory, "edited", at, memory.text, changes=changes)
    expires = changed.expires_at
    values: dict[str, Any] = {
        "metadata": json.dumps(changed.metadata),
        "expires_at": micros(expires) if expires is not None else None,
    }
    table = tables.episodes if isinstance(memory, Episode) else tables.facts
    if isinstance(memory, Episode) and is_revived(memory, changed, at):
        values["extracted"] = False
    change.connection.execute(update(table).where(table.c.id == id).values(values))
    if "expires_at" in changes:
        # Whoever keeps what holds now has to know until when.
        change.announce([id])
    return changed
