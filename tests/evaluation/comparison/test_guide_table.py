"""The guide's table says what the kept results say, and names what was not measured."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.comparison import guide
from hybridmem.evaluation.comparison.page import frontier_drawing
from hybridmem.evaluation.comparison.summary import summarise
from hybridmem.evaluation.comparison.trial import Trial
from hybridmem.evaluation.plots import standalone
from hybridmem.evaluation.stream import read
from tests.evaluation.comparison.test_summary import result

DOCS = Path(__file__).parents[3] / "docs"
KEPT = DOCS / "figures" / "forgetting"
FOUND = summarise(
    [result(Trial("replay"), 0.75, 0.1), result(Trial("naive", 0, 0.01), 0.5, 0.2), result(Trial("lwf"), 0.25, 0.05)]
)


def test_the_guide_has_the_table_of_the_kept_results() -> None:
    page = (DOCS / "forgetting.md").read_text(encoding="utf-8")
    assert guide.filled(page, guide.table(guide.summaries(KEPT))) == page, (
        "run python -m hybridmem.evaluation.comparison.guide docs/figures/forgetting docs/forgetting.md"
    )


def test_the_kept_results_are_of_the_kept_stream() -> None:
    stream = read(KEPT / "stream.jsonl")
    for file in KEPT.glob("*_seed-*.json"):
        assert f'"stream_sha256": "{stream.sha256}"' in file.read_text(encoding="utf-8"), file


def test_what_nothing_beats_is_marked_and_what_is_absent_named() -> None:
    shown = guide.table(FOUND)
    assert [line.split(" | ")[0] for line in shown.splitlines()[2:5]] == [
        "| **`replay`**",
        "| `naive` at 0.01",
        "| **`lwf`**",
    ]
    absent = shown.splitlines()[-1]
    assert absent.startswith("Not measured yet: ") and "`joint`" in absent and "`naive`" not in absent


def test_only_what_lies_between_the_marks_is_written() -> None:
    page = f"before\n{guide.START}\nold\n{guide.END}\nafter\n"
    assert guide.filled(page, "new") == page.replace("old", "new")
    with pytest.raises(InvalidInput, match="no place for results"):
        guide.filled("before", "new")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no results"):
        guide.summaries(tmp_path)


def test_the_drawing_is_a_file_of_its_own() -> None:
    drawn = frontier_drawing(FOUND)
    assert drawn is not None
    drawing = standalone(drawn)
    assert "var(--" not in drawing
    assert ElementTree.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"
