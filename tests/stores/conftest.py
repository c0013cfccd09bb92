"""Folders for the stores' tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY_FILES = Path("/dev/shm")


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """An empty folder in memory where the system has one: thousands of commits need not wait for a disk."""
    in_memory = MEMORY_FILES.is_dir() and os.access(MEMORY_FILES, os.W_OK)
    with tempfile.TemporaryDirectory(dir=MEMORY_FILES if in_memory else None) as folder:
        yield Path(folder)
