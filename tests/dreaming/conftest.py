from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.dreaming.nights import STORIES, load_stories
from tests.models import families


@pytest.fixture(scope="session")
def stories() -> HuggingFaceModel:
    """A trained model of 260 thousand weights, loaded once: its base weights are never written to."""
    if not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return load_stories()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    """A random model that learns nothing: for tests of all that is around the learning."""
    return HuggingFaceModel.load(families.save("llama", tmp_path_factory.mktemp("tiny")), device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "candidate"
    made.mkdir()
    return made
