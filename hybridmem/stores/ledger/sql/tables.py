"""The ledger's tables as SQLAlchemy sees them. The schema itself is in `migrations`; a test holds the two together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, MetaData, Table, Text

metadata = MetaData()


def _table(name: str, texts: str = "", numbers: str = "", flags: str = "") -> Table:
    return Table(
        name,
        metadata,
        *(Column(column, Text) for column in texts.split()),
        *(Column(column, BigInteger) for column in numbers.split()),
        *(Column(column, Boolean) for column in flags.split()),
    )


def beside_ids(namespace: Any) -> ColumnElement[str]:
    """A namespace column, for a query that names its rows by their ids.

    The expression keeps SQLite off the indexes that begin with the namespace: without statistics it takes those for
    narrower than a list of sixty ids, and reads every memory there is."""
    kept: ColumnElement[str] = namespace.concat("")
    return kept


counters = _table("counters", "name", "value")
episodes = _table(
    "episodes",
    "id namespace text role speaker session source trust superseded_by metadata",
    "position at recorded_at expires_at",
    "quarantined extracted",
)
facts = _table(
    "facts",
    "id namespace slot subject relation object text superseded_by trust question metadata",
    "position valid_from valid_to stated_to recorded_at retired_at evidence expires_at",
    "quarantined replaces",
)
fact_sources = _table("fact_sources", "fact episode", "number")
events = _table("events", "memory namespace event text cause changes", "number at")
outbox = _table("outbox", "memory namespace operation", "position")
consumers = _table("consumers", "name", "position")
uses = _table("uses", "memory namespace", "times last_at")
training_items = _table("training_items", "namespace id fact kind question answer context split", "position")
adapters = _table(
    "adapters", "namespace version base base_sha256 parent status dream scores files", "position created_at"
)
adapter_facts = _table("adapter_facts", "namespace version fact", "number", "tainted")
activations = _table("activations", "namespace version", "number at")
audits = _table("audits", "namespace adapter fact split", "questions correct")
dreams = _table("dreams", "namespace id report", "position")
small_state = _table("small_state", "namespace name content")
blocks = _table("blocks", "namespace label value description", "characters updated_at", "read_only")
block_events = _table("block_events", "namespace label event text cause changes", "number at")
standing_questions = _table(
    "standing_questions", "namespace id question statements shown read_by", "answered_at position"
)
