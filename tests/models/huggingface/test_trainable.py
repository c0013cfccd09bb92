"""A real checkpoint of 260 thousand weights, trained as a dream trains it."""

from __future__ import annotations

import pytest

from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.testing.trainable_conformance import TrainableModelConformance
from tests.dreaming.nights import STORIES, load_stories


@pytest.fixture(scope="module")
def loaded() -> HuggingFaceModel:
    if not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return load_stories()


class TestHuggingFace(TrainableModelConformance):
    steps = 40

    @pytest.fixture
    def model(self, loaded: HuggingFaceModel) -> HuggingFaceModel:
        return loaded
