"""``hybridmem bench forgetting``: its strategies come from the registry, and the gate is a choice of its own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem.cli.app import run
from hybridmem.cli.reference import commands
from hybridmem.continual import registry as strategies
from hybridmem.evaluation.stream import make_stream, read
from hybridmem.evaluation.suites import forgetting
from hybridmem.models.fake import FakeModel
from tests.cli.conftest import Command, Result


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


# ---- many runs


@pytest.fixture
def costless(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stream: str) -> Callable[..., Result]:
    """`bench forgetting` on the fake model, with these arguments."""
    monkeypatch.setattr("hybridmem.models.load", lambda name: FakeModel())

    def command(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(["bench", "forgetting", "--stream", stream, "--embedder", "hashing", *arguments])
        return Result(code, *capsys.readouterr())

    return command


def test_a_grid_of_runs_leaves_a_file_each_and_is_not_run_twice(
    costless: Callable[..., Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    grid = ("--strategy", "naive, noop", "--strategy", "full-context", "--seed", "0", "--seed", "1", "--out", str(out))
    done = costless(*grid, "--no-gate", "--json")
    assert done.code == 0, done.err
    names = ["full-context_seed-0", "naive_ungated_seed-0", "naive_ungated_seed-1", "noop_seed-0"]
    assert done.json["trials"] == names == sorted(path.stem for path in out.glob("*.json"))
    assert [(each["strategy"], each["seeds"]) for each in done.json["settings"]] == [
        ("full-context", [0]),
        ("naive", [0, 1]),
        ("noop", [0]),
    ]
    assert done.json["settings"][0]["acc"] == {"mean": 1.0, "sd": None}
    assert done.json["settings"][0]["acc_interval"] == [1.0, 1.0]
    before = {path.name: path.read_bytes() for path in out.glob("*.json")}
    again = costless(*grid, "--no-gate")
    assert again.code == 0
    assert again.err.count("done already") == 4
    assert {path.name: path.read_bytes() for path in out.glob("*.json")} == before
    for words in ("retention", "side effects", "cost", "naive, ungated", "on the frontier"):
        assert words in again.out


def test_the_report_lies_in_the_folder(costless: Callable[..., Result], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the report's plots need the extra `report`")
    done = costless("--strategy", "noop", "--out", str(tmp_path / "out"), "--json")
    assert done.json["report"] == str(tmp_path / "out" / "report.html")
    assert "noop" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_without_matplotlib_the_results_are_kept_and_the_extra_is_named(
    costless: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = costless("--strategy", "noop", "--out", str(tmp_path / "out"))
    assert done.code == 0
    assert "no report was drawn" in done.out and "hybridmem[plots]" in done.out
    assert (tmp_path / "out" / "noop_seed-0.json").exists()


def test_learning_rates_and_a_budget_are_part_of_a_run(costless: Callable[..., Result], tmp_path: Path) -> None:
    make_stream(1, 1, 2).write(tmp_path / "two.jsonl")
    rates = ("--learning-rate", "0.01", "--learning-rate", "0.002", "--tokens", "4000")
    stream = ("--stream", str(tmp_path / "two.jsonl"))
    done = costless("--strategy", "naive", *rates, *stream, "--controls", "--no-gate", "--out", str(tmp_path), "--json")
    assert done.code == 0, done.err
    settings = [(each["strategy"], each["learning_rate"], each["shuffle_labels"]) for each in done.json["settings"]]
    assert settings == [
        ("naive", 0.002, False),
        ("naive", 0.01, False),
        ("naive", 0.01, True),
        ("noop", None, False),
    ]
    trained = [each["trained_tokens_a_night"]["mean"] for each in done.json["settings"]]
    assert 0 < max(trained) <= 4000


def test_the_recipes_own_strategy_is_the_one_of_a_grid_that_names_none(
    costless: Callable[..., Result], tmp_path: Path
) -> None:
    done = costless("--out", str(tmp_path / "out"), "--json")
    assert [each["strategy"] for each in done.json["settings"]] == ["replay"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--strategy", "naive,magic"), "no strategy is called 'magic': choose one of"),
        (("--strategy", "naive,"), "no strategy is called ''"),
        (("--strategy", "naive,noop"), "more than one run leaves a file each: name a folder for them with --out DIR"),
        (("--strategy", "all"), "name a folder for them with --out DIR"),
        (("--seed", "1", "--seed", "2"), "name a folder for them with --out DIR"),
        (("--learning-rate", "0.1", "--learning-rate", "0.2"), "name a folder for them with --out DIR"),
        (("--strategy", "noop", "--controls"), "name a folder for them with --out DIR"),
        (
            ("--strategy", "noop", "--learning-rate", "0.1"),
            "the strategy noop never dreams: leave the learning rate out",
        ),
        (("--strategy", "noop", "--tokens", "9"), "the strategy noop never dreams: leave the token budget out"),
        (("--strategy", "noop,retrieval", "--tokens", "9", "--out", "o"), "ever dreams: leave the token budget out"),
        (("--learning-rate", "0"), "a learning rate of 0.0: pass a number above 0"),
        (("--tokens", "0"), "greater than or equal to 1"),
        (("--out", "stream.jsonl"), "stream.jsonl is no folder: name another one for the results"),
    ],
)
def test_bad_usage_is_one_line(
    costless: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = costless(*arguments)
    assert refused.code == 2
    assert complaint in refused.err
    assert refused.err.count("\n") == 1


def test_a_folder_with_another_streams_results_is_refused(costless: Callable[..., Result], tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert costless("--strategy", "noop", "--out", out).code == 0
    fact = {"night": 1, "id": "f1", "text": "Ana is in Bern.", "answer": "Bern", "test_questions": ["Where is Ana?"]}
    (tmp_path / "other.jsonl").write_text(json.dumps(fact), encoding="utf-8")
    refused = costless("--strategy", "noop", "--out", out, "--stream", str(tmp_path / "other.jsonl"))
    assert refused.code == 2
    assert "was measured under other conditions (stream_sha256: " in refused.err


# ---- a stream to run them on


def test_a_stream_is_made_and_read_back(hybridmem: Command, tmp_path: Path) -> None:
    arguments = ("--nights", "4", "--facts", "5", "--changes", "2", "--deletions", "0", "--seed", "3")
    made = hybridmem("bench", "stream", "made.jsonl", *arguments, "--json")
    stream = read(tmp_path / "made.jsonl")
    assert stream == make_stream(3, 4, 5, changes=2, deletions=0)
    assert made.json == {
        "file": "made.jsonl",
        "nights": 4,
        "facts": 20,
        "changes": 6,
        "deletions": 0,
        "sha256": stream.sha256,
    }


def test_a_stream_is_never_written_over_a_file(hybridmem: Command, tmp_path: Path) -> None:
    (tmp_path / "made.jsonl").write_text("mine")
    refused = hybridmem("bench", "stream", "made.jsonl")
    assert (refused.code, refused.err) == (
        2,
        "error: made.jsonl is there already: name a new file, or remove it first\n",
    )
    assert (tmp_path / "made.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--nights", "0"), "greater than or equal to 1"),
        (("--facts", "4", "--changes", "5"), "no more changes than facts"),
        (("--facts", "2", "--deletions", "9"), "ask for fewer changes or deletions"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(
    hybridmem: Command, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    refused = hybridmem("bench", "stream", "made.jsonl", *arguments)
    assert refused.code == 2
    assert complaint in refused.err
    assert not (tmp_path / "made.jsonl").exists()
