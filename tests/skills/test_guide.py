"""docs/skills.md: its code prints what it says, and it names every condition, class and kind of evidence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from hybridmem.core.skills import KnownBy
from hybridmem.evaluation.scripted_tasks.agent import MOST_CALLS
from hybridmem.evaluation.scripted_tasks.tasks import CLASSES, STATED
from hybridmem.evaluation.scripted_tasks.world import TOOLS
from hybridmem.evaluation.suites.skills import CONDITIONS
from hybridmem.skills.runs import MOST_STEPS

GUIDE = (Path(__file__).parents[2] / "docs" / "skills.md").read_text(encoding="utf-8")


def test_its_code_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    (printed,) = re.findall(r"It prints\n```\n(.*?)```", GUIDE, flags=re.DOTALL)
    exec(compile(code, "skills.md", "exec"), {})  # the guide is ours
    assert capsys.readouterr().out == printed


def test_it_names_what_there_is() -> None:
    for name in (*CONDITIONS, *CLASSES, *get_args(KnownBy)):
        assert name in GUIDE, name
    assert (len(TOOLS), len(STATED)) == (11, 8)
    assert f"gives up after {MOST_CALLS} calls" in GUIDE and f"More than {MOST_STEPS} steps" in GUIDE
