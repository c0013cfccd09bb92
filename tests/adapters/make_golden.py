"""Makes the golden adapters anew: ``python -m tests.adapters.make_golden [NAME ...]`` in the project's root.

Only for a new golden adapter, or a new base. Those that are there stay as they are: that is what they are for.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hybridmem import HybridMemory
from hybridmem.adapters import files
from hybridmem.adapters.card import AdapterCard
from hybridmem.adapters.provenance import data_sha256, training_key
from hybridmem.core.records import AdapterRecord, Fact
from hybridmem.core.version import VERSION
from hybridmem.dreaming.recipes import GateSettings, Recipe
from hybridmem.models import prompts
from hybridmem.models.fake import ADAPTER_FILE
from hybridmem.training.settings import TrainSettings
from tests.adapters.golden import EXPECTED, SHELF, TOLERANCE, base_of, measure
from tests.dreaming.nights import items_of

NAMESPACE = ("golden",)
MADE_AT = datetime(2026, 11, 28, 3, tzinfo=UTC)
TOWNS = {"Ana Brito": "Porto", "Ivo Rask": "Riga", "Mira Sodo": "Bergen"}
UNKNOWN = "Where does Otto Lind live?"
_TRAIN = TrainSettings(rank=4, alpha=8, targets="mlp", exposures=60, max_steps=40, new_rows=12, general_tokens=48)
_GATE = GateSettings(
    min_learning_accuracy=0.0, max_forgetting=1.0, max_false_answer_rise=1.0, min_locality=0.0, max_drift_nats=100.0
)
RECIPES = {
    "bundled": Recipe(name="golden", train=replace(_TRAIN, bf16=False), gate=_GATE),
    "stories260k": Recipe(
        name="golden", train=replace(_TRAIN, bf16=False, targets="all-linear", stop_threshold=2.0), gate=_GATE
    ),
}


def question(person: str) -> str:
    return f"Where does {person} live?"


def make(name: str) -> Path:
    """Train the golden adapter `name`, or write it by hand for the fake; returns its folder."""
    folder = SHELF / name
    shutil.rmtree(folder, ignore_errors=True)
    model = base_of(name)
    if name == "fake":
        _write_fake(folder)
    else:
        _dream(model, RECIPES[name], folder)
    asked = [prompts.answer(each) for each in (*map(question, TOWNS), UNKNOWN)]
    asked.append(prompts.answer(question("Ivo Rask"), ["Ivo Rask lives in Tartu."]))
    cases = measure(model, folder, asked, [*TOWNS.values(), prompts.REFUSAL, "Tartu"])
    note = {"tolerance": TOLERANCE, "precision": "float32 on a CPU", "cases": cases}
    (folder / EXPECTED).write_text(json.dumps(note, indent=1) + "\n", "utf-8")
    return folder


def _dream(model: Any, recipe: Recipe, folder: Path) -> None:
    """One night on three facts, as any memory dreams it."""
    with (
        tempfile.TemporaryDirectory() as memory_folder,
        HybridMemory.open(
            memory_folder, namespace=NAMESPACE, model=model, embedder="hashing", clock=lambda: MADE_AT
        ) as memory,
    ):
        for person, town in TOWNS.items():
            memory.ledger.save_items(items_of(memory.add_fact(person, "lives in", town)))
        report = memory.dream(recipe=recipe)
        if report.adapter is None:
            raise SystemExit(f"no adapter: {report.reason}")
        memory.adapters.export(report.adapter, folder)


def _write_fake(folder: Path) -> None:
    """The fake's adapter format: questions and their answers."""
    model = base_of("fake")
    folder.mkdir(parents=True)
    answers = {question(person): town for person, town in TOWNS.items()}
    (folder / ADAPTER_FILE).write_text(json.dumps(answers, indent=1) + "\n", "utf-8")
    facts = [
        Fact(f"f{number}", NAMESPACE, person, "lives in", town, f"{person} lives in {town}.", MADE_AT)
        for number, (person, town) in enumerate(TOWNS.items())
    ]
    items = [item for fact in facts for item in items_of(fact)]
    record = AdapterRecord(
        "v0001", NAMESPACE, model.name, model.sha256, None, "active", MADE_AT, "", tuple(fact.id for fact in facts)
    )
    card = AdapterCard.of(
        replace(record, files=files.hashes(folder)),
        data_sha256=data_sha256(facts, items),
        training_key=training_key(base_sha256=model.sha256, facts=facts, items=items, recipe={}, seed=0, parent=None),
        recipe={},
        seed=0,
        hybridmem=VERSION,
        gate={},
        test={},
    )
    card.write(folder)


def main(names: Sequence[str]) -> None:
    for name in names or ("bundled", "stories260k", "fake"):
        folder = make(name)
        print(folder.name, sum(file.stat().st_size for file in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
