"""docs/cost.md and docs/published.md name what their benchmarks report and take."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from hybridmem.cli.reference import commands
from hybridmem.evaluation.published.registry import PROTOCOLS
from hybridmem.evaluation.suites.capacity import CapacityPoint

DOCS = Path(__file__).parents[2] / "docs"
COST, PUBLISHED = ((DOCS / name).read_text(encoding="utf-8") for name in ("cost.md", "published.md"))
PLAIN = {"rank", "parameters", "facts", "steps"}
"""Columns whose names say all."""


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(CapacityPoint)])
def test_every_figure_of_the_capacity_is_explained(name: str) -> None:
    assert name in PLAIN or f"`{name}`" in COST


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_stands_with_its_paper_its_data_and_its_licence(name: str) -> None:
    protocol = PROTOCOLS[name]
    (row,) = [line for line in PUBLISHED.splitlines() if line.startswith(f"| `{name}` |")]
    assert f"{protocol.nights}, {protocol.per_night} {protocol.unit}".removesuffix("s") in row
    if protocol.data is not None:
        assert f"`{protocol.data}`" in row
        assert protocol.licence in row
    assert protocol.paper in PUBLISHED


def test_the_commands_are_there() -> None:
    known = {path for path, _ in commands()}
    asked = re.findall(r"^(hybridmem bench [a-z-]+)", COST + PUBLISHED, re.MULTILINE)
    assert len(asked) >= 4
    assert set(asked) <= known
