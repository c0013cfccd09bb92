"""Which namespace ``hybridmem mcp`` serves."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hybridmem.coding_agents.project import namespace_of
from tests.cli.conftest import Command


@pytest.mark.parametrize(("options", "deep"), [((), False), (("--project", "."), True), (("--project", "src"), True)])
def test_a_project_has_its_own(
    hybridmem: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: tuple[str, ...], deep: bool
) -> None:
    served: list[Any] = []
    stdio = ModuleType("stdio")
    stdio.serve = lambda memory: served.append(memory.namespace)  # type: ignore[attr-defined]
    package = ModuleType("hybridmem.server.mcp")
    package.stdio = stdio  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hybridmem.server.mcp", package)
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    assert hybridmem("mcp", "--namespace", "users/ana", *options).code == 0
    assert served == [namespace_of(("users", "ana"), tmp_path) if deep else ("users", "ana")]
