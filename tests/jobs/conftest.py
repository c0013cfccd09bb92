from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from hybridmem.jobs import dream_jobs
from tests import scripts


@pytest.fixture
def forked_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dream jobs in processes that are forked, as those of `tests.scripts` are: without their imports' time."""
    started = SimpleNamespace(Popen=scripts.Popen, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(dream_jobs, "subprocess", started)
