"""The guide's code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "memory-tool.md"


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), {})  # the guide is ours
    assert capsys.readouterr().out == (
        "File created successfully at: /memories/people/ana.md\n"
        "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n"
        "26B\t/memories\n26B\t/memories/people/\n26B\t/memories/people/ana.md\n"
        "File /memories/people/ana.md.\nAna Brito lives in Porto.\n\n"
    )
