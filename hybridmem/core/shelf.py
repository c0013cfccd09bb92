"""The shelf: the adapters that belong to the project.

In a checkout they lie in ``adapters/`` beside the package. A wheel carries them within it, as ``hybridmem/shelf/``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "shelf", _PACKAGE.parent / "adapters")
"""Where an installed hybridmem has it, and where a checkout does. A checkout has none of the first, and a wheel always:
whatever else is called ``adapters`` beside an installed package is never looked into."""


def root() -> Path:
    """The shelf of this hybridmem, whether or not it is there."""
    return next((place for place in _PLACES if place.is_dir()), _PLACES[0])


def folder(name: str) -> Path | None:
    """The folder of the adapter `name`; None where this hybridmem has none of that name."""
    found = root() / name
    return found if found.is_dir() else None
