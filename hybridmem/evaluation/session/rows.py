"""The rows of a run, in a file that a run which was stopped goes on with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.session.figures import Row


class Rows:
    """All rows so far. In `file`, where there is one, the conditions stand on the first line and a row on each other.

    Raises `InvalidInput` for a file of other conditions, and for one that cannot be read or written."""

    def __init__(self, file: Path | None, conditions: dict[str, Any]) -> None:
        self._file = None if file is None else arguments.path("out", file)
        self.all: list[Row] = []
        if self._file is not None:
            try:
                if self._file.exists():
                    self._read(self._file, conditions)
                else:
                    self._file.write_text(json.dumps(conditions) + "\n", encoding="utf-8")
            except OSError as error:
                raise InvalidInput(f"{file} cannot be used: {error.strerror}; name a new file") from None
        self._known = {(row.session, row.arm, row.question) for row in self.all}

    def has(self, session: int, arm: str, question: str) -> bool:
        return (session, arm, question) in self._known

    def add(self, row: Row) -> None:
        self.all.append(row)
        self._known.add((row.session, row.arm, row.question))
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(row)) + "\n")

    def _read(self, file: Path, conditions: dict[str, Any]) -> None:
        first, *others = file.read_bytes().split(b"\n")
        try:
            found = json.loads(first)
            # What stands behind the last line break was cut off as it was written.
            self.all = [Row(**json.loads(line)) for line in others[:-1] if line]
        except (ValueError, TypeError):
            raise InvalidInput(f"{file} holds no rows of this benchmark: name a new file") from None
        if found != conditions:
            differs = ", ".join(sorted(key for key in conditions if found.get(key) != conditions[key]))
            raise InvalidInput(f"{file} is of a run with another {differs}: name a new file")
        if others and others[-1]:
            file.write_bytes(b"\n".join([first, *others[:-1]]) + b"\n")
