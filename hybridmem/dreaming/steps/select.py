"""Step 3: which facts go into the weights tonight: trusted, current, and worth it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmem.core.records import TRAINABLE_TRUST, AdapterRecord, Fact


@dataclass(frozen=True, slots=True)
class Selection:
    """Tonight's facts."""

    new: tuple[Fact, ...]
    old: tuple[Fact, ...]
    """Facts that the active adapter holds and that still stand: they are replayed."""
    waiting: int
    """Facts that did not fit into this night."""
    replaced: tuple[str, ...]
    """Facts in the active adapter that were superseded or expired: to be overwritten and probed."""
    deleted: tuple[str, ...]
    """Facts in the active adapter's weights that were erased: it must be rebuilt from the base without them."""


def select(
    facts: Sequence[Fact],
    retired: Sequence[Fact],
    active: AdapterRecord | None,
    uses: Mapping[str, int],
    limit: int,
    *,
    inherited: Collection[str] = (),
    failed: Collection[str] = (),
) -> Selection:
    """Split current `facts` into new and old; the new ones most used and best attested first.

    `retired` are the facts that the ledger keeps but no longer believes; what `active` holds, or `inherited` from the
    adapters that it was trained from, and neither list has was erased. Facts that `failed` on earlier nights come last,
    so that they keep nobody else waiting.
    """
    held = set(active.facts) if active else set()
    tainted = set(active.tainted) if active else set()
    trainable = [f for f in facts if f.trust in TRAINABLE_TRUST and not f.quarantined]
    old = [f for f in trainable if f.id in held and f.id not in tainted]
    fresh = [f for f in trainable if f.id not in held or f.id in tainted]
    fresh.sort(key=lambda f: (f.id in failed, -uses.get(f.id, 0), -f.evidence, f.position))
    there = {f.id for f in facts} | {f.id for f in retired}
    deleted = (held | set(inherited)) - there
    return Selection(
        new=tuple(fresh[:limit]),
        old=tuple(old),
        waiting=max(0, len(fresh) - limit),
        replaced=tuple(sorted((held & there) - {f.id for f in old} - {f.id for f in fresh})),
        deleted=tuple(sorted(deleted)),
    )
