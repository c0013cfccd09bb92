"""Step 3: which facts go into the weights: trusted, current, and worth the training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmem.core.records import TRAINABLE_TRUST, AdapterRecord, Fact
from hybridmem.stores.ledger.redacted import holds_secret


@dataclass(frozen=True, slots=True)
class Selection:
    """The facts of one dream."""

    new: tuple[Fact, ...]
    old: tuple[Fact, ...]
    """Facts in the active adapter that are still current: they are replayed."""
    waiting: int
    """New facts above this night's limit."""
    replaced: tuple[str, ...]
    """Facts in the active adapter that were superseded or expired; they are overwritten and probed."""
    deleted: tuple[str, ...]
    """Erased facts in the active adapter's weights: it must be rebuilt from the base without them."""


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
    """Split current `facts` into new and old; among the new ones, the most used and best attested come first.

    `retired` are facts that the ledger keeps but no longer believes. A fact that `active` holds, or `inherited` from
    the adapters before it, and that is in neither list was erased. Facts that `failed` on earlier nights come last, so
    that they do not delay the others.
    """
    in_weights = set(active.facts) if active else set()
    tainted = set(active.tainted) if active else set()
    # A fact without its secret says nothing worth the training, and weights that hold the secret are to lose it.
    trainable = [f for f in facts if f.trust in TRAINABLE_TRUST and not f.quarantined and not holds_secret(f)]
    old = [f for f in trainable if f.id in in_weights and f.id not in tainted]
    fresh = [f for f in trainable if f.id not in in_weights or f.id in tainted]
    fresh.sort(key=lambda f: (f.id in failed, -uses.get(f.id, 0), -f.evidence, f.position))
    known = {f.id for f in facts} | {f.id for f in retired}
    deleted = (in_weights | set(inherited)) - known
    return Selection(
        new=tuple(fresh[:limit]),
        old=tuple(old),
        waiting=max(0, len(fresh) - limit),
        replaced=tuple(sorted((in_weights & known) - {f.id for f in old} - {f.id for f in fresh})),
        deleted=tuple(sorted(deleted)),
    )
