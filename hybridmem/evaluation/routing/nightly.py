"""The folder of one seed's run: what was asked on each day and in each night, whole or absent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.conditions import Conditions, first_difference
from hybridmem.evaluation.routing.outcome import Outcome
from hybridmem.evaluation.routing.question import Moment
from hybridmem.evaluation.routing.stream import RouterStream


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one moment's questions."""

    outcomes: tuple[Outcome, ...]
    dream: Mapping[str, Any] | None = None
    """What the night's dream came to; None by day."""


@dataclass(frozen=True, slots=True)
class NightlyResults:
    """Files of `folder`, one for each moment of `stream`, all measured under the same `conditions` and after the same
    beginning of a stream. What a shorter stream left is the beginning of a longer one."""

    folder: Path
    stream: RouterStream
    conditions: Conditions

    def read(self, night: int, moment: Moment) -> Asked | None:
        """None where that was not asked yet. Raises `InvalidInput` for a file that is no such result, or one that was
        measured under other conditions."""
        path = self._path(night, moment)
        if not path.exists():
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            measured = dict(record["conditions"])
            asked = Asked(tuple(Outcome.from_json(each) for each in record["outcomes"]), record["dream"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise InvalidInput(
                f"{path} is no result of a router benchmark: move it away, or name another folder"
            ) from None
        other = first_difference(measured, json.loads(json.dumps(self._conditions(night))))
        if other:
            raise InvalidInput(f"{path} was measured under other conditions ({other}): name another folder")
        return asked

    def write(
        self, night: int, moment: Moment, outcomes: Sequence[Outcome], dream: Mapping[str, Any] | None = None
    ) -> None:
        """Keep one moment, whole or not at all."""
        record = {
            "conditions": self._conditions(night),
            "dream": dream,
            "outcomes": [outcome.to_json() for outcome in outcomes],
        }
        write_whole(self._path(night, moment), json.dumps(record) + "\n")

    def _conditions(self, night: int) -> dict[str, Any]:
        return {**self.conditions, "stream_sha256": self.stream.until(night).sha256}

    def _path(self, night: int, moment: Moment) -> Path:
        return self.folder / f"night-{night:03}-{moment}.json"
