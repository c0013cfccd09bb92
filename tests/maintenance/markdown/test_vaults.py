"""An Obsidian vault and a Claude Code memory folder go into a memory and round again, and nothing of them is harmed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem.memory import HybridMemory
from tests.maintenance.markdown.memories import ANA, contents, edit, line_of, open_memory, state
from tests.maintenance.markdown.vaults import CLAUDE_CODE, VAULT, Files, lay

FOLDERS = {"an Obsidian vault": (VAULT, 12), "a Claude Code memory folder": (CLAUDE_CODE, 6)}
"""The files, and how many memories they are."""


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory") as opened:
        yield opened


@pytest.mark.parametrize(("files", "memories"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_goes_round_unharmed(memory: HybridMemory, tmp_path: Path, files: Files, memories: int) -> None:
    """Read in, exported into itself, imported, and read in again: the files are as they were, and so is the memory."""
    root = lay(tmp_path / "notes", files)
    before = contents(root)
    read = memory.add_from(root)
    assert (len(read.added), read.broken) == (memories, ())
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    memory.add("A word.", at="2026-03-04T09:30Z")
    known = state(memory)
    made = memory.export_markdown(root)
    assert all(place.startswith(("facts/", "days/")) and place not in before for place in made.written)
    exported = contents(root)
    for delete in (False, True):
        receipt = memory.import_markdown(root, delete=delete)
        assert receipt.is_whole and receipt.changes == () and receipt.written == ()
    assert state(memory) == known
    again = memory.add_from(root)
    assert (again.added, again.updated, again.broken) == ((), (), ())
    assert contents(root) == exported
    assert {place: exported[place] for place in before} == before
    assert {place for place in exported if place not in before} == {*made.written, ".hybridmem/markdown.jsonl"}
    assert state(memory) == known


@pytest.mark.parametrize(("files", "memories"), FOLDERS.values(), ids=FOLDERS)
def test_when_the_memory_is_emptied_the_folder_is_as_it_was(
    memory: HybridMemory, tmp_path: Path, files: Files, memories: int
) -> None:
    root = lay(tmp_path / "notes", files)
    before = contents(root)
    memory.add_from(root)
    memory.export_markdown(root)
    for record in (*memory.ledger.facts(ANA), *memory.ledger.episodes(ANA)):
        if record.id in memory.ledger.get_many(ANA, [record.id]):
            memory.delete(record.id)
    memory.export_markdown(root)
    assert contents(root).keys() - before.keys() == {".hybridmem/markdown.jsonl"}
    assert {place: content for place, content in contents(root).items() if place in before} == before


def test_a_note_that_is_edited_and_a_line_that_is_edited_both_arrive(memory: HybridMemory, tmp_path: Path) -> None:
    root = lay(tmp_path / "notes", VAULT)
    memory.add_from(root)
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    memory.export_markdown(root)
    edit(root / "People/Ben Brito.md", "Plays chess", "Plays go")
    edit(root / "facts/ana (memory).md", "Lisbon (since", "Porto (since")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["supersede"]
    assert len(memory.add_from(root).updated) == 1
    memory.export_markdown(root)
    page = next(path for path in (root / "days").glob("*.md") if "Plays go" in path.read_text("utf-8"))
    assert "#person #friend\n\n  Plays go on *Thursdays*, and `tab`s." in page.read_text("utf-8")
    receipt = memory.import_markdown(root)
    assert receipt.is_whole and receipt.changes == ()


def test_a_daily_note_is_of_its_day(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_from(lay(tmp_path / "notes", VAULT))
    walked = next(each for each in memory.ledger.episodes(ANA) if "walked" in each.text)
    assert walked.at.date().isoformat() == "2026-03-04"


def test_the_links_of_a_table_are_links(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_from(lay(tmp_path / "notes", VAULT))
    greenhouse = next(each for each in memory.ledger.episodes(ANA) if "pour the floor" in each.text)
    assert greenhouse.metadata["links"] == ["Lisbon"]


# ---- what Obsidian's users write into the export's own pages

WRITTEN = (
    "![[map.png|300]]\n\n"
    "> [!note]+ Lists in a callout\n> - likes: nothing of this\n\n"
    "%% one line %%\n%%\n- likes: what is hidden\n%%\n"
    "<!--\n- likes: what is hidden, too\n-->\n"
    "$$\n- likes: mathematics\n$$\n"
    "- [[Ben Brito]]: her brother\n- [Site](https://example.org): hers\n- ![[voice.m4a]]\n- [mood:: fine] today\n"
    "- [ ] likes: to be asked 📅 2026-03-20\n\t- likes: what is nested\n"
    "```dataview\n- likes: a query\n```\n"
    "| likes: | tables |\n| --- | --- |\n\n#person ^tags\n"
)


def test_what_is_no_line_of_a_list_is_no_fact(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    root = tmp_path / "notes"
    memory.export_markdown(root)
    page = root / "facts/ana.md"
    home = line_of(page, "Lisbon")
    edit(page, home, f"{WRITTEN}\n{home}")
    edit(page, 'subject: "Ana"\n', "subject: Ana\naliases:\n  - Anita\ncssclasses: [wide]\n")
    left = page.read_text("utf-8")
    receipt = memory.import_markdown(root, delete=True)
    assert receipt.is_whole and receipt.changes == () and receipt.written == ()
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2026-03-09")
    memory.export_markdown(root)
    assert page.read_text("utf-8") == left.replace(home, line_of(page, "Porto"))


def test_a_field_of_dataview_is_a_fact(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    memory.export_markdown(tmp_path / "notes")
    with (tmp_path / "notes/facts/ana.md").open("a") as page:
        page.write("- shoe size:: 39\n")
    memory.import_markdown(tmp_path / "notes")
    assert {(fact.relation, fact.object) for fact in memory.ledger.facts(ANA)} == {
        ("lives in", "Lisbon"),
        ("shoe size", "39"),
    }


def test_a_memory_within_a_comment_is_not_gone(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
    root = tmp_path / "notes"
    memory.export_markdown(root)
    home = line_of(root / "facts/ana.md", "Lisbon")
    edit(root / "facts/ana.md", home, f"%%\n{home}")
    receipt = memory.import_markdown(root, delete=True)
    assert receipt.changes == () and [each.line for each in receipt.left_alone] == [8]
    assert len(memory.ledger.facts(ANA)) == 1
