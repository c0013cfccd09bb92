"""docs/filters.md: its code runs, and it names every field and operator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridmem.core.filters.fields import FIELDS
from hybridmem.core.filters.parse import JOINS, OPERATORS
from hybridmem.retrieval.anchor_pairs import PAIRS

GUIDE = (Path(__file__).parents[1] / "docs" / "filters.md").read_text(encoding="utf-8")


def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL):
        exec(compile(block, "filters.md", "exec"), {})  # the guide is ours
    found, nothing, planned, *_ = capsys.readouterr().out.splitlines()
    assert (found, nothing) == ("['The tram to Foz runs every ten minutes.']", "[]")
    assert planned.startswith("('ep_")


def test_it_names_every_field_and_operator() -> None:
    for name in (*FIELDS, *OPERATORS):
        assert f"`{name}`" in GUIDE, name
    for name in JOINS:
        assert f'{{"{name}": ' in GUIDE, name
    assert f"{len(PAIRS)} questions and their answers" in GUIDE
