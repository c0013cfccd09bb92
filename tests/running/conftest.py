from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running.families import FAMILIES
from tests.models import families

Load = Callable[[str], HuggingFaceModel]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A tiny random model of a family, loaded once."""
    made: dict[str, HuggingFaceModel] = {}

    def loaded(family: str) -> HuggingFaceModel:
        if family not in made:
            layers = 5 if family == "llama" else None
            folder = families.save(family, tmp_path_factory.mktemp(family), layers=layers)
            made[family] = HuggingFaceModel.load(folder, device="cpu", dtype="float32")
        return made[family]

    return loaded


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, load: Load) -> Iterator[HuggingFaceModel]:
    made = load(request.param)
    with made.exclusive():
        yield made


@pytest.fixture
def llama(load: Load) -> Iterator[HuggingFaceModel]:
    made = load("llama")
    with made.exclusive():
        yield made
