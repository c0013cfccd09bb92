"""The laboratory is for a checkout: nothing that runs from an installation knows it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_nothing_in_the_package_imports_the_laboratory() -> None:
    files = list((ROOT / "hybridmem").rglob("*.py"))
    assert len(files) > 200
    assert [path for path in files if "lab" in imported(path)] == []


def test_the_laboratory_imports_the_package() -> None:
    assert any("hybridmem" in imported(path) for path in (ROOT / "lab").glob("*.py"))
