from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.coding_agents.registry import AGENTS
from tests.coding_agents.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A home in which every agent is."""
    return World.made(tmp_path, *AGENTS)
