"""A ledger that is read and never written: of a memory folder that cannot be written to.

Its owner's SQLite file is copied first (`copied`): with a write-ahead log, even reading one writes beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import quote

from hybridmem.core.errors import ReadOnlyMemory
from hybridmem.stores.ledger.base import Ledger

WRITES = frozenset(
    {"append", "put_fact", "update_text", "edit", "set_quarantine", "expire", "erase", "mark_extracted"}
    | {"put_episodes", "erase_all", "annotate", "restore"}
    | {"save_items", "drop_items", "save_adapter", "activate", "save_audits", "save_dream"}
    | {"put_state", "remove_state"}
    | {"put_block", "remove_block", "put_standing_question", "remove_standing_question"}
)
"""The methods that change what a memory holds. Counting uses, and following the outbox, only concern the copy."""


def read_only(ledger: Ledger, folder: Path) -> Ledger:
    """`ledger`, whose writes raise `ReadOnlyMemory`, which names `folder`."""
    return cast(Ledger, _ReadOnly(ledger, folder))


class _ReadOnly:
    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder

    def __getattr__(self, name: str) -> Any:
        return _refusing(self._folder) if name in WRITES else getattr(self._ledger, name)


def _refusing(folder: Path) -> Callable[..., NoReturn]:
    def refuse(*given: Any, **named: Any) -> NoReturn:
        raise ReadOnlyMemory(f"the memory folder {folder} cannot be written to: make it writable, or copy it")

    return refuse


def copied(ledger: Path, copy: Path) -> None:
    """Copy an SQLite ledger as it is at one moment, with what stands in its log alone."""
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(ledger.absolute()))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.OperationalError:
        # SQLite cannot read a database with a log where it cannot make the log's index: the files say the same.
        for ending in ("", "-wal"):
            if (file := ledger.with_name(ledger.name + ending)).exists():
                shutil.copyfile(file, copy.with_name(copy.name + ending))
