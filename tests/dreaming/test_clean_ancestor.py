"""Where a night goes on from when something has to leave the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.records import AdapterRecord
from hybridmem.dreaming import recipes
from hybridmem.dreaming.steps.unlearn import clean_ancestor, in_weights
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from tests.dreaming.nights import ANA, BRIEF, LENIENT, NIGHT, fact, open_memory, teach

BASE, OTHER = "0" * 64, "1" * 64
Night = tuple[bool, bool, bool]
"""(goes on from the version before, on the base of today, promoted)"""


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel()) as opened:
        yield opened


def lived(memory: HybridMemory, *nights: dict[str, str], strategy: str = "replay") -> dict[str, str]:
    """Dream once for each dict of people and towns; returns the ids of the facts by person."""
    ids = {}
    for towns in nights:
        for person, town in towns.items():
            memory.add(f"{person} lives in {town}.")
        assert memory.dream(recipe=replace(recipes.load("default"), strategy=strategy)).status == "promoted"
    for each in memory.ledger.facts(memory.namespace):
        ids[each.subject] = each.id
    return ids


def delete(memory: HybridMemory, person: str) -> None:
    memory.delete(next(each.id for each in memory.list(kind="episode") if person in each.text))


def recalled(memory: HybridMemory, *people: str) -> list[str]:
    return [answer.text for answer in memory.answer_many([f"Where does {p} live?" for p in people], route="weights")]


def test_a_night_goes_on_from_before_the_deleted_fact(memory: HybridMemory) -> None:
    ids = lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Cara": "Riga"}, {"Dan": "Porto"})
    delete(memory, "Cara")
    report = memory.dream()
    assert (report.status, report.parent, report.unlearned) == ("promoted", "v0002", (ids["Cara"],))
    assert (report.new_facts, report.held_facts) == (0, 3)
    assert next(step.counts for step in report.steps if step.name == "train")["steps"] > 0
    assert recalled(memory, "Ana", "Ben", "Dan") == ["Lisbon", "Oslo", "Porto"]
    assert "Riga" not in recalled(memory, "Cara")
    assert ids["Cara"] not in in_weights(memory.adapters.list(), str(report.adapter))


def test_where_nothing_came_after_the_earlier_version_answers_again(memory: HybridMemory) -> None:
    lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Cara": "Riga"})
    delete(memory, "Cara")
    report = memory.dream()
    assert (report.status, report.adapter, report.parent, report.held_facts) == ("promoted", "v0002", "v0001", 2)
    assert "went back to v0002" in report.reason
    assert "train" not in [step.name for step in report.steps]
    assert [record.version for record in memory.adapters.list() if record.files] == ["v0001", "v0002"]
    assert recalled(memory, "Ana", "Ben") == ["Lisbon", "Oslo"]
    assert memory.dream().status == "nothing"
    assert lived(memory, {"Eva": "Turin"})["Eva"] in memory.adapters.get("v0004").facts
    assert memory.adapters.get("v0004").parent == "v0002"


@pytest.mark.parametrize("strategy", ["replay", "complementary", "merged-svd", "joint"])
def test_a_version_whose_parents_saw_it_is_no_start(memory: HybridMemory, strategy: str) -> None:
    ids = lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Cara": "Riga"}, strategy=strategy)
    delete(memory, "Ana")
    report = memory.dream(recipe=replace(recipes.load("default"), strategy=strategy))
    assert report.parent is None
    assert ids["Ana"] not in in_weights(memory.adapters.list(), str(report.adapter))
    assert recalled(memory, "Ben", "Cara") == ["Oslo", "Riga"]


def test_a_superseded_value_is_no_start_either(memory: HybridMemory) -> None:
    lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Ana": "Riga"})
    delete(memory, "Ben")
    report = memory.dream()
    assert (report.status, report.parent) == ("promoted", None)
    assert recalled(memory, "Ana") == ["Riga"]


def test_a_fact_that_waited_in_the_ledger_taints_what_was_trained_beside_it(memory: HybridMemory) -> None:
    """Its words may stand in the exercises of the others."""
    for person, town in {"Ana": "Lisbon", "Ben": "Oslo"}.items():
        memory.add_fact(person, "lives in", town)
    one = replace(recipes.load("default"), max_new_facts=1)
    memory.dream(recipe=one)
    memory.dream(recipe=one)
    first, second = memory.adapters.list()
    (late,) = set(second.facts) - set(first.facts)
    memory.delete(late)
    assert memory.dream(recipe=one).parent is None


def test_a_refused_night_goes_back_to_the_clean_version(memory: HybridMemory) -> None:
    lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Cara": "Riga"})
    delete(memory, "Ben")
    no_drift = replace(recipes.load("default"), gate=replace(LENIENT, max_drift_nats=-99.0))
    assert memory.dream(recipe=no_drift).status == "rejected"
    active = memory.adapters.active()
    assert active is not None
    assert active.version == "v0001"
    assert recalled(memory, "Ana") == ["Lisbon"]


def test_a_damaged_version_is_passed_over(memory: HybridMemory) -> None:
    lived(memory, {"Ana": "Lisbon"}, {"Ben": "Oslo"}, {"Cara": "Riga"}, {"Dan": "Porto"})
    next(memory.adapters.path("v0002").glob("answers.json")).write_text("{}", "utf-8")
    delete(memory, "Cara")
    assert memory.dream().parent == "v0001"


def test_it_is_as_if_it_had_never_been_told(tiny: HuggingFaceModel, tmp_path: Path) -> None:
    weights = []
    for name in ("told", "untold"):
        with open_memory(tmp_path / name, tiny) as memory:
            teach(memory, Ana="Lisbon")
            memory.dream(recipe=BRIEF)
            if name == "told":
                ben = teach(memory, Ben="Oslo")["Ben"]
                memory.dream(recipe=BRIEF)
                memory.delete(ben.id)
            teach(memory, Cara="Riga")
            # The seed of a night is its recipe's plus its number.
            report = memory.dream(recipe=replace(BRIEF, seed=BRIEF.seed + 2 - len(memory.dreams()) - 1))
            assert (report.parent, report.held_facts) == ("v0001", 2)
            weights.append((memory.adapters.path(str(report.adapter)) / "adapter_model.safetensors").read_bytes())
    assert weights[0] == weights[1]


@settings(deadline=None, max_examples=60)
@given(
    nights=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=6),
    deleted=st.sets(st.integers(0, 5), max_size=3),
)
def test_no_version_that_saw_it_is_ever_a_start(nights: list[Night], deleted: set[int]) -> None:
    """Night n tells fact fn; a version holds its own fact and, where it goes on, all that its parent holds."""
    ledger = InMemoryLedger()
    saw: dict[str, set[int]] = {}
    with TemporaryDirectory() as folder:
        made = AdapterRegistry(ledger, Path(folder) / "adapters", ANA, lambda: NIGHT)
        for number, (goes_on, here, promoted) in enumerate(nights):
            at = NIGHT + timedelta(days=number)
            ledger.put_fact(fact(f"f{number}", f"Person {number}", recorded_at=at))
            parent = f"v{number:04d}" if goes_on and number else None
            candidate = Path(folder) / "candidate"
            candidate.mkdir()
            (candidate / "adapter_model.safetensors").write_bytes(b"weights")
            record = AdapterRecord(
                "", ANA, "base", BASE if here else OTHER, parent, "candidate" if promoted else "rejected",
                at + timedelta(hours=1), "d", facts=(f"f{number}",),
            )  # fmt: skip
            version = made.register(candidate, record).version
            saw[version] = {number} | (saw[parent] if parent else set())
            if promoted:
                made.promote(version)
        gone = {number for number in deleted if number < len(nights)}
        for number in gone:
            ledger.erase(ANA, f"f{number}", NIGHT + timedelta(days=9))
        standing = {f"f{number}" for number in range(len(nights)) if number not in gone}
        found = clean_ancestor(ledger, made, ANA, BASE, deleted={f"f{number}" for number in gone}, standing=standing)
        clean = [
            version
            for number, (version, (_, here, promoted)) in enumerate(zip(saw, nights, strict=True))
            if here and promoted and not saw[version] & gone and number < min(gone, default=99)
        ]
        assert (found.version if found else None) == (clean[-1] if clean else None)
