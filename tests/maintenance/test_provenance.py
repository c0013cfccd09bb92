"""A card's digest of its data, computed again from the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.adapters.card import CARD, AdapterCard
from hybridmem.cli.app import run
from hybridmem.dreaming import general
from hybridmem.maintenance.provenance import compare_data
from hybridmem.memory import HybridMemory
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.dreaming.nights import BRIEF, open_memory, teach


@pytest.fixture(autouse=True)
def short_exams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))


@pytest.fixture
def memory(tiny: HuggingFaceModel, tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", tiny) as opened:
        yield opened


def verdict(memory: HybridMemory, version: str = "v0001") -> tuple[str, tuple[str, ...]]:
    found = compare_data(memory.ledger, memory.namespace, memory.adapters.card(version))
    return found.status, found.gone


def test_two_memories_that_were_taught_the_same_have_the_same_data(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    cards = []
    for name, towns in (
        ("one", {"Ana": "Lisbon", "Ben": "Oslo"}),
        ("two", {"Ben": "Oslo", "Ana": "Lisbon"}),
        ("three", {"Ana": "Lisbon", "Ben": "Riga"}),
    ):
        with open_memory(tmp_path / name, tiny) as memory:
            teach(memory, **towns)
            memory.dream(recipe=BRIEF)
            cards.append(memory.adapters.card("v0001"))
    one, two, three = cards
    assert (one.seed, one.base_sha256) == (two.seed, two.base_sha256)
    assert set(one.facts).isdisjoint(two.facts)
    assert one.data_sha256 == two.data_sha256 != three.data_sha256
    assert one.training_key and one.training_key != one.data_sha256


def test_data_that_still_stands_matches_whatever_came_after(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon", Ben="Oslo")
    memory.dream(recipe=BRIEF)
    assert verdict(memory) == ("match", ())
    # Somebody whom the first night's refusals call a stranger, a second night, and a value that replaces another.
    teach(memory, ZorOslo="Riga", Ana="Porto")
    memory.dream(recipe=BRIEF)
    assert [verdict(memory, version) for version in ("v0001", "v0002")] == [("match", ())] * 2


def test_what_was_deleted_is_named_and_what_was_reworded_too(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon", Ben="Oslo", Cem="Izmir")
    memory.dream(recipe=BRIEF)
    memory.update(told["Cem"].id, "Cem lives in Izmir now.")
    assert verdict(memory) == ("gone", (told["Cem"].id,))
    memory.delete(told["Ana"].id)
    assert verdict(memory) == ("gone", (told["Ana"].id, told["Cem"].id))


def test_items_in_other_words_are_a_change(memory: HybridMemory) -> None:
    told = teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    items = memory.ledger.items(memory.namespace)
    memory.ledger.drop_items(memory.namespace, [told["Ana"].id])
    memory.ledger.save_items([replace(item, answer="Porto") for item in items])
    assert verdict(memory) == ("changed", ())


def test_a_card_of_an_older_release_is_read_and_says_nothing(memory: HybridMemory) -> None:
    teach(memory, Ana="Lisbon")
    memory.dream(recipe=BRIEF)
    path = memory.adapters.path("v0001")
    values = json.loads((path / CARD).read_text("utf-8"))
    del values["training_key"]
    (path / CARD).write_text(json.dumps(values), "utf-8")
    assert AdapterCard.read(path).training_key == ""
    assert verdict(memory) == ("unknown", ())


def test_the_command_says_so(tiny: HuggingFaceModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_memory(tmp_path / "memory", tiny) as memory:
        told = teach(memory, Ana="Lisbon", Ben="Oslo")
        memory.dream(recipe=BRIEF)
    command = ["adapters", "verify", "--data", "--memory", str(tmp_path / "memory"), "--namespace", "users/ana"]
    assert run(command) == 0
    assert "the data matches" in capsys.readouterr().out
    with open_memory(tmp_path / "memory", tiny) as memory:
        memory.delete(told["Ana"].id)
    assert run(command) == 1
    assert "1 of 2 facts have gone since" in capsys.readouterr().out
    assert run([*command, "--json"]) == 1
    (answer,) = json.loads(capsys.readouterr().out)["adapters"]
    assert (answer["reason"], answer["data"]["status"], answer["data"]["gone"]) == (None, "gone", [told["Ana"].id])
