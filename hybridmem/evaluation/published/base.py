"""What a published protocol is: a stream, made of data that the user has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput

if TYPE_CHECKING:
    from hybridmem.evaluation.stream import Stream


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol. `make` takes the file of data (any path where `data` is None), the nights, what a night
    holds and a seed, and raises `InvalidInput`."""

    name: str
    summary: str
    paper: str
    unit: str
    """What a night holds so many of."""
    nights: int
    per_night: int
    make: Callable[[Path, int, int, int], Stream]
    data: str | None = None
    """The file that it reads, within the folder of data."""
    licence: str = "made by this project"
    """Of that file."""

    def stream(self, folder: Path | None, nights: int, per_night: int, seed: int) -> Stream:
        """The protocol as a stream, from the data in `folder`. Raises `InvalidInput`."""
        if self.data is not None and folder is None:
            raise InvalidInput(f"{self.name} reads {self.data}: name the folder that holds it with --data")
        return self.make((folder or Path()) / (self.data or ""), nights, per_night, seed)


def require_enough(found: int, wanted: int, unit: str, path: Path) -> None:
    """Raises `InvalidInput` where `path` holds fewer than `wanted`."""
    if found < wanted:
        raise InvalidInput(f"{path} holds {found} {unit}, and {wanted} are wanted: lower --nights or --per-night")
