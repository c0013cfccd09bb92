"""Policies: bounds, and what they say of a memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.core.policy import MemoryPolicy, checked_policy
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import ANA, BEN

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_policy_is_kept_for_its_namespace() -> None:
    ledger, policy = InMemoryLedger(), MemoryPolicy(90, {"web": 30})
    ledger.put_state(ANA, policy)
    assert ledger.get_state(ANA, MemoryPolicy) == policy
    assert ledger.get_state(BEN, MemoryPolicy) is None
    assert policy.half_life == timedelta(days=90)
    assert (policy.expiry("web", NOW), policy.expiry("user", NOW)) == (NOW + timedelta(days=30), None)
    assert MemoryPolicy(None, {"web": 1_000_000_000 / 1000}).expiry("web", datetime(9990, 1, 1, tzinfo=UTC)) is None


def test_one_of_an_older_release_has_the_usual_risk() -> None:
    former = MemoryPolicy.from_json({"half_life_days": 30, "expire_after_days": {}}, 1)
    assert former == MemoryPolicy(30)


@pytest.mark.parametrize("risk", [0, 1, -0.1, float("nan"), "0.1", True, None])
def test_a_risk_is_a_share(risk: Any) -> None:
    with pytest.raises(InvalidInput, match="is no share between 0 and 1: pass"):
        checked_policy(MemoryPolicy(risk=risk))


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), "30", True, 1_000_001])
def test_lengths_that_are_none_are_refused(days: Any) -> None:
    with pytest.raises(InvalidInput, match="half-life"):
        checked_policy(MemoryPolicy(days))
    with pytest.raises(InvalidInput, match="'web' cannot expire after"):
        checked_policy(MemoryPolicy(None, {"web": days}))
    with pytest.raises(InvalidInput, match="no trust 'friend': choose among user"):
        checked_policy(MemoryPolicy(None, {"friend": 30}))
