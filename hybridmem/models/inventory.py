"""The models that have a name here, and the copies that the cache keeps. Nothing here loads torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.errors import AdapterError, ModelError
from hybridmem.core.hashing import weights_sha256
from hybridmem.models import bundled, cache, smollm2
from hybridmem.models.names import BUNDLED, SMOLLM2, SMOLLM2_INSTRUCT, VARIABLE, chosen, missing
from hybridmem.models.smollm2 import sources
from hybridmem.models.spec import parse


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model by name."""

    name: str
    where: str | None
    """The file or folder that its weights come from; None where they are not on this machine."""
    bytes: int | None
    """Of these, on the disk."""
    sha256: str | None
    """What adapters trained on it are bound to."""
    cached: str | None
    """The folder of the copy that is loaded, where one was made."""
    is_default: bool
    """Whether it is taken where nobody names a model."""
    note: str
    """What keeps it from being used; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What `hybridmem models` shows."""

    default: str
    """What is taken where nobody names a model."""
    why: str
    cache: str
    """The folder in which copies are kept."""
    models: tuple[ListedModel, ...]


def inventory(given: str | None = None) -> Inventory:
    """The models here. `given` is what the user's command line or environment names."""
    default = str(parse(chosen(given))[0])
    return Inventory(
        default=default,
        why=_why(given),
        cache=str(cache.root()),
        models=(
            _smollm2(SMOLLM2, default, skilled=True),
            _smollm2(SMOLLM2_INSTRUCT, default, skilled=False),
            _bundled(default),
            *_copies(default),
        ),
    )


def _why(given: str | None) -> str:
    if given or os.environ.get(VARIABLE):
        return f"{VARIABLE} or --model names it"
    return missing() or "its weights and its memory skills are here"


def _smollm2(name: str, default: str, *, skilled: bool) -> ListedModel:
    try:
        found = sources.find(name, skilled=skilled)
    except (ModelError, AdapterError) as error:
        return ListedModel(name, None, None, None, None, name == default, str(error))
    copy = cache.found(name, found.sha256)
    return ListedModel(
        name=name,
        where=str(found.weights),
        bytes=sum(file.stat().st_size for file in found.hashes),
        sha256=found.sha256,
        cached=str(copy) if copy is not None else None,
        is_default=name == default,
        note=f"no adapter {smollm2.SKILLS} on the shelf: the same as {SMOLLM2_INSTRUCT}"
        if skilled and found.skills is None
        else "",
    )


def _bundled(default: str) -> ListedModel:
    weights = bundled.folder() / "model.safetensors"
    return ListedModel(
        name=BUNDLED,
        where=str(weights.parent),
        bytes=weights.stat().st_size,
        sha256=weights_sha256([weights]),
        cached=None,
        is_default=default == BUNDLED,
        note="",
    )


def _copies(default: str) -> list[ListedModel]:
    """GGUF files of the user's that were loaded before."""
    return [
        ListedModel(
            name=copy.name,
            where=copy.name if Path(copy.name).is_file() else None,
            bytes=Path(copy.name).stat().st_size if Path(copy.name).is_file() else None,
            sha256=copy.sha256,
            cached=str(copy.folder),
            is_default=copy.name == default,
            note="" if Path(copy.name).is_file() else f"its file is gone; {copy.folder} can be removed",
        )
        for copy in cache.kept()
        if copy.name not in (SMOLLM2, SMOLLM2_INSTRUCT)
    ]
