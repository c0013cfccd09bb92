"""The whole suite runs without a network, and one thread a test: the figures of a busy machine are worth nothing."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from tests.distribution import UnitScheduling

pytest_plugins = ["pytester"]
pytest.register_assert_rewrite("hybridmem.testing")

# Thousands of tests and the large libraries are a million objects, which Python's thresholds have it look through again
# and again: a tenth of a run's processor time. What dies young dies by its count all the same.
gc.set_threshold(10_000, 10, 10)
# How long a busy machine takes to draw an example says nothing about the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
for name in ("DIR", "NAMESPACE", "MODEL", "EMBEDDER", "VECTORS", "READER", "CACHE"):
    os.environ.pop(f"HYBRIDMEM_{name}", None)
# Thousands of commits that wait for a disk, 3 ms and more each, hold the suite up and prove nothing: no test cuts the
# power. So temporary folders lie in memory where it has room for them; whoever sets TMPDIR has them there.
MEMORY_FILES, ROOM = Path("/dev/shm"), 4 * 2**30
if MEMORY_FILES.is_dir() and os.access(MEMORY_FILES, os.W_OK) and shutil.disk_usage(MEMORY_FILES).free > ROOM:
    os.environ.setdefault("TMPDIR", str(MEMORY_FILES))
    tempfile.tempdir = None  # else what was asked before stays
# Small, and here whatever is installed. Tests of the default base name it.
os.environ["HYBRIDMEM_MODEL"] = "bundled"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> UnitScheduling | None:
    if config.getoption("dist") != "loadscope":
        return None
    from tests.distribution import UnitScheduling

    config.option.loadscopereorder = False  # the workers have sorted their tests
    return UnitScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        from tests.distribution import longest_first

        longest_first(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture(autouse=True)
def _offline(no_network: list[str]) -> None:
    """Every test, whether it asks for it or not."""


@pytest.fixture(scope="session")
def stories() -> HuggingFaceModel:
    """A trained model of 260 thousand weights, loaded once: its base weights are never written to."""
    from tests.dreaming.nights import STORIES, load_stories

    if not STORIES.is_dir():
        pytest.skip("the checkpoint stories260k is not on this machine")
    return load_stories()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    """A random model that learns nothing: for tests of all that is around the learning."""
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from tests.models import families

    return HuggingFaceModel.load(families.save("llama", tmp_path_factory.mktemp("tiny"), layers=1), device="cpu")


@pytest.fixture
def forked_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dream jobs in processes that are forked, as those of `tests.scripts` are: without their imports' time."""
    from hybridmem.jobs import dream_jobs
    from tests import scripts

    started = SimpleNamespace(Popen=scripts.Popen, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(dream_jobs, "subprocess", started)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "candidate"
    made.mkdir()
    return made
