"""`export --markdown`, `import DIR` and `agents-md`, as a user types them, on a real memory folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.cli.app import run
from hybridmem.memory import HybridMemory

PAGE = Path("notes/facts/ana.md")


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYBRIDMEM_EMBEDDER", "hashing")
    with HybridMemory.open("memory", embedder="hashing") as memory:
        memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01")
        memory.add_fact("Ana", "likes", "tea", valid_from="2026-03-01")


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    return capsys.readouterr().out


def test_a_memory_is_edited_as_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert "exported 2 memories to notes: 1 file written" in shown(capsys, "export", "--markdown", "notes")
    assert "every file was up to date" in shown(capsys, "export", "--markdown", "notes")
    text = PAGE.read_text()
    PAGE.write_text(text.replace("Lisbon (since 2026-03-01)", "Porto (since 2026-05-01)") + "- speaks: Greek\n")
    dry = shown(capsys, "import", "notes", "--dry-run")
    assert "- - lives in: Lisbon (since 2026-03-01)" in dry and "+ - lives in: Porto (since 2026-05-01)" in dry
    assert "would be: 1 added, 1 superseded" in dry
    assert "1 added, 1 superseded" in shown(capsys, "import", "notes")
    assert "nothing to take in" in shown(capsys, "import", "notes")

    PAGE.write_text("".join(line for line in PAGE.read_text().splitlines(True) if "tea" not in line))
    kept = shown(capsys, "import", "notes", code=1)
    assert "kept, though its line is gone: - likes: tea" in kept and "--delete" in kept
    assert "1 erased" in shown(capsys, "import", "notes", "--delete")
    listed = json.loads(shown(capsys, "list", "--json"))["memories"]
    assert sorted(memory["object"] for memory in listed) == ["Greek", "Porto"]


def test_what_was_not_taken_in_exits_1_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    shown(capsys, "export", "--markdown", "notes")
    PAGE.write_text(PAGE.read_text().replace("tea (since 2026-03-01)", "tea (since 2027-03-01)") + "A remark.\n")
    with HybridMemory.open("memory", embedder="hashing") as memory:
        memory.add_fact("Ana", "lives in", "Faro", valid_from="2026-04-01")
    PAGE.write_text(PAGE.read_text().replace("Lisbon", "Porto"))
    told = shown(capsys, "import", "notes", code=1)
    assert "conflict in facts/ana.md, line 9" in told and "the memory: not believed any more" in told
    assert "not taken in: facts/ana.md, line 8: a beginning cannot move later" in told
    assert "left alone: facts/ana.md, line 10: 'A remark.' is no fact" in told
    receipt = json.loads(shown(capsys, "import", "notes", "--json", code=1))
    assert [len(receipt[name]) for name in ("changes", "conflicts", "refused", "left_alone")] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export",), "name a FILE, or a folder with --markdown DIR"),
        (("export", "a.jsonl", "--markdown", "notes"), "nothing to write, or too much"),
        (("export", "--markdown", ""), "--markdown is empty"),
        (("import", "nowhere"), "no file nowhere"),
        (("import", "memory"), "is a memory folder"),
        (("import", "a.jsonl", "--delete"), "go with a folder"),
        (("import", "."), "for notes of your own, use `hybridmem add --from .`"),
        (("agents-md", "memory"), "is a folder"),
        (("agents-md", "--budget", "3"), "no room for one fact"),
    ],
)
def test_bad_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    Path("a.jsonl").write_text("")
    capsys.readouterr()
    assert run(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    assert said in err


def test_agents_md_prints_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("AGENTS.md").write_text("# Rules\n")
    told = shown(capsys, "agents-md", "--budget", "800")
    assert "written to AGENTS.md" in told and "2 facts, about " in told and "tokens in every prompt" in told
    assert Path("AGENTS.md").read_text().startswith("# Rules\n\n<!-- hybridmem:begin")
    assert "Ana lives in Lisbon." in shown(capsys, "agents-md", "other.md", "--dry-run")
    assert not Path("other.md").exists()
