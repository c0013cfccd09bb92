"""The whole suite runs without a network, and one thread a test: the figures of a busy machine are worth nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel

pytest_plugins = ["pytester"]

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
for name in ("HYBRIDMEM_DIR", "HYBRIDMEM_NAMESPACE", "HYBRIDMEM_MODEL"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _offline(no_network: list[str]) -> None:
    """Every test, whether it asks for it or not."""


@pytest.fixture(scope="session")
def stories() -> HuggingFaceModel:
    """A trained model of 260 thousand weights, loaded once: its base weights are never written to."""
    from tests.dreaming.nights import STORIES, load_stories

    if not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return load_stories()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    """A random model that learns nothing: for tests of all that is around the learning."""
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from tests.models import families

    return HuggingFaceModel.load(families.save("llama", tmp_path_factory.mktemp("tiny")), device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "candidate"
    made.mkdir()
    return made
