"""An adapter enters a model only after its hashes were checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridmem.adapters import files
from hybridmem.core.records import AdapterRecord
from hybridmem.models.base import LanguageModel


@contextmanager
def load_verified(model: LanguageModel, record: AdapterRecord, folder: Path) -> Iterator[None]:
    """Within this context `model` runs with the adapter of `record`, whose files are in `folder`.

    Files that this process hashed before and that seem unchanged (size, time) are not read again: the check costs
    microseconds from the second time on. Raises `WrongBase` or `CorruptAdapter`.
    """
    files.check_base(record, model.name, model.sha256)
    files.check(record, folder, fresh=False)
    with model.adapted(folder):
        yield
