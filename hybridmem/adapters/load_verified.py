"""An adapter enters a model only after its hashes were checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hybridmem.adapters import files
from hybridmem.adapters.files import Manifest
from hybridmem.core.errors import CorruptAdapter
from hybridmem.models.base import LanguageModel


@contextmanager
def load_verified(model: LanguageModel, record: Manifest, folder: Path) -> Iterator[None]:
    """Within this context `model` runs with the adapter of `record`, whose files are in `folder`.

    Files that this process hashed before and that seem unchanged (size, time) are not read again: the check costs
    microseconds from the second time on. Raises `WrongBase` or `CorruptAdapter`.
    """
    files.check_base(record, model.name, model.sha256)
    files.check(record, folder, fresh=False)
    with ExitStack() as stack:
        try:
            stack.enter_context(model.adapted(folder))
        except FileNotFoundError:
            raise CorruptAdapter(
                f"the weights of {record.version} were removed while they were loaded: "
                f"promote another version, or dream again"
            ) from None
        yield
