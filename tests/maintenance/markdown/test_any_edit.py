"""Whatever becomes of the files: nothing raises, nothing is erased unasked, and no words of a person are lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.memory import HybridMemory
from tests.maintenance.markdown.memories import ANA, contents, open_memory

WRITTEN = st.text(st.sampled_from("ab: ?-*#>`^()\"\\[]|\t'09é"), min_size=1, max_size=30)
EDIT = st.tuples(
    st.sampled_from(("cut", "copy", "move", "write", "write", "mangle", "truncate", "drop file", "memory")),
    st.integers(0, 50),
    st.integers(0, 50),
    WRITTEN,
)


def filled(path: Path) -> HybridMemory:
    memory = open_memory(path)
    for number in range(3):
        memory.add(f"I have {number}.\n\n  - a: {number}\nEnd.", at=f"2026-03-0{number % 2 + 1}T09:00Z")
        memory.add_fact("Ana", "has", f"{number}", valid_from="2026-03-01", replace=False, text=f"Ana has {number}!")
        memory.add_fact("Bea", f"owns {number}", "a boat", valid_from="2026-03-01")
    return memory


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.lists(EDIT, min_size=1, max_size=8))
def test_any_edit_is_taken_in_or_left_as_it_is(edits: list[tuple[str, int, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as name, filled(Path(name) / "memory") as memory:
        root = Path(name) / "notes"
        memory.export_markdown(root)
        known = {each.id for each in memory.ledger.archive(ANA).memories}
        erased: set[str] = set()
        for edit in edits:
            erased |= spoil(root, memory, *edit)
        plain = remarks(root, memory)
        receipt = memory.import_markdown(root)
        assert known - erased == known & {each.id for each in memory.ledger.archive(ANA).memories}
        assert not any(each.action == "erase" for each in receipt.changes)
        after = b"\n".join(contents(root).values()).decode()
        for line in plain:
            assert line in after, line
        left = contents(root)
        again = memory.import_markdown(root)
        assert again.changes == () and contents(root) == left
        assert again.is_whole == receipt.is_whole
        dry = memory.import_markdown(root, dry_run=True, delete=True, prefer="file")
        assert contents(root) == left and dry.dry_run


def remarks(root: Path, memory: HybridMemory) -> list[str]:
    """The lines that the import says it leaves alone, or does not take."""
    receipt = memory.import_markdown(root, dry_run=True)
    places = [(each.file, each.line) for each in (*receipt.left_alone, *receipt.refused, *receipt.conflicts)]
    return [(root / file).read_text().split("\n")[line - 1].rstrip() for file, line in places if line]


def spoil(root: Path, memory: HybridMemory, kind: str, one: int, other: int, text: str) -> set[str]:
    """Do one thing to the files, or to the memory; returns the ids that this erased."""
    files = sorted(root.rglob("*.md"))
    if kind == "memory":
        facts = memory.ledger.facts(ANA)
        if not facts or one % 2:
            memory.add_fact("Ana", text, "new") if text.strip("':-*#>`^()\"\\[]|\t ?") else None
            return set()
        gone = memory.ledger.facts(ANA)[other % len(facts)].id
        memory.delete(gone)
        return {gone}
    if not files:
        return set()
    file = files[one % len(files)]
    lines = file.read_text(encoding="utf-8").split("\n")
    at = other % len(lines)
    if kind == "cut":
        del lines[at]
    elif kind == "copy":
        lines.insert(at, lines[at])
    elif kind == "move":
        lines.insert(one % len(lines), lines.pop(at))
    elif kind == "write":
        lines.insert(at, text)
    elif kind == "mangle":
        lines[at] = lines[at][: one % (len(lines[at]) + 1)] + text + lines[at][one % (len(lines[at]) + 1) :]
    elif kind == "truncate":
        lines = lines[:at]
    elif kind == "drop file":
        file.unlink()
        return set()
    file.write_text("\n".join(lines), encoding="utf-8")
    return set()
