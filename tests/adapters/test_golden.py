"""Adapters of earlier releases load and give the output that they gave then; `adapters/README.md` says more."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from hybridmem.adapters.card import AdapterCard
from hybridmem.core.errors import CorruptAdapter, WrongBase
from hybridmem.models.base import LanguageModel
from hybridmem.models.fake import ADAPTER_FILE
from tests.adapters.golden import EXPECTED, SHELF, STORIES, base_of, differences, measure, read_expected

NAMES = sorted(folder.name for folder in SHELF.iterdir() if folder.is_dir())
CONFIG = "adapter_config.json"
loaded = cache(base_of)


@pytest.fixture(params=NAMES)
def folder(request: pytest.FixtureRequest) -> Path:
    if request.param.startswith("stories260k") and not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return SHELF / request.param


def model_of(folder: Path) -> LanguageModel:
    return loaded(AdapterCard.read(folder).base)


def found_differences(folder: Path) -> list[str]:
    cases = read_expected(folder)
    measured = measure(
        model_of(folder), folder, [case["prompt"] for case in cases], [case["reference"] for case in cases]
    )
    return differences(cases, measured)


def test_the_shelf_has_them() -> None:
    assert {"bundled", "stories260k", "fake"} <= set(NAMES)


def test_it_loads_and_says_what_it_said(folder: Path) -> None:
    assert found_differences(folder) == []


def test_it_changes_what_the_base_says(folder: Path) -> None:
    """Otherwise an adapter that loads as nothing would pass."""
    for case in read_expected(folder)[:3]:
        assert case["before"]["completion"] != case["reference"] == case["after"]["completion"]


def test_a_wrong_scale_or_another_answer_is_noticed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / folder.name)
    if (copy / CONFIG).is_file():
        config = json.loads((copy / CONFIG).read_text("utf-8"))
        (copy / CONFIG).write_text(json.dumps({**config, "lora_alpha": config["lora_alpha"] * 1.02}), "utf-8")
        changed = CONFIG
    else:
        text = (copy / ADAPTER_FILE).read_text("utf-8")
        (copy / ADAPTER_FILE).write_text(text.replace("Riga", "Oslo"), "utf-8")
        changed = ADAPTER_FILE
    with pytest.raises(CorruptAdapter, match=changed):
        found_differences(copy)
    _sign_again(copy)
    assert any(line.startswith("after") for line in found_differences(copy))


def test_it_fits_its_own_base_alone(folder: Path) -> None:
    other = loaded("fake" if folder.name != "fake" else "bundled")
    with pytest.raises(WrongBase):
        measure(other, folder, [], [])


def test_it_is_small_and_names_no_place(folder: Path) -> None:
    files = [file for file in folder.iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 400_000
    card = AdapterCard.read(folder)
    assert card.training_key and len(card.data_sha256) == 64
    for file in files:
        assert not any(place in file.read_bytes() for place in (b"/home/", b"/tmp/", b"/work/", str(SHELF).encode()))
    assert {EXPECTED, "card.json", "README.md"} <= {file.name for file in files}


def _sign_again(folder: Path) -> None:
    """A card whose hashes are those of the files as they are now."""
    from dataclasses import replace

    from hybridmem.adapters import files

    card = AdapterCard.read(folder)
    hashes = files.hashes(folder)
    replace(card, files={name: hashes[name] for name in card.files}).write(folder)
