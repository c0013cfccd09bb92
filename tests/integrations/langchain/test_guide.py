"""The guide's code runs, from top to bottom, as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from tests import scripts

GUIDE = Path(__file__).parents[3] / "docs" / "langchain.md"


def test_every_block_of_the_guide_is_true(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    done = scripts.run("\n".join(blocks), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Porto" in done.stdout and "Ana Brito keeps two ferrets." in done.stdout
