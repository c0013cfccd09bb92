"""A comparison: one fresh memory a trial, nothing run twice, and nothing set side by side that does not belong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.comparison import runner
from hybridmem.evaluation.comparison.trial import Trial, trials
from hybridmem.evaluation.stream import Stream, StreamFact, make_stream
from tests.evaluation.comparison.doubles import STREAM, compared

GRID = trials(["replay", "naive"], seeds=[0, 1])


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


def test_every_trial_has_its_memory_and_its_file(tmp_path):
    opened: list[str] = []
    conditions, results = compared(tmp_path / "out", *GRID, opened=opened, backends={"embedder": "hashing"})
    assert opened == ["base", *(trial.name for trial in GRID)]
    assert {each.trial for each in results} == set(GRID)
    assert set(files(tmp_path / "out")) == {f"{trial.name}.json" for trial in GRID}
    assert conditions["stream_sha256"] == STREAM.sha256
    assert (conditions["model"], conditions["base_sha256"]) == ("fake", "0" * 64)
    assert conditions["backends"] == {"embedder": "hashing"}
    accuracy = {each.trial.strategy: each.result["acc"] for each in results}
    assert accuracy == {"replay": 1.0, "naive": pytest.approx(1 / 6)}
    assert not (tmp_path / "out" / ".running").exists()


def test_what_is_done_is_not_run_again(tmp_path):
    compared(tmp_path, *GRID[:2])
    before = files(tmp_path)
    opened: list[str] = []
    lines: list[str] = []
    _, results = compared(tmp_path, *GRID, opened=opened, progress=lines.append)
    assert opened == ["base", *(trial.name for trial in GRID[2:])]
    assert lines[:2] == [f"{n} of 4, replay, seed {n - 1}: done already" for n in (1, 2)]
    assert lines[2].startswith("3 of 4, naive, seed 0: night 1 (1 of 6): promoted")
    assert len(results) == 4
    assert files(tmp_path).items() >= before.items()


def test_other_trials_of_the_folder_are_among_the_results(tmp_path):
    compared(tmp_path, GRID[0])
    assert {each.trial for each in compared(tmp_path, GRID[2])[1]} == {GRID[0], GRID[2]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"stream": make_stream(2, 6, 4)}, "stream_sha256: "),
        ({"backends": {"embedder": "minilm"}}, "backends.embedder: None, now minilm"),
        ({"recipe": "naive"}, "recipe.gate"),
    ],
)
def test_results_of_other_conditions_are_left_as_they_are(tmp_path, change, what):
    compared(tmp_path, GRID[0])
    before = files(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        compared(tmp_path, *GRID, **change)
    assert what in str(caught.value)
    assert "name another folder" in str(caught.value)
    assert files(tmp_path) == before


def test_results_of_another_version_are_left_as_they_are(tmp_path, monkeypatch):
    compared(tmp_path, GRID[0])
    monkeypatch.setattr(runner, "VERSION", "9.0")
    with pytest.raises(InvalidInput, match=r"version: .*, now 9\.0"):
        compared(tmp_path, GRID[0])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trial": {}}', "\ud800", "[" * 100_000])
def test_a_file_that_is_no_result_is_named(tmp_path, text):
    compared(tmp_path, GRID[0])
    (tmp_path / "mine_seed-0.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InvalidInput, match=r"mine_seed-0\.json is no result of a comparison: move it away"):
        compared(tmp_path, GRID[0])


def test_files_under_other_names_are_left_alone(tmp_path):
    compared(tmp_path, GRID[0])
    (tmp_path / "table.json").write_text("{}")
    assert len(compared(tmp_path, GRID[0])[1]) == 1


def test_conditions_that_are_none_are_no_result(tmp_path):
    compared(tmp_path, GRID[0])
    path = tmp_path / f"{GRID[0].name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "conditions": []}), encoding="utf-8")
    with pytest.raises(InvalidInput, match="is no result"):
        compared(tmp_path, GRID[0])


def test_a_result_under_another_trials_name_is_no_result(tmp_path):
    compared(tmp_path, GRID[0])
    (tmp_path / f"{GRID[0].name}.json").rename(tmp_path / f"{GRID[1].name}.json")
    with pytest.raises(InvalidInput, match="is no result"):
        compared(tmp_path, GRID[0])


def test_two_processes_do_not_share_a_folder(tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(InvalidInput, match="another process runs a comparison into"):
        compared(tmp_path, GRID[0])


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InvalidInput, match="is no folder"):
        compared(tmp_path / "out", GRID[0])


@pytest.mark.parametrize(
    ("trial", "named", "complaint"),
    [
        (Trial("replay", learning_rate=-1.0), {}, "pass a number above 0"),
        (Trial("replay"), {"recipe": "nonesuch"}, "no recipe 'nonesuch'"),
        (Trial("noop"), {"recipe": "naive"}, "leave the recipe 'naive' out"),
    ],
)
def test_what_cannot_be_run_is_refused_before_a_memory_is_opened(tmp_path, trial, named, complaint):
    opened: list[str] = []
    with pytest.raises(InvalidInput, match=complaint):
        compared(tmp_path, trial, opened=opened, **named)
    assert opened == []


def test_a_stream_whose_labels_cannot_be_shuffled_is_refused_at_once(tmp_path):
    stream = Stream((StreamFact(1, "a", "It is there.", "Riga", ("Where?",)),))
    opened: list[str] = []
    with pytest.raises(InvalidInput, match="cannot be given another value"):
        compared(tmp_path, Trial("replay"), Trial("replay", shuffle_labels=True), stream=stream, opened=opened)
    assert opened == []


def test_a_trial_that_fails_leaves_the_others_and_no_memory(tmp_path, monkeypatch):
    real = runner.run

    def fails(stream, strategy, *rest, **named):
        if strategy == "naive":
            raise InvalidInput("the disk is full")
        return real(stream, strategy, *rest, **named)

    monkeypatch.setattr(runner, "run", fails)
    with pytest.raises(InvalidInput, match="the disk is full"):
        compared(tmp_path, *GRID)
    assert len(files(tmp_path)) == 2
    assert not (tmp_path / ".running").exists()
    monkeypatch.undo()
    assert len(compared(tmp_path, *GRID)[1]) == 4


KILLED = """
import os, signal, sys
from pathlib import Path
from hybridmem.evaluation.comparison import runner
from tests.evaluation.comparison.doubles import compared
from tests.evaluation.comparison.test_runner import GRID

def killed(line):
    if line.startswith("3 of 4") and "night 2 " in line:
        os.kill(os.getpid(), signal.SIGKILL)

compared(Path(sys.argv[1]), *GRID, progress=killed)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_comparison_that_was_killed_goes_on_with_the_trial_that_it_was_in(tmp_path):
    here = Path(__file__).parents[3]
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(here)},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    before = files(tmp_path)
    assert set(before) == {f"{trial.name}.json" for trial in GRID[:2]}
    assert (tmp_path / ".running" / GRID[2].name).exists(), "it died with a memory open"
    opened: list[str] = []
    _, results = compared(tmp_path, *GRID, opened=opened)
    assert opened == ["base", *(trial.name for trial in GRID[2:])]
    assert {each.trial for each in results} == set(GRID)
    assert files(tmp_path).items() >= before.items()
    assert not (tmp_path / ".running").exists()


def test_a_file_is_whole_json_with_what_it_was_measured_under(tmp_path):
    conditions, results = compared(tmp_path, GRID[0])
    record = json.loads((tmp_path / f"{GRID[0].name}.json").read_text(encoding="utf-8"))
    assert record == {"trial": GRID[0].to_json(), "conditions": conditions, "result": results[0].result}
    assert record["conditions"]["recipe"]["train"]["rank"] > 0
