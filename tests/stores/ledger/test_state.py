"""The kinds of small state that hybridmem keeps in the ledger, and what it wrote before they had versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.records import to_json
from hybridmem.dreaming.recovery import DreamState, Uncalibrated
from hybridmem.router.calibration import Calibration
from hybridmem.schedule.schedule_state import Run, ScheduleState
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.ledger import SqlLedger
from hybridmem.stores.ledger.state import StateRecord, decoded, encoded
from hybridmem.testing.ledger_samples import ANA, NOW

NIGHTS = ScheduleState(NOW, runs=(Run(NOW, "promoted", NOW, seconds=2.5),), next=NOW)
KINDS: list[tuple[str, dict[str, Any], StateRecord]] = [
    ("dream", {"id": "dr_1"}, DreamState("dr_1")),
    ("uncalibrated", {"adapter": "v0002"}, Uncalibrated("v0002")),
    # What an older release promised was chosen on the answers that its heads were fitted on.
    ("calibration", Calibration(threshold=0.7, observations=9).to_json(), Calibration(observations=9)),
    ("schedule", to_json(NIGHTS), NIGHTS),
]


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({record.KEY for _, _, record in KINDS}) == len(KINDS)


@pytest.mark.parametrize(("key", "written", "record"), KINDS, ids=[key for key, _, _ in KINDS])
def test_what_was_written_before_versions_is_read(
    tmp_path: Path, key: str, written: dict[str, Any], record: StateRecord
) -> None:
    ledger = SqlLedger(tmp_path / "ledger.sqlite3")
    with ledger._database.write() as connection:
        row = {"namespace": "/".join(ANA), "name": key, "content": json.dumps(written)}
        connection.execute(tables.small_state.insert(), row)
    assert ledger.get_state(ANA, type(record)) == record
    ledger.put_state(ANA, record)
    assert ledger.get_state(ANA, type(record)) == record
    ledger.close()


@pytest.mark.parametrize(("key", "written", "record"), KINDS, ids=[key for key, _, _ in KINDS])
def test_each_kind_comes_back_equal_with_its_version(key: str, written: dict[str, Any], record: StateRecord) -> None:
    stored = json.loads(json.dumps(encoded(record)))
    assert stored["version"] == record.VERSION >= 1
    assert decoded(type(record), stored) == record
    assert decoded(type(record), {**stored, "version": record.VERSION + 1}) is None


def test_a_ledger_hands_out_what_it_was_given() -> None:
    ledger = InMemoryLedger()
    for _, _, record in KINDS:
        ledger.put_state(ANA, record)
    assert [ledger.get_state(ANA, type(record)) for _, _, record in KINDS] == [record for _, _, record in KINDS]
