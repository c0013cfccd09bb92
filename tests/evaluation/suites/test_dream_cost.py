"""What a dream costs is measured in a process of its own, and more parameters cost more."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("torch")

from hybridmem.evaluation.suites.dream_cost import NIGHTS
from tests import scripts


def test_a_size_is_measured_in_its_own_process() -> None:
    command = [sys.executable, "-m", "hybridmem.evaluation.suites.dream_cost", "--one", "1", "64"]
    done = scripts.run_command(command, text=True)
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout.splitlines()[-1])
    assert cost["parameters"] > 100_000
    assert cost["weights_mb"] == pytest.approx(cost["parameters"] * 4 / 1e6)
    assert cost["tokens_a_step"] > 200
    assert cost["seconds_a_step"] > 0
    assert cost["tokens_written_a_second"] > 0
    nights = [cost["training_seconds"][str(facts)] for facts in NIGHTS]
    assert nights == sorted(nights)
    assert nights[0] > cost["seconds_a_step"]
