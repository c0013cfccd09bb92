from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from hybridmem.core.records import Audit, Check
from hybridmem.dreaming import bounds
from hybridmem.dreaming.bounds import BOUNDS, REPORTED, TRUTH_BOUNDS, Bound, Evaluated, figures
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.dreaming.steps import gate
from hybridmem.dreaming.steps.evaluate import EvalResult, EvalSet, build_eval_set
from hybridmem.dreaming.steps.gate import adopt, checks, evaluate_gate, scaled
from hybridmem.models.huggingface.adapter_files import WEIGHTS
from hybridmem.models.huggingface.lora import lora_config
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.dreaming.nights import contents

SETTINGS = GateSettings(
    min_learning_accuracy=0.7,
    max_forgetting=0.1,
    max_false_answer_rise=0.15,
    min_locality=0.8,
    max_drift_nats=0.15,
    max_stale_answer_rate=0.1,
    scales=(1.0, 0.5),
)
NEW, OLD = ["n1"], ["o1"]
UNRELATED = ("Paris", "seven", "blue", "four", "salt")
EMPTY: EvalSet = build_eval_set("dev", [], [], [], [], [])


def result(new: int = 10, old: int = 10, **values: object) -> EvalResult:
    """Out of ten questions on each fact."""
    audits = (Audit("v", "n1", "dev", 10, new), Audit("v", "o1", "dev", 10, old))
    return replace(EvalResult(audits, 0.0, UNRELATED, 3.0, 0.0), **values)  # type: ignore[arg-type]


BASE = result(0, 0)


def failed(candidate: EvalResult, *, old_before: int = 10) -> list[str]:
    found = checks(BASE, result(0, old_before), candidate, NEW, OLD, SETTINGS)
    return [check.name for check in found if not check.passed]


def test_a_good_night_passes_every_bound() -> None:
    found = checks(BASE, result(0, 10), result(), NEW, OLD, SETTINGS)
    assert all(check.passed for check in found)
    assert [check.name for check in found] == [
        "learning_accuracy",
        "forgetting",
        "false_answer_rise",
        "locality",
        "drift_nats",
        "stale_answer_rate",
    ]


@pytest.mark.parametrize(
    ("just_bad", "just_good", "name"),
    [
        (result(new=6), result(new=7), "learning_accuracy"),
        (result(old=8), result(old=9), "forgetting"),
        (result(false_answers=0.2), result(false_answers=0.15), "false_answer_rise"),
        (result(unrelated=("Rome", "six", *UNRELATED[2:])), result(unrelated=("Rome", *UNRELATED[1:])), "locality"),
        (result(nats=3.2), result(nats=3.125), "drift_nats"),
        (result(stale=0.2), result(stale=0.1), "stale_answer_rate"),
        (result(nats=float("nan")), result(nats=2.0), "drift_nats"),
    ],
)
def test_each_bound_fails_alone(just_bad: EvalResult, just_good: EvalResult, name: str) -> None:
    assert failed(just_bad) == [name]
    assert failed(just_good) == []


def test_what_the_base_did_already_is_not_held_against_a_night() -> None:
    base = result(0, 0, false_answers=0.9)
    assert all(check.passed for check in checks(base, base, result(false_answers=1.0), NEW, OLD, SETTINGS))


def test_improving_on_old_facts_is_no_forgetting() -> None:
    assert failed(result(old=10), old_before=4) == []


def test_every_bound_has_its_setting_and_every_setting_its_bound() -> None:
    fields = [field.name for field in dataclasses.fields(GateSettings) if field.name != "scales"]
    assert fields == [bound.setting for bound in (*BOUNDS, *TRUTH_BOUNDS)]
    names = [figure.name for figure in (*BOUNDS, *TRUTH_BOUNDS, *REPORTED)]
    assert len(set(names)) == len(names)
    assert all(figure.text.endswith(".") for figure in (*BOUNDS, *REPORTED))


def test_the_figures_of_a_split_that_the_parent_was_not_asked_on() -> None:
    found = figures(Evaluated(BASE, None, result(8, 9, false_answers=0.25, nats=3.5), NEW, OLD))
    assert found == {
        "learning_accuracy": 0.8,
        "false_answer_rise": 0.25,
        "locality": 1.0,
        "drift_nats": 0.5,
        "stale_answer_rate": 0.0,
        "old_fact_accuracy": 0.9,
        "false_answer_rate": 0.25,
    }


def test_a_figure_that_is_no_number_is_not_reported() -> None:
    assert "drift_nats" not in figures(Evaluated(BASE, BASE, result(nats=float("nan")), NEW, OLD))


@dataclasses.dataclass(frozen=True)
class Wordy(GateSettings):
    """With the setting of one bound more, on either side."""

    min_entropy: float = 2.0
    max_entropy: float = 2.0


@pytest.mark.parametrize("direction", ["at least", "at most"])
def test_a_new_bound_is_one_entry(monkeypatch: pytest.MonkeyPatch, direction: Literal["at least", "at most"]) -> None:
    """And its default in the settings; report and metrics have it then too."""
    entropy = Bound("entropy", "Nats of a next token.", lambda night: night.candidate.nats - 1.0, direction)
    monkeypatch.setattr(bounds, "BOUNDS", (*BOUNDS, entropy))
    for nats, over in ((2.875, False), (3.125, True)):
        base = result(0, 0, nats=3.0)
        *_, check = checks(base, base, result(nats=nats), NEW, OLD, Wordy())
        assert check == Check("entropy", nats - 1.0, 2.0, over == (direction == "at least"))
        assert figures(Evaluated(base, None, result(nats=nats), NEW, OLD))["entropy"] == nats - 1.0
    assert bounds.bound_of("entropy") == entropy


@pytest.mark.parametrize(
    ("former", "name"),
    [
        ("learned", "learning_accuracy"),
        ("forgetting", "forgetting"),
        ("false answers", "false_answer_rise"),
        ("locality", "locality"),
        ("drift", "drift_nats"),
        ("stale", "stale_answer_rate"),
    ],
)
def test_a_check_of_an_earlier_release_is_known(former: str, name: str) -> None:
    found = bounds.bound_of(former)
    assert found is not None
    assert found.name == bounds.current_name(former) == name


class Forgetful:
    """Only what a judge asks of a model."""

    def __init__(self) -> None:
        self.forgotten: list[Path] = []

    def forget(self, adapter: Path) -> None:
        self.forgotten.append(adapter)

    scale_adapter = HuggingFaceModel.scale_adapter


Sitting = Callable[..., EvalResult]


def candidate_in(tmp_path: Path) -> Path:
    from safetensors.torch import save_file

    made = tmp_path / "candidate"
    made.mkdir()
    key = "base_model.model.x.lora_{}.weight"
    save_file({key.format("A"): torch.ones(2, 3), key.format("B"): torch.full((3, 2), 4.0)}, made / WEIGHTS)
    (made / "adapter_config.json").write_text("{}")
    return made


def side_b(folder: Path) -> float:
    from safetensors.torch import load_file

    tensors = load_file(folder / WEIGHTS)
    assert tensors["base_model.model.x.lora_A.weight"].eq(1).all()
    return float(tensors["base_model.model.x.lora_B.weight"][0, 0])


def sitting(by_scale: dict[float, EvalResult]) -> Sitting:
    """Results by how large the adapter's update is; the base's and the parent's beside them."""

    def evaluate(model: object, adapter: Path | None, eval_set: EvalSet, version: str = "") -> EvalResult:
        if adapter is None:
            return BASE
        return result(0, 10) if adapter.name == "parent" else by_scale[side_b(adapter) / 4]

    return evaluate


def judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sit: Sitting, settings: GateSettings | None = SETTINGS
) -> gate.Verdict:
    monkeypatch.setattr(gate, "evaluate", sit)
    parent = tmp_path / "parent"
    return evaluate_gate(Forgetful(), candidate_in(tmp_path), parent, EMPTY, NEW, OLD, settings, "v")  # type: ignore[arg-type]


def test_a_night_that_passes_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judged(tmp_path, monkeypatch, sitting({1.0: result()}))
    assert (verdict.passed, verdict.scale, side_b(tmp_path / "candidate")) == (True, 1.0, 4.0)


def test_the_scale_shrinks_until_the_night_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judged(tmp_path, monkeypatch, sitting({1.0: result(nats=9.0), 0.5: result(new=8)}))
    assert (verdict.passed, verdict.scale) == (True, 0.5)
    assert verdict.result == result(new=8)
    assert side_b(tmp_path / "candidate") == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["candidate"]


def test_a_night_that_no_scale_saves_is_refused_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judged(tmp_path, monkeypatch, sitting({1.0: result(nats=9.0), 0.5: result(new=1)}))
    assert (verdict.passed, verdict.scale) == (False, 1.0)
    assert [check.name for check in verdict.checks if not check.passed] == ["drift_nats"]
    assert side_b(tmp_path / "candidate") == 4.0
    assert [path.name for path in tmp_path.iterdir()] == ["candidate"]


def test_without_a_gate_everything_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judged(tmp_path, monkeypatch, sitting({1.0: result(new=0, nats=99.0)}), None)
    assert (verdict.passed, verdict.checks) == (True, ())


def test_half_the_scale_is_half_the_update(stories: HuggingFaceModel, tmp_path: Path) -> None:
    """To first order, what the logits gain from a small update halves with it."""
    folder = tmp_path / "candidate"
    config = lora_config(stories.module, 4, 4)
    with stories.new_adapter(config, seed=0) as student:
        state = student.state()
        generator = torch.Generator().manual_seed(1)
        student.restore(
            {
                name: torch.randn(t.shape, generator=generator) * 1e-3 if "lora_B" in name else t
                for name, t in state.items()
            }
        )
        student.save(folder)
    before = contents(folder)

    def gain(adapter: Path) -> torch.Tensor:
        ids = torch.arange(30)[None] + 60
        with torch.no_grad(), stories.adapted(adapter):
            fitted = stories.module(input_ids=ids).logits
        with torch.no_grad():
            return (fitted - stories.module(input_ids=ids).logits).double()

    half = scaled(stories, folder, 0.5)
    assert contents(folder) == before
    whole_gain, half_gain = gain(folder), gain(half)
    assert whole_gain.abs().max() > 1e-4
    assert (2 * half_gain - whole_gain).norm() < 0.05 * whole_gain.norm()
    adopt(half, folder)
    stories.forget(folder)
    assert not half.exists()
    assert torch.equal(gain(folder), half_gain)
