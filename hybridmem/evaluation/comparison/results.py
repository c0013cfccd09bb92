"""The folder of a comparison: one JSON file a trial, whole or absent, and all of them under the same conditions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.evaluation.conditions import Conditions, claimed, first_difference


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What `suites.forgetting.run` returned for a trial."""

    trial: Trial
    result: Mapping[str, Any]


class ResultsFolder:
    """Where trials leave their results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def claimed(self) -> Iterator[Path]:
        """Within this context no other process runs trials into the folder. Gives an empty folder within it for what a
        trial needs while it runs, which is gone in the end, and what a killed process left of it at the beginning.

        Raises `InvalidInput` where another process runs trials, or where there can be no such folder."""
        running = self.folder / ".running"
        with claimed(self.folder, "a comparison"):
            shutil.rmtree(running, ignore_errors=True)
            running.mkdir()
            try:
                yield running
            finally:
                shutil.rmtree(running, ignore_errors=True)

    def read(self, conditions: Conditions) -> list[TrialResult]:
        """Every trial that is done, in the order of the files' names. Files under other names may lie beside them.

        Raises `InvalidInput` for a trial's file that is no result, or one that was measured under other conditions:
        figures that do not belong together are never set side by side, and never written over."""
        return [self._read(path, conditions) for path in sorted(self.folder.glob("*_seed-*.json"))]

    def write(self, trial: Trial, conditions: Conditions, result: Mapping[str, Any]) -> None:
        """Write a trial's file, whole or not at all."""
        record = {"trial": trial.to_json(), "conditions": dict(conditions), "result": dict(result)}
        write_whole(self._path(trial), json.dumps(record, indent=1) + "\n")

    def _path(self, trial: Trial) -> Path:
        return self.folder / f"{trial.name}.json"

    def _read(self, path: Path, conditions: Conditions) -> TrialResult:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            trial, result = Trial.from_json(record["trial"]), record["result"]
            measured: dict[str, Any] = record["conditions"]
            known = trial.name == path.stem and "R" in result and isinstance(measured, dict)
        except (ValueError, TypeError, KeyError, RecursionError):
            known = False
        if not known:
            raise InvalidInput(f"{path} is no result of a comparison: move it away, or name another folder")
        other = first_difference(measured, conditions)
        if other:
            raise InvalidInput(
                f"{path} was measured under other conditions ({other}): name another folder for these trials"
            )
        return TrialResult(trial, result)
