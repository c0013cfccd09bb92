"""``hybridmem bench session``: its tables, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.cli.conftest import Command
from tests.models import families

SIZE, BUDGET = 900, 200


@pytest.fixture
def model(tmp_path: Path) -> HuggingFaceModel:
    folder = families.save("llama", tmp_path / "llama", layers=3)
    return HuggingFaceModel.load(folder, device="cpu", dtype="float32")


def test_the_command(model: HuggingFaceModel, hybridmem: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybridmem.evaluation.real_model.loaded", lambda name: model)
    options = ("--tokens", str(SIZE), "--facts", "1", "--arm", "none", "--arm", "session")
    result = hybridmem("--embedder", "hashing", "bench", "session", *options, "--budget", str(BUDGET), "--json")
    assert result.code == 0, result.err
    assert [arm["arm"] for arm in result.json["arms"]] == ["none", "session"]
    assert [claim["name"] for claim in result.json["claims"]] == ["H1", "H2", "H3", "H4", "H5"]
    shown = hybridmem("--embedder", "hashing", "bench", "session", *options, "--budget", str(BUDGET))
    assert shown.code == 0, shown.err
    for table in ("answers", "costs", "claims"):
        assert table in shown.out
    bad = hybridmem("bench", "session", "--arm", "parrot")
    assert (bad.code, bad.err.count("\n")) == (2, 1)
