"""Every strategy of the registry, and what the registry promises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.continual import registry, strategies
from hybridmem.continual.base import Strategy
from hybridmem.continual.composed import ComposedStrategy
from hybridmem.core.errors import InvalidInput
from hybridmem.testing.strategy_conformance import StrategyConformance

PROMISED = {"distil-only", "full-context", "joint", "naive", "noop", "replay", "replay-only", "retrieval"}
FILES = sorted(file.stem for file in Path(strategies.__path__[0]).glob("*.py") if file.stem != "__init__")


@pytest.fixture
def mine() -> Iterator[Strategy]:
    replay = registry.get("replay")
    assert isinstance(replay, ComposedStrategy)
    strategy = replace(replay, name="mine", summary="as replay, under a name of its own")
    registry.register(strategy)
    yield strategy
    registry.unregister("mine")


class TestConformance(StrategyConformance):
    @pytest.fixture(params=registry.names())
    def strategy(self, request: pytest.FixtureRequest) -> Strategy:
        return registry.get(request.param)


def test_the_registry_finds_every_file_by_its_name() -> None:
    assert set(registry.names()) >= PROMISED
    assert sorted(name.replace("-", "_") for name in registry.names()) == FILES


def test_a_strategy_of_somebody_else_is_found_once_it_is_registered(mine: Strategy) -> None:
    assert registry.get("mine") is mine
    assert "mine" in registry.names()
    registry.register(mine)
    with pytest.raises(InvalidInput, match="called 'replay' already"):
        registry.register(replace(mine, name="replay"))  # type: ignore[type-var]


def test_an_unknown_name_is_one_line_with_the_choices() -> None:
    with pytest.raises(InvalidInput) as caught:
        registry.get("repaly")
    assert str(caught.value) == f"no strategy is called 'repaly': choose one of {', '.join(registry.names())}"


def test_finding_strategies_loads_no_torch() -> None:
    program = "import sys; from hybridmem.continual import registry; registry.names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
