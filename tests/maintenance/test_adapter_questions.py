"""Two versions asked the same, and a card's figures measured again: nights of the fake model, asked by the CLI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.adapters.card import AdapterCard
from hybridmem.cli.app import run
from hybridmem.core.errors import UnknownAdapter
from hybridmem.dreaming import recipes
from hybridmem.maintenance.adapter_questions import ask_both
from hybridmem.maintenance.reproduction import reproduce
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from tests.dreaming.nights import open_memory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        yield opened


def night(memory: HybridMemory, *texts: str, strategy: str = "replay") -> None:
    for text in texts:
        memory.add(text)
    assert memory.dream(recipe=replace(recipes.load("default"), strategy=strategy, gate=None)).status == "promoted"


def verdicts(memory: HybridMemory) -> dict[str, set[str]]:
    asked = ask_both(memory.workspace, "v0001", "v0002")
    assert sum(asked.counts.values()) == len(asked.questions)
    found: dict[str, set[str]] = {}
    for each in asked.questions:
        found.setdefault(each.expected, set()).add(each.verdict)
    return found


def test_what_is_new_is_learned_and_what_is_replayed_kept_and_what_was_superseded_changed(memory: HybridMemory) -> None:
    night(memory, "Ana lives in Lisbon.", "Ben lives in Oslo.")
    night(memory, "Ana lives in Riga.", "Cara lives in Porto.")
    assert verdicts(memory) == {"Lisbon": {"changed"}, "Oslo": {"kept"}, "Riga": {"learned"}, "Porto": {"learned"}}
    assert next(each.superseded_by for each in ask_both(memory.workspace, "v0001", "v0002").questions) == "Riga"


def test_what_nothing_rehearsed_is_lost(memory: HybridMemory) -> None:
    night(memory, "Ana lives in Lisbon.")
    night(memory, "Cara lives in Porto.", strategy="naive")
    assert verdicts(memory) == {"Lisbon": {"lost"}, "Porto": {"learned"}}
    back = ask_both(memory.workspace, "v0002", "v0001").counts
    assert back["learned"] and back["lost"] and not back["kept"]


def test_what_was_deleted_cannot_be_asked_about(memory: HybridMemory) -> None:
    night(memory, "Ana lives in Lisbon.")
    night(memory, "Ben lives in Oslo.")
    (ben,) = [fact.id for fact in memory.ledger.facts(memory.namespace) if fact.subject == "Ben"]
    memory.ledger.erase(memory.namespace, ben, memory.clock())
    asked = ask_both(memory.workspace, "v0001", "v0002")
    assert asked.unasked == (ben,)
    assert {each.expected for each in asked.questions} == {"Lisbon"}
    with pytest.raises(UnknownAdapter, match="it has v0001, v0002"):
        ask_both(memory.workspace, "v0001", "v9")


def test_a_card_is_reproduced(memory: HybridMemory) -> None:
    for texts in (["Ana lives in Lisbon.", "Ben lives in Oslo."], ["Cara lives in Riga."], ["Ana lives in Porto."]):
        for text in texts:
            memory.add(text)
        memory.dream()
    for version in ("v0001", "v0002", "v0003"):
        found = reproduce(memory.workspace, version, 0.0)
        assert found.reason is None
        card = memory.adapters.card(version)
        assert len(found.figures) + len(found.unmeasured) == len(card.gate) + len(card.test)
        assert not found.unmeasured
        assert {each.split for each in found.figures} == {"dev", "test"}


def test_a_card_that_promises_more_than_its_weights_hold_is_found_out(
    memory: HybridMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.dream()
    folder = memory.adapters.path("v0001")
    card = AdapterCard.read(folder)
    replace(card, test={**card.test, "drift_nats": 0.5}).write(folder)
    found = reproduce(memory.workspace, "v0001", 0.02)
    assert found.reason == "drift_nats on the test split is 0.010, and its card says 0.500"
    assert reproduce(memory.workspace, "v0001", 0.6).reason is None
    place = [
        "--memory",
        str(memory.folder.root),
        "--namespace",
        "users/ana",
        "--model",
        "fake",
        "--embedder",
        "hashing",
    ]
    memory.close()
    asked = ["adapters", "verify", "v0001", "--figures", "--json", *place]
    assert run(asked) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["sound"]
    assert "its card says 0.500" in answer["adapters"][0]["reason"]
    assert run([*asked, "--tolerance", "0.6"]) == 0


def test_a_card_of_other_files_is_refused(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.dream()
    folder = memory.adapters.path("v0001")
    card = AdapterCard.read(folder)
    replace(card, files=dict.fromkeys(card.files, "0" * 64)).write(folder)
    with pytest.raises(Exception, match="when it was trained"):
        reproduce(memory.workspace, "v0001", 0.02)


def test_what_was_deleted_since_is_not_compared(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.")
    memory.add("Ben lives in Oslo.")
    memory.dream()
    (ben,) = [fact.id for fact in memory.ledger.facts(memory.namespace) if fact.subject == "Ben"]
    memory.ledger.erase(memory.namespace, ben, memory.clock())
    found = reproduce(memory.workspace, "v0001", 0.0)
    assert found.reason is None
    assert {each.name for each in found.figures} == {"locality", "drift_nats"}
    assert "test.learning_accuracy" in found.unmeasured
