"""The demo from its first day to its report, on a small log that the fake model can read."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hybridmem.dreaming import general, recipes
from hybridmem.evaluation.demo import days
from hybridmem.evaluation.demo import run as demo
from hybridmem.evaluation.demo.days import Asked, Days
from hybridmem.models.fake import FakeModel

pytest.importorskip("matplotlib", reason="the report's plots need it")

STATED = (
    (("Ana", "lives in", "Lisbon"), ("Ben", "plays", "chess"), ("Kim", "drinks", "mate")),
    (("Cleo", "works at", "Northwind"), ("Dora", "likes", "plums")),
    (("Emil", "drives", "a tram"), ("Fay", "owns", "a ferret")),
)
RECIPE = replace(recipes.load("default"), compose=recipes.ComposeSettings(min_questions=3, max_questions=6))


def asked(subject: str, relation: str, value: str) -> Asked:
    return Asked(subject, value, (f"{subject} {relation} what?", f"Tell me what {subject} {relation}."))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    """Three days of one sentence a fact, and a fourth on which Ana moves."""
    folder = tmp_path / "log"
    folder.mkdir()
    said = ["\n".join(f"{' '.join(fact)}." for fact in facts) for facts in STATED] + ["Ana lives in Porto."]
    for number, text in enumerate(said):
        (folder / f"{number}.txt").write_text(text + "\n", encoding="utf-8")
    made = Days(
        logs=tuple(folder / f"{number}.txt" for number in range(3)),
        facts=tuple(tuple(asked(*fact) for fact in facts) for facts in STATED),
        later=folder / "3.txt",
        changed=asked("Ana", "lives in", "Porto"),
        stale="Lisbon",
        deleted=asked("Ben", "plays", "chess"),
        unanswerable=("Which port does Zed use?", "Who paints Zed?"),
    )
    monkeypatch.setattr(days, "load", lambda: made)
    monkeypatch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))
    return made


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, recipe: recipes.Recipe = RECIPE, **options: Any) -> Any:
    monkeypatch.setattr(demo.recipes, "load", lambda name, model=None: recipe)
    printed = io.StringIO()
    out = demo.run(folder, Console(file=printed, width=160), model=FakeModel(), embedder="hashing", **options)
    return out, printed.getvalue()


@pytest.mark.usefixtures("log")
def test_the_arms_differ_in_the_replay_of_older_facts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, printed = run(tmp_path / "demo", monkeypatch)
    kept, lost = out["results"]["replay"], out["results"]["distil-only"]
    assert [row[0] for row in kept["R"]] == [1.0, 1.0, 1.0]
    assert [row[0] for row in lost["R"]] == [1.0, 0.0, 0.0]
    assert [row[-1] for row in lost["R"]] == [1.0, 1.0, 1.0], "it learns each night what the other learns"
    assert "strategy replay, and the strategy distil-only" in out["compared"] and "changed nothing" in out["compared"]
    assert " ".join(out["compared"].split()[:12]) in " ".join(printed.split())
    assert out["figures"]["first night's facts after night 3, with replay"] == 1.0
    assert out["figures"]["first night's facts after night 3, without replay"] == 0.0
    assert Path(out["report"]).read_text(encoding="utf-8").count("without replay") > 1
    # The gated memory stands for the arm with replay, and the first night is not dreamt twice.
    assert not (tmp_path / "demo" / "replay").exists()
    assert kept["seconds_per_night"][0] == lost["seconds_per_night"][0]


@pytest.mark.usefixtures("log")
def test_where_the_gate_refused_both_arms_run_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RECIPE.gate is not None
    out, _ = run(tmp_path / "demo", monkeypatch, replace(RECIPE, gate=replace(RECIPE.gate, min_learning_accuracy=1.1)))
    kept, lost = out["results"]["replay"], out["results"]["distil-only"]
    assert kept["gated"] is lost["gated"] is False
    assert (kept["R"][-1][0], lost["R"][-1][0]) == (1.0, 0.0)
    assert "refused a night or shrank an adapter" in out["compared"] and "every day from the first" in out["compared"]


@pytest.mark.usefixtures("log")
def test_quick_compares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, printed = run(tmp_path / "demo", monkeypatch, quick=True)
    assert out["compared"] is None and list(out["results"]) == ["replay"]
    assert len(out["results"]["replay"]["R"]) == 2
    assert "What was compared" not in printed
    assert [path.name for path in (tmp_path / "demo").iterdir() if path.is_dir()] == ["memory"]
