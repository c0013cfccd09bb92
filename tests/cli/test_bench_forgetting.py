"""``hybridmem bench forgetting``: its strategies come from the registry, and the gate is a choice of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem.cli.app import run
from hybridmem.cli.reference import commands
from hybridmem.continual import registry as strategies
from hybridmem.evaluation.suites import forgetting
from hybridmem.models.fake import FakeModel
from tests.cli.conftest import Command


class Hoard:
    """As `replay`, under a name of its own: what one new file in `continual/strategies` would set."""

    name = "hoard"
    summary = "keeps everything"

    def __getattr__(self, name: str) -> Any:
        return getattr(strategies.get("replay"), name)


@pytest.fixture
def hoard() -> Iterator[None]:
    strategies.register(Hoard())
    yield
    strategies.unregister("hoard")


@pytest.fixture
def stream(tmp_path: Path) -> str:
    fact: dict[str, Any] = {"night": 1, "id": "f1", "text": "Zane lives in Riga.", "answer": "Riga"}
    fact["test_questions"] = ["Where does Zane live?"]
    path = tmp_path / "stream.jsonl"
    path.write_text(json.dumps(fact) + "\n", encoding="utf-8")
    return str(path)


def test_the_help_explains_every_strategy_of_the_registry() -> None:
    command = dict(commands())["hybridmem bench forgetting"]
    (option,) = (each for each in command.params if each.name == "strategy")
    for name in strategies.names():
        assert f"{name}: {strategies.get(name).summary}" in option.help


@pytest.mark.usefixtures("hoard")
def test_an_unknown_strategy_is_answered_with_the_choices_one_that_was_just_registered_among_them(
    hybridmem: Command, stream: str
) -> None:
    result = hybridmem("bench", "forgetting", "--stream", stream, "--strategy", "magic")
    assert result.code == 2
    choices = re.search(r"no strategy is called 'magic': choose one of (.*)", result.err)
    assert choices and choices.group(1).split(", ") == list(strategies.names())
    assert "hoard" in choices.group(1)


@pytest.mark.usefixtures("hoard")
@pytest.mark.parametrize(("flags", "gate"), [((), None), (("--gate",), True), (("--no-gate",), False)])
def test_the_strategy_and_the_gate_are_passed_on(
    hybridmem: Command, stream: str, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], gate: bool | None
) -> None:
    given: dict[str, Any] = {}

    def plan(read: Any, strategy: str, *rest: Any, **named: Any) -> dict[str, Any]:
        given.update(named, plan=forgetting.bench_plan(strategy, named["recipe"], named["gate"]))
        return {"R": [[0.5]], "nights": [], "strategy": strategy}

    monkeypatch.setattr(forgetting, "run", plan)
    result = hybridmem("bench", "forgetting", "--stream", stream, "--strategy", "hoard", *flags, "--json")
    assert result.code == 0, result.err
    assert given["gate"] is gate
    assert given["plan"].recipe.strategy == "hoard" and given["plan"].gated is (gate is not False)


def test_a_gate_without_dreams_is_bad_usage(hybridmem: Command, stream: str) -> None:
    result = hybridmem("bench", "forgetting", "--stream", stream, "--strategy", "noop", "--no-gate")
    assert (result.code, result.err) == (2, "error: the strategy noop never dreams: leave the gate out\n")


def test_the_whole_command_on_a_model_that_costs_nothing(
    stream: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hybridmem.models.load", lambda name: FakeModel())
    figures = {}
    for strategy in ("full-context", "noop"):
        arguments = ["bench", "forgetting", "--stream", stream, "--strategy", strategy, "--embedder", "hashing"]
        assert run([*arguments, "--json"]) == 0
        figures[strategy] = json.loads(capsys.readouterr().out)
    assert (figures["full-context"]["acc"], figures["full-context"]["texts_left_out"]) == (1.0, 0)
    assert (figures["noop"]["acc"], figures["noop"]["texts_left_out"]) == (0.0, None)
