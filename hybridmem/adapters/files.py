"""The files of one adapter version: hashed, checked, moved so that a crash leaves them whole or absent."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from hybridmem.adapters.card import CARD, README, AdapterCard
from hybridmem.core.disk import synced
from hybridmem.core.errors import CorruptAdapter, InvalidInput, WrongBase
from hybridmem.core.hashing import file_sha256
from hybridmem.core.records import AdapterRecord

UNFINISHED = ".unfinished-"
Manifest = AdapterRecord | AdapterCard
"""What names an adapter's base and the sha256 of its files: the ledger's record, or the card beside the weights."""


def hashes(folder: Path) -> dict[str, str]:
    """sha256 by name of every file that a card answers for: all but the card itself."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    return {file.name: file_sha256(file, fresh=True) for file in files if file.name not in {CARD, README}}


def check(record: Manifest, folder: Path, *, fresh: bool = True) -> None:
    """Every file of `record` is in `folder` and is what it was when it was registered.

    `fresh` reads them again even if this process hashed them before and they seem unchanged. Raises
    `CorruptAdapter`."""
    if not record.files:
        raise CorruptAdapter(f"the weights of {record.version} were removed: promote another version, or dream again")
    for name, expected in record.files.items():
        try:
            found = file_sha256(folder / name, fresh=fresh)
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptAdapter(
                f"{record.version} lacks its file {name}: restore it, or `hybridmem adapters rollback`"
            ) from None
        if found != expected:
            raise CorruptAdapter(
                f"{name} of {record.version} has sha256 {found}, and {expected} when it was trained: "
                f"restore it, or `hybridmem adapters rollback`"
            )


def check_base(record: Manifest, base: str, base_sha256: str) -> None:
    """`record` was trained on the weights with this digest. Raises `WrongBase` naming both."""
    if record.base_sha256 != base_sha256:
        raise WrongBase(
            f"{record.version} was trained on the base {record.base} (sha256 {record.base_sha256}), and the model is "
            f"{base} (sha256 {base_sha256}): pass --model {record.base}, or dream again on this one; until then, "
            f"answers whose route you do not force come by retrieval"
        )


def move_into_place(source: Path, destination: Path) -> None:
    """Copy the folder `source` to `destination`, a new one: after a crash that is there whole or not at all."""
    unfinished = destination.with_name(f"{UNFINISHED}{destination.name}")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir()
    for file in sorted(source.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            shutil.copyfile(file, unfinished / file.name)
            synced(unfinished / file.name)
    synced(unfinished)
    unfinished.rename(destination)
    synced(destination.parent)


def require_new(destination: Path) -> None:
    """Raises `InvalidInput` unless `destination` is a new or an empty folder."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise InvalidInput(f"{str(destination)!r} is there already: export to a new or an empty folder")


def copy_plain(source: Path, destination: Path, names: Mapping[str, str]) -> None:
    """Copy the files `names` and the card into `destination`."""
    destination.mkdir(parents=True, exist_ok=True)
    for name in [*names, CARD, README]:
        if (source / name).is_file():
            shutil.copyfile(source / name, destination / name)
