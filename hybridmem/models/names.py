"""The models that have a name of their own, and which of them is taken where nobody names one. Loads no torch."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from hybridmem.models import smollm2

BUNDLED = "bundled"
"""The small base of 5.5 million parameters that travels with hybridmem."""
SMOLLM2 = "smollm2"
"""SmolLM2-135M-Instruct with this project's memory skills merged in."""
SMOLLM2_INSTRUCT = "smollm2-instruct"
"""The same without the skills: what these are trained on."""
FAKE = "fake"
OWN = frozenset({BUNDLED, SMOLLM2})
"""Bases that this project trained, for the memory jobs alone."""
VARIABLE = "HYBRIDMEM_MODEL"
"""The environment variable that names the model where nobody else does."""

log = logging.getLogger("hybridmem.models")
_telling = threading.Lock()
_told: list[str] = []


def default_name() -> str:
    """``smollm2`` where its parts are here, else ``bundled``, which is many times faster and reads far less of everyday
    language."""
    # The skills first: without them there is no need to look for the weights, which may import the hub's library.
    return SMOLLM2 if smollm2.skills() is not None and _weights_are_here() else BUNDLED


def missing() -> str | None:
    """What ``smollm2`` would need and this installation lacks; None where it is all here."""
    lacking = []
    if not _weights_are_here():
        other = smollm2.installed_version()
        lacking.append(
            f"the package {smollm2.PACKAGE} {other} has no {smollm2.GGUF}"
            if other is not None
            else f"the package {smollm2.PACKAGE} {smollm2.PACKAGE_VERSION} is not installed"
        )
    if smollm2.skills() is None:
        lacking.append(f"this hybridmem has no adapter {smollm2.SKILLS} on its shelf")
    return " and ".join(lacking) or None


def _weights_are_here() -> bool:
    return smollm2.packaged() is not None or smollm2.fetched() is not None


def chosen(name: str | Path | None) -> str | Path:
    """`name`, or what stands for none: HYBRIDMEM_MODEL, or `default_name`."""
    return name or os.environ.get(VARIABLE) or default_name()


def tell_of_fallback(name: str | Path | None) -> None:
    """Say once in a process, in one line, that the bundled base runs because the default one is not here.

    Where the skills do not belong to this hybridmem, a user could install nothing."""
    if name or os.environ.get(VARIABLE) or smollm2.skills() is None:
        return
    lacking = missing()
    with _telling:
        if lacking is None or _told:
            return
        _told.append(lacking)
    log.warning(
        "the bundled base of 5.5 M parameters runs instead of the default one, because %s: see `hybridmem models`, run "
        "`hybridmem models install`, or name a model",
        lacking,
    )
