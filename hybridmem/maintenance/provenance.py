"""Whether an adapter's data is still in the ledger: its card's digest, computed again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hybridmem.adapters.card import AdapterCard
from hybridmem.adapters.provenance import data_sha256
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Fact
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.stores.ledger.base import Ledger


@dataclass(frozen=True, slots=True)
class DataVerdict:
    """What the ledger's facts and training items say about one card."""

    status: Literal["match", "gone", "changed", "unknown"]
    """`match`: the same digest. `gone`: facts or all the items of a fact were deleted since. `changed`: everything is
    there, in other words. `unknown`: the card is older than content digests."""
    facts: int
    """Facts that the card names."""
    gone: tuple[str, ...] = ()
    """Ids of those whose text or items are no longer in the ledger."""

    def __str__(self) -> str:
        if self.status == "gone":
            return f"the texts or items of {len(self.gone)} of {self.facts} facts have gone since"
        return {
            "match": "the data matches",
            "changed": "the data has changed since",
            "unknown": "the card is too old to say",
        }[self.status]


def compare_data(ledger: Ledger, namespace: Namespace, card: AdapterCard) -> DataVerdict:
    """Compute the card's `data_sha256` from the items that the ledger still has. Loads no model."""
    if not card.training_key:
        return DataVerdict("unknown", len(card.facts))
    everything = {fact.id: fact for fact in ledger.facts(namespace, include_retired=True)}
    facts = [everything[id] for id in card.facts if id in everything]
    items = ledger.items(namespace, card.facts)
    known = [fact for fact in everything.values() if stood(fact, card.created_at)]
    sound = still_sound(items, everything, known)
    if data_sha256(facts, sound) == card.data_sha256:
        return DataVerdict("match", len(card.facts))
    with_items = {item.fact for item in items}
    gone = tuple(id for id in card.facts if id not in everything or id not in with_items)
    return DataVerdict("gone" if gone else "changed", len(card.facts), gone)


def stood(fact: Fact, at: datetime) -> bool:
    """Whether the ledger believed `fact` at that time."""
    return fact.recorded_at <= at and (fact.retired_at is None or fact.retired_at > at)
