from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.adapters.card import CARD, AdapterCard
from hybridmem.core.errors import CorruptAdapter
from tests.adapters.conftest import NOW, record


def card(**values: object) -> AdapterCard:
    given = {
        "data_sha256": "d" * 64,
        "training_key": "e" * 64,
        "recipe": {"rank": 32, "learning_rate": 1e-3, "targets": "all-linear"},
        "seed": 7,
        "hybridmem": "0.1.0",
        "gate": {"new": 0.95},
        "test": {"new": 0.9, "drift_nats": 0.01},
    }
    return AdapterCard.of(
        record(version="v0002", parent="v0001", files={"adapter_model.safetensors": "a" * 64}), **{**given, **values}
    )


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    card().write(tmp_path)
    assert AdapterCard.read(tmp_path) == card()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "card.json"]


def test_a_card_of_a_newer_release_is_read(tmp_path: Path) -> None:
    card().write(tmp_path)
    values = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**values, "weather": "fine"}))
    assert AdapterCard.read(tmp_path) == card()


def test_a_card_of_an_older_release_is_read(tmp_path: Path) -> None:
    card().write(tmp_path)
    values = json.loads((tmp_path / CARD).read_text())
    del values["training_key"]
    (tmp_path / CARD).write_text(json.dumps(values))
    assert AdapterCard.read(tmp_path) == card(training_key="")


def test_the_readme_starts_with_front_matter_and_says_how_to_verify() -> None:
    text = card().readme()
    _, front, rest = text.split("---\n", 2)
    assert front.splitlines()[:2] == ['base_model: "bundled"', "library_name: peft"]
    assert "hybridmem adapters verify v0002" in rest
    assert all(digit * 64 in rest for digit in "abde") and "| drift_nats | 0.01 |" in rest
    assert card().created_at == NOW


@pytest.mark.parametrize("content", [None, "{", "[]", '{"version": "v0001"}', '{"facts": 3, "created_at": "today"}'])
def test_a_card_that_cannot_be_read_is_named_in_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / CARD).write_text(content)
    with pytest.raises(CorruptAdapter, match=r"card\.json") as caught:
        AdapterCard.read(tmp_path)
    assert "\n" not in str(caught.value)
