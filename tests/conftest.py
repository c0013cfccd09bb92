"""The whole suite runs without a network, and one thread a test: the figures of a busy machine are worth nothing."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["pytester"]

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
for name in ("HYBRIDMEM_DIR", "HYBRIDMEM_NAMESPACE", "HYBRIDMEM_MODEL"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _offline(no_network: list[str]) -> None:
    """Every test, whether it asks for it or not."""
