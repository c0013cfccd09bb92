"""The published weights themselves, where the package is installed: minutes of a busy machine, so not in make test."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem import models
from hybridmem.models import cache, smollm2
from hybridmem.models.huggingface.model import HuggingFaceModel


@pytest.mark.slow
@pytest.mark.skipif(smollm2.packaged() is None, reason=f"{smollm2.PACKAGE} is not installed: make setup")
def test_the_instruct_model_answers_what_it_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    model = models.load("smollm2-instruct")
    assert isinstance(model, HuggingFaceModel)
    assert model.sha256 == smollm2.GGUF_SHA256
    assert model.module.num_parameters() == 134_515_008
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    assert "You are a helpful AI assistant named SmolLM" in model.tokenizer.decode(model.render(asked))
    assert "Paris" in model.generate([asked], max_new_tokens=24)[0].text
    (kept,) = cache.kept()
    assert (kept.name, kept.sha256) == ("smollm2-instruct", smollm2.GGUF_SHA256)
