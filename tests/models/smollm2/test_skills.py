"""The memory skills on the shelf are what their card says, and go on saying what they said when they were put there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybridmem import models
from hybridmem.core import shelf
from hybridmem.core.hashing import file_sha256
from hybridmem.models import smollm2
from hybridmem.models.spec import ModelSettings
from hybridmem.models.trainable import require_trainable
from lab import shelve_skills
from tests.models.smollm2.conftest import Installation

FLOAT32 = ModelSettings(device="cpu", dtype="float32")
SHIPPED = shelf.folder(smollm2.SKILLS)
LOG: list[dict[str, Any]] = [
    {"event": "start", "seconds": 0, "records": 7, "worlds": 3, "rank": 4, "learning_rate": 0.01},
    {"step": 2, "tokens": 90, "answers": 20, "seconds": 1},
    {"event": "evaluation", "seconds": 2, "step": 2, "tokens": 95, "mean": 0.6, "answered": 0.5},
    {"step": 4, "tokens": 190, "answers": 40, "seconds": 3},
    {"event": "evaluation", "seconds": 4, "step": 4, "tokens": 195, "mean": 0.4, "answered": 0.3},
]


def reproduced(folder: Path) -> None:
    """The base with its skills says what `folder` expects; other processors round differently."""
    model = require_trainable(models.load(models.SMOLLM2, FLOAT32))
    cases = json.loads((folder / shelve_skills.EXPECTED).read_text("utf-8"))["cases"]
    prompts, said = [case["prompt"] for case in cases], [case["said"] for case in cases]
    assert [done.text for done in model.generate(prompts, max_new_tokens=48)] == said
    for found, case in zip(model.logprobs(prompts, said), cases, strict=True):
        assert found == pytest.approx(case["logprobs"], abs=0.02)


def test_an_adapter_is_put_on_the_shelf(installed: Installation, tmp_path: Path) -> None:
    given = installed.skills.rename(tmp_path / "trained")
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, LOG)), "utf-8")
    shelve_skills.main([str(given), "--log", str(log)])
    card = json.loads((installed.skills / shelve_skills.CARD).read_text("utf-8"))
    assert card["base_sha256"] == smollm2.GGUF_SHA256
    assert card["training"] == {
        "records": 7,
        "worlds": 3,
        "tokens": 95,
        "answers": 20,
        "steps": 2,
        "settings": {"rank": 4, "learning_rate": 0.01},
    }
    assert card["held_out"]["exact"] == {"mean": 0.6, "answered": 0.5}
    assert shelve_skills.trained(log, last=True)["held_out"]["exact"] == {"mean": 0.4, "answered": 0.3}
    assert str(tmp_path) not in "".join(file.read_text("utf-8") for file in installed.skills.glob("*.json"))
    reproduced(installed.skills)


@pytest.mark.skipif(SHIPPED is None, reason="no memory skills are shipped yet")
def test_the_shipped_skills_are_what_their_card_says() -> None:
    assert SHIPPED is not None
    card = json.loads((SHIPPED / shelve_skills.CARD).read_text("utf-8"))
    assert card["base_sha256"] == smollm2.GGUF_SHA256
    assert card["files"] == {name: file_sha256(SHIPPED / name) for name in smollm2.SKILLS_FILES}
    assert (SHIPPED / shelve_skills.WEIGHTS).stat().st_size <= 20 * 2**20


@pytest.mark.slow
@pytest.mark.skipif(SHIPPED is None, reason="no memory skills are shipped yet")
@pytest.mark.skipif(smollm2.packaged() is None, reason=f"{smollm2.PACKAGE} is not installed: make setup")
def test_the_shipped_skills_say_what_they_said() -> None:
    assert SHIPPED is not None
    reproduced(SHIPPED)
