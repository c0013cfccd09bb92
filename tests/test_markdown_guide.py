"""docs/markdown.md: its code runs, and its example is what the export writes and the import takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridmem.maintenance.markdown.fact_line import parse

GUIDE = (Path(__file__).parents[1] / "docs" / "markdown.md").read_text(encoding="utf-8")


def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    exec(compile(block, "markdown.md", "exec"), {})  # the guide is ours
    assert capsys.readouterr().out == "['supersede'] ['Porto']\n"


def test_its_lines_are_facts() -> None:
    lines = [line for line in GUIDE.splitlines() if line.startswith("- ") and "^fa-" in line]
    assert len(lines) == 6
    assert all(line.startswith("- - ") or parse(line) is not None for line in lines)
