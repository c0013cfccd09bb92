"""A memory that lasts as long as a benchmark asks it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybridmem.memory import HybridMemory


@contextmanager
def temporary_memory(**opened_with: Any) -> Iterator[HybridMemory]:
    """An empty memory in a folder of its own, opened with what `HybridMemory.open` takes."""
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder,
        HybridMemory.open(Path(folder) / "memory", **opened_with) as memory,
    ):
        yield memory
