from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models import families

Folders = Callable[[str], Path]
STORIES = Path(__file__).parents[3] / "shared" / "data" / "stories260k"


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = families.save(family, tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture
def lfm2(folder_of: Folders) -> HuggingFaceModel:
    return HuggingFaceModel.load(folder_of("lfm2"), device="cpu")


@pytest.fixture
def stories() -> HuggingFaceModel:
    if not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return HuggingFaceModel.load(STORIES, device="cpu")
