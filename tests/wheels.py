"""A wheel of the package, built from a copy so that nothing is left in the checkout, and without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNNEEDED = ("__pycache__", "bundled", "relations")
"""Left out of the copy: weights that no test of a wheel reads."""


def copied(place: Path) -> Path:
    """A copy of what a wheel is built from, in the folder `place`."""
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    for name in ("hybridmem", "adapters"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns(*UNNEEDED))
    return place


def built(copy: Path, place: Path) -> Path:
    """The wheel of the sources in `copy`, made in the folder `place`."""
    options = (
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--no-cache-dir",
        "--wheel-dir",
        str(place),
    )
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(copy), *options], capture_output=True, text=True, check=False
    )
    if "No module named pip" in done.stderr:
        pytest.skip("this environment has no pip")
    assert done.returncode == 0, done.stderr
    (made,) = place.glob("*.whl")
    return made
