"""The shelf is found where a user has it: here in a checkout; `tests/test_wheel.py` looks for it in a wheel."""

from __future__ import annotations

from pathlib import Path

from hybridmem.core import shelf

ROOT = Path(__file__).parents[2]


def test_a_checkout_has_it_beside_the_package() -> None:
    assert shelf.root() == ROOT / "adapters"
    assert shelf.folder("golden") == ROOT / "adapters" / "golden"
    assert shelf.folder("none") is None
