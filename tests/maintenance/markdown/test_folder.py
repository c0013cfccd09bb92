"""A folder of Markdown that a person edits: what comes of each edit, and what is never touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput, NewerFormat, StoreFull
from hybridmem.memory import HybridMemory
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from tests.maintenance.markdown.memories import ANA, contents, edit, line_of, open_memory

HOME = "facts/ana.md"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory") as opened:
        opened.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-03-01", text="Ana moved to Lisbon in March.")
        opened.add_fact("Ana", "likes", "tea", valid_from="2026-03-02", replace=False)
        opened.add_fact("Ana", "likes", "chess", valid_from="2026-03-03", replace=False)
        opened.add("I adopted a ferret.\nIt is called Otto.", at="2026-03-04T09:30Z")
        yield opened


@pytest.fixture
def root(memory: HybridMemory, tmp_path: Path) -> Path:
    memory.export_markdown(tmp_path / "notes")
    return tmp_path / "notes"


def objects(memory: HybridMemory, relation: str) -> list[str]:
    return [fact.object for fact in memory.ledger.facts(ANA) if fact.relation == relation]


def test_what_is_written_reads_well(memory: HybridMemory, root: Path) -> None:
    tea, chess, home = (line_of(root / HOME, word).split("^")[1].strip() for word in ("tea", "chess", "Lisbon"))
    assert (root / HOME).read_text() == (
        '---\nhybridmem: facts\nsubject: "Ana"\n---\n\n# Ana\n\n'
        f"- likes: tea (since 2026-03-02) ^{tea}\n"
        f"- likes: chess (since 2026-03-03) ^{chess}\n"
        f'- lives in: Lisbon (since 2026-03-01) "Ana moved to Lisbon in March." ^{home}\n'
    )
    said = line_of(root / "days/2026-03-04.md", "ferret").split("^")[1].strip()
    assert (root / "days/2026-03-04.md").read_text() == (
        '---\nhybridmem: episodes\nday: "2026-03-04"\n---\n\n# 2026-03-04\n\n'
        f"- 09:30 user: I adopted a ferret. ^{said}\n  It is called Otto.\n"
    )
    assert sorted(contents(root)) == [".hybridmem/markdown.jsonl", "days/2026-03-04.md", HOME]


def test_equal_memories_give_equal_bytes_and_a_small_change_a_small_diff(
    memory: HybridMemory, root: Path, tmp_path: Path
) -> None:
    assert memory.export_markdown(root).written == ()
    before = contents(root)
    memory.export_markdown(tmp_path / "other")
    assert contents(tmp_path / "other") == before
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2026-03-09")
    assert memory.export_markdown(root).written == (HOME,)
    changed = set((root / HOME).read_bytes().splitlines()) ^ set(before[HOME].splitlines())
    assert len(changed) == 2


def test_a_changed_value_supersedes(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "Lisbon (since 2026-03-01)", "Porto (since 2026-03-05)")
    receipt = memory.import_markdown(root)
    assert [(each.action, each.file, each.line) for each in receipt.changes] == [("supersede", HOME, 10)]
    assert objects(memory, "lives in") == ["Porto"]
    assert memory.get(str(receipt.changes[0].id)).text == "Ana lives in Porto."
    assert "Lisbon" in [fact.object for fact in memory.ledger.facts(ANA, as_of=memory.clock().replace(day=3))]
    assert "Porto (since 2026-03-05) ^" in (root / HOME).read_text()


def test_a_value_under_the_old_date_was_never_right(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "Lisbon (since", "Porto (since")
    memory.import_markdown(root)
    old, *_, new = memory.ledger.facts(ANA, include_retired=True)
    assert (new.object, new.valid_from) == ("Porto", old.valid_from)
    assert (old.object, old.valid_to, old.superseded_by) == ("Lisbon", old.valid_from, new.id)


def test_without_a_date_it_holds_from_now_on(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, 'Lisbon (since 2026-03-01) "Ana moved to Lisbon in March."', "Porto")
    memory.import_markdown(root)
    assert [fact.valid_from for fact in memory.ledger.facts(ANA) if fact.object == "Porto"] == [memory.clock()]


def test_one_of_several_values_is_corrected_in_its_place(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "likes: tea", "likes: coffee")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["reword"]
    assert objects(memory, "likes") == ["coffee", "chess"]


def test_a_line_beside_another_holds_beside_it_and_one_in_its_place_supersedes(
    memory: HybridMemory, root: Path
) -> None:
    with (root / HOME).open("a") as page:
        page.write("- lives in: Porto\n- owns: a boat\n- owns: a bike\n- Where is the boat? Riga\n")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["add"] * 4
    assert objects(memory, "lives in") == ["Lisbon", "Porto"]
    assert objects(memory, "owns") == ["a boat", "a bike"]
    assert [fact.question for fact in memory.ledger.facts(ANA) if fact.question] == ["Where is the boat?"]
    edit(root / HOME, line_of(root / HOME, "Riga"), "- Where is the boat? Oslo\n")
    receipt = memory.import_markdown(root)
    assert ([each.action for each in receipt.changes], receipt.kept) == (["supersede"], ())
    assert [fact.object for fact in memory.ledger.facts(ANA) if fact.question] == ["Oslo"]


def test_a_line_that_is_gone_is_erased_with_a_word_alone(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, line_of(root / HOME, "tea"), "")
    gone = contents(root)
    for _ in range(2):
        receipt = memory.import_markdown(root)
        assert [each.before for each in receipt.kept] and not receipt.is_whole
        assert objects(memory, "likes") == ["tea", "chess"]
        assert contents(root) == gone
    with pytest.raises(InvalidInput, match="edits that were not imported"):
        memory.export_markdown(root)
    receipt = memory.import_markdown(root, delete=True)
    assert receipt.is_whole and receipt.erased is not None and receipt.erased.removed["ledger"] == 1
    assert objects(memory, "likes") == ["chess"]
    assert b"tea" not in b"".join(contents(root).values())
    assert memory.import_markdown(root, delete=True).changes == ()


def test_a_line_that_is_gone_can_be_brought_back(memory: HybridMemory, root: Path) -> None:
    before = contents(root)
    edit(root / HOME, line_of(root / HOME, "tea"), "")
    assert memory.import_markdown(root, prefer="memory").is_whole
    assert contents(root) == before


def test_a_file_that_is_gone_is_its_lines(memory: HybridMemory, root: Path) -> None:
    (root / HOME).unlink()
    assert len(memory.import_markdown(root).kept) == 3
    assert len(memory.import_markdown(root, delete=True).changes) == 3
    assert memory.ledger.facts(ANA) == []
    assert sorted(contents(root)) == [".hybridmem/markdown.jsonl", "days/2026-03-04.md"]


def test_what_was_said_is_reworded_added_and_erased(memory: HybridMemory, root: Path) -> None:
    day = root / "days/2026-03-04.md"
    edit(day, "It is called Otto.", "It is called Bo.\n\n  Bo is small.")
    with day.open("a") as page:
        page.write("- 10:00 assistant: Congratulations!\n- Buy: milk\n  and bread\n")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["reword", "add", "add"]
    said = [(each.at.hour, each.role, each.text) for each in memory.ledger.episodes(ANA)]
    assert said == [
        (9, "user", "I adopted a ferret.\nIt is called Bo.\n\nBo is small."),
        (10, "assistant", "Congratulations!"),
        (0, "user", "Buy: milk\nand bread"),
    ]
    day.unlink()
    memory.import_markdown(root, delete=True)
    assert memory.ledger.episodes(ANA) == []


def test_words_and_dates_alone(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "Ana moved to Lisbon in March.", "Ana's home has been Lisbon for long.")
    edit(root / HOME, "tea (since 2026-03-02)", "tea (since 2026-01-01 until 2026-06-01)")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["redate", "reword"]
    home, tea, _ = memory.ledger.facts(ANA)
    assert home.text == "Ana's home has been Lisbon for long."
    assert (tea.valid_from.month, tea.valid_to and tea.valid_to.month) == (1, 6)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("tea (since 2026-03-02)", "tea (since 2026-04-02)", "cannot move later"),
        ("tea (since 2026-03-02)", "tea (since 2026-13-45)", "is not a date"),
        ("likes: tea", "likes: chess", "another line says the same"),
        ("likes: tea (since 2026-03-02)", "likes: coffee (since 2026-03-05)", "remove the line and write it anew"),
        ("Ana moved to Lisbon in March", "Ana moved away", "do not say 'Lisbon'"),
        ("Lisbon (since 2026-03-01)", "Porto (since 2026-05-01 until 2026-04-01)", "ends before it begins"),
    ],
)
def test_what_the_memory_does_not_take_is_named_and_stays(
    memory: HybridMemory, root: Path, before: str, after: str, reason: str
) -> None:
    edit(root / HOME, before, after)
    left = contents(root)
    for _ in range(2):
        receipt = memory.import_markdown(root)
        assert [reason in each.reason for each in receipt.refused] == [True], receipt.refused
        assert receipt.changes == () and not receipt.is_whole
        assert contents(root) == left
    assert objects(memory, "likes") == ["tea", "chess"]


def test_the_time_of_what_was_said_cannot_change(memory: HybridMemory, root: Path) -> None:
    edit(root / "days/2026-03-04.md", "09:30 user", "09:45 user")
    (refused,) = memory.import_markdown(root).refused
    assert "only the words" in refused.reason


def test_another_key_is_another_fact(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "lives in: Lisbon", "works in: Lisbon")
    receipt = memory.import_markdown(root)
    assert ([each.action for each in receipt.changes], len(receipt.kept)) == (["add"], 1)
    assert objects(memory, "works in") == objects(memory, "lives in") == ["Lisbon"]
    memory.import_markdown(root, delete=True)
    assert objects(memory, "lives in") == []


def test_a_new_subject_is_a_new_file(memory: HybridMemory, root: Path) -> None:
    (root / "facts/people").mkdir()
    page = root / "facts/people/Bea.md"
    page.write_text("---\nhybridmem: facts\nsubject: Bea\naliases: [B]\n---\n# Bea\n\n- sister of: Ana\n")
    memory.import_markdown(root)
    assert [fact.subject for fact in memory.ledger.facts(ANA) if fact.relation == "sister of"] == ["Bea"]
    assert page.read_text().startswith(
        "---\nhybridmem: facts\nsubject: Bea\naliases: [B]\n---\n# Bea\n\n- sister of: Ana"
    )
    assert line_of(page, "sister of").count("^") == 1
    assert not (root / "facts/bea.md").exists()


def test_a_dry_run_changes_nothing(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "Lisbon (since", "Porto (since")
    edit(root / HOME, line_of(root / HOME, "tea"), "")
    before = contents(root)
    receipt = memory.import_markdown(root, dry_run=True, delete=True)
    assert [each.action for each in receipt.changes] == ["supersede", "erase"]
    assert objects(memory, "lives in") == ["Lisbon"] and len(objects(memory, "likes")) == 2
    assert contents(root) == before


# ---- a stale export


def test_what_one_side_changed_is_that_sides(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "Lisbon (since", "Porto (since")
    (said,) = memory.ledger.episodes(ANA)
    memory.update(said.id, "I adopted two ferrets.")
    memory.add_fact("Bea", "lives in", "Faro")
    tea = next(fact for fact in memory.ledger.facts(ANA) if fact.object == "tea")
    memory.delete(tea.id)
    receipt = memory.import_markdown(root)
    assert receipt.is_whole and len(receipt.changed_since) == 3
    assert objects(memory, "lives in") == ["Faro", "Porto"] and objects(memory, "likes") == ["chess"]
    assert "two ferrets" in (root / "days/2026-03-04.md").read_text()
    assert (root / "facts/bea.md").exists() and "tea" not in (root / HOME).read_text()


def test_what_both_sides_changed_is_named_and_nothing_is_lost(memory: HybridMemory, root: Path) -> None:
    memory.add_fact("Ana", "lives in", "Faro", valid_from="2026-03-08")
    (said,) = memory.ledger.episodes(ANA)
    memory.update(said.id, "I adopted two ferrets.")
    edit(root / HOME, "Lisbon (since", "Porto (since")
    edit(root / "days/2026-03-04.md", "Otto", "Bo")
    for _ in range(2):
        receipt = memory.import_markdown(root)
        gone, reworded = sorted(receipt.conflicts, key=lambda each: each.file, reverse=True)
        assert "Porto" in str(gone.in_file) and gone.in_memory is None
        assert "Bo" in str(reworded.in_file) and "two ferrets" in str(reworded.in_memory)
        assert "Porto" in (root / HOME).read_text() and "lives in: Faro" in (root / HOME).read_text()
        assert "Bo" in (root / "days/2026-03-04.md").read_text()
        assert memory.get(said.id).text == "I adopted two ferrets."
        assert objects(memory, "lives in") == ["Faro"]


def test_a_side_can_be_preferred(memory: HybridMemory, root: Path, tmp_path: Path) -> None:
    (said,) = memory.ledger.episodes(ANA)
    for side, words in (("memory", "two ferrets"), ("file", "called Bo")):
        memory.export_markdown(root := tmp_path / f"{side}-notes")
        edit(root / "days/2026-03-04.md", "Otto", "Bo")
        memory.update(said.id, "I adopted two ferrets.")
        assert memory.import_markdown(root, prefer=side).is_whole  # type: ignore[arg-type]
        assert words in memory.get(said.id).text and words in (root / "days/2026-03-04.md").read_text()
        memory.update(said.id, "I adopted a ferret.\nIt is called Otto.")


def test_a_line_removed_here_and_changed_there_comes_back(memory: HybridMemory, root: Path) -> None:
    (said,) = memory.ledger.episodes(ANA)
    memory.update(said.id, "I adopted two ferrets.")
    (root / "days/2026-03-04.md").unlink()
    (conflict,) = memory.import_markdown(root, delete=True).conflicts
    assert conflict.in_file is None and memory.get(said.id).text == "I adopted two ferrets."
    assert "two ferrets" in (root / "days/2026-03-04.md").read_text()


def test_both_sides_may_agree(memory: HybridMemory, root: Path) -> None:
    (said,) = memory.ledger.episodes(ANA)
    edit(root / "days/2026-03-04.md", "Otto", "Bo")
    memory.update(said.id, "I adopted a ferret.\nIt is called Bo.")
    receipt = memory.import_markdown(root)
    assert receipt.is_whole and receipt.changes == ()


# ---- what is somebody else's


def vault(root: Path) -> dict[str, bytes]:
    """A vault of the user's own, with files where the export would put its own."""
    files = {
        ".obsidian/app.json": '{"attachmentFolderPath": "files"}',
        ".obsidian/workspace.json": "{}",
        "Home.md": "---\ntags: [home]\n---\n# Home\n\n[[Ana]] and [[2026-03-04|a day]], ![[map.png]] ^home\n",
        "facts/Ana.md": "# Ana\n\n- lives in: my own words ^mine\n",
        "facts/ana.md": "# Ana\n\n- lives in: my own words ^mine\n",
        "days/2026-03-04.md": "\ufeff# A day\r\n\r\n- 09:30 user: mine\r\n",
        "days/template.md": "---\nday: {{date}}\n---\n",
        "facts/list.txt": "lives in: nowhere",
        "MEMORY.md": "- [Build](build.md): how to build\n",
        "build.md": "---\nname: build\ndescription: how to build\n---\nRun `make`.\n",
    }
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(text.encode())
    (root / "map.png").write_bytes(b"\x89PNG\r\n\x00\xff")
    return contents(root)


def test_a_vault_and_an_agents_memory_folder_survive(memory: HybridMemory, tmp_path: Path) -> None:
    root = tmp_path / "vault"
    before = vault(root)
    made = memory.export_markdown(root)
    assert set(made.written) == {"facts/ana (memory).md", "days/2026-03-04 (memory).md"}
    edit(root / "facts/ana (memory).md", "Lisbon (since", "Porto (since")
    receipt = memory.import_markdown(root)
    assert [each.action for each in receipt.changes] == ["supersede"]
    assert {each.file for each in receipt.left_alone} >= {"facts/ana.md", "days/2026-03-04.md", "days/template.md"}
    assert memory.import_markdown(root, delete=True).changes == ()
    for fact in memory.ledger.facts(ANA, include_retired=True):
        memory.delete(fact.id)
    memory.delete(memory.ledger.episodes(ANA)[0].id)
    assert set(memory.export_markdown(root).removed) == set(made.written)
    after = contents(root)
    assert after.pop(".hybridmem/markdown.jsonl")
    assert after == before


def test_what_a_person_writes_around_the_lines_stays(memory: HybridMemory, root: Path) -> None:
    page = root / HOME
    tea, chess, home = (line_of(page, word) for word in ("tea", "chess", "Lisbon"))
    head = '---\nhybridmem: facts\nsubject: "Ana"\ntags: [people]\n---\n\n# Ana, my sister\n\n'
    written = (
        f"{head}Some words.\n\n## Tastes\n{tea}- [ ] ask: her\n{chess}\n```\n- not a: fact\n```\n\n"
        f"> quoted\n{home}\n## Links\n\n- see [[Home]]\n"
    )
    page.write_text(written)
    receipt = memory.import_markdown(root)
    assert receipt.is_whole and receipt.changes == ()
    assert [each.line for each in receipt.left_alone] == [9, 13, 16, 23]
    assert page.read_text() == written
    memory.add_fact("Ana", "lives in", "Porto", valid_from="2026-03-09")
    memory.export_markdown(root)
    assert page.read_text() == written.replace(home, line_of(page, "Porto"))
    memory.delete(next(fact.id for fact in memory.ledger.facts(ANA) if fact.object == "tea"))
    memory.export_markdown(root)
    assert "## Tastes\n- [ ] ask: her\n- likes: chess" in page.read_text()


def test_a_line_within_a_remark_is_not_gone(memory: HybridMemory, root: Path) -> None:
    tea, home = line_of(root / HOME, "tea"), line_of(root / HOME, "Lisbon")
    edit(root / HOME, tea, f"> {tea}")
    edit(root / HOME, home, f"```\n{home}")
    left = contents(root)[HOME]
    receipt = memory.import_markdown(root, delete=True)
    assert receipt.changes == () and len(receipt.left_alone) == 2
    assert contents(root)[HOME] == left and len(memory.ledger.facts(ANA)) == 3


def test_only_the_remarks_of_a_file_are_left_when_its_memories_are_gone(memory: HybridMemory, root: Path) -> None:
    (root / HOME).write_text((root / HOME).read_text() + "\nMy own words.\n")
    memory.import_markdown(root)
    for fact in memory.ledger.facts(ANA):
        memory.delete(fact.id)
    assert memory.export_markdown(root).removed == ()
    assert (root / HOME).read_text().endswith("# Ana\n\n\nMy own words.\n")


def test_a_persons_own_front_matter_outlives_the_memories(memory: HybridMemory, root: Path) -> None:
    edit(root / HOME, "hybridmem: facts\n", "hybridmem: facts\ntags: [people]\n")
    memory.import_markdown(root)
    for fact in memory.ledger.facts(ANA):
        memory.delete(fact.id)
    assert memory.export_markdown(root).removed == ()
    assert "tags: [people]" in (root / HOME).read_text()


def test_a_file_without_its_front_matter_is_nobodys(memory: HybridMemory, root: Path) -> None:
    (root / HOME).write_text((root / HOME).read_text().split("---\n")[2])
    left = contents(root)[HOME]
    receipt = memory.import_markdown(root)
    assert ("facts/ana.md", 0) in [(each.file, each.line) for each in receipt.left_alone]
    assert contents(root)[HOME] == left


def test_links_are_not_followed(memory: HybridMemory, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    (root / HOME).rename(outside)
    (root / HOME).symlink_to(outside)
    before = outside.read_bytes()
    memory.import_markdown(root, prefer="memory")
    assert outside.read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "facts").symlink_to(root / "facts")
    with pytest.raises(InvalidInput, match="is a link"):
        memory.export_markdown(tmp_path / "other")


def test_ends_of_lines_and_white_space_are_no_edits(memory: HybridMemory, root: Path) -> None:
    before = contents(root)
    for file in root.rglob("*.md"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"  \r\n").replace(b"---  ", b"---"))
    receipt = memory.import_markdown(root)
    assert receipt.changes == () and receipt.is_whole
    assert {file: data.replace(b"  \n", b"\n") for file, data in contents(root).items()} == before


def test_a_copied_line_is_a_new_one(memory: HybridMemory, root: Path) -> None:
    chess = line_of(root / HOME, "chess")
    edit(root / HOME, chess, chess + chess.replace("chess", "go"))
    assert [each.action for each in memory.import_markdown(root).changes] == ["add"]
    assert objects(memory, "likes") == ["tea", "chess", "go"]
    day = root / "days/2026-03-04.md"
    said = line_of(day, "ferret")
    day.write_text(day.read_text() + said.replace("a ferret", "a cat"))
    memory.import_markdown(root)
    assert [each.text for each in memory.ledger.episodes(ANA)][1:] == ["I adopted a cat."]


def test_a_line_that_lost_its_mark_is_its_memorys(memory: HybridMemory, root: Path) -> None:
    before = contents(root)
    for file in root.rglob("*.md"):
        file.write_text(re.sub(r" \^\S+$", "", file.read_text(), flags=re.MULTILINE))
    receipt = memory.import_markdown(root, delete=True)
    assert receipt.is_whole and receipt.changes == ()
    assert contents(root) == before
    tea = line_of(root / HOME, "tea")
    edit(root / HOME, tea, "- likes: tea (since 2026-01-01)\n")
    receipt = memory.import_markdown(root, delete=True)
    assert [each.action for each in receipt.changes] == ["redate"]
    assert objects(memory, "likes") == ["tea", "chess"]


def test_a_mark_of_another_export_is_named(memory: HybridMemory, root: Path) -> None:
    (root / HOME).write_text((root / HOME).read_text() + "- owns: a boat ^fa-of-another\n")
    (strange,) = memory.import_markdown(root).left_alone
    assert "not of this export" in strange.reason
    assert "^fa-of-another" in (root / HOME).read_text()


# ---- folders that are none, and interruptions


def test_a_folder_that_no_export_wrote_is_refused(memory: HybridMemory, root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="add --from"):
        memory.import_markdown(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="is the export of users/ana"):
        memory.at("users/bo").import_markdown(root)
    with pytest.raises(InvalidInput, match="memory folder"):
        memory.export_markdown(tmp_path / "memory")
    place = root / ".hybridmem/markdown.jsonl"
    place.write_text(json.dumps({"format": "hybridmem-markdown", "version": 2, "namespace": ["users", "ana"]}))
    with pytest.raises(NewerFormat):
        memory.import_markdown(root)
    place.write_text("<<<<<<< HEAD\n")
    with pytest.raises(InvalidInput, match="is broken"):
        memory.import_markdown(root)
    place.unlink()
    with pytest.raises(InvalidInput, match="restore that"):
        memory.export_markdown(root)


def test_what_was_taken_in_before_an_interruption_is_not_taken_in_twice(
    memory: HybridMemory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (root / HOME).open("a") as page:
        page.write("- owns: a boat\n- speaks: Greek\n")
    put: Callable[..., object] = InMemoryLedger.put_fact

    def full(ledger: InMemoryLedger, fact: object, **given: object) -> object:
        if getattr(fact, "relation", "") == "speaks":
            raise StoreFull("the disk is full")
        return put(ledger, fact, **given)

    with monkeypatch.context() as broken:
        broken.setattr(InMemoryLedger, "put_fact", full)
        with pytest.raises(StoreFull):
            memory.import_markdown(root)
    assert "- speaks: Greek\n" in (root / HOME).read_text()
    assert [each.after for each in memory.import_markdown(root).changes] == ["- speaks: Greek"]
    assert [fact.evidence for fact in memory.ledger.facts(ANA) if fact.relation == "owns"] == [1]


def test_quarantined_expired_and_retired_memories_are_not_written(memory: HybridMemory, tmp_path: Path) -> None:
    for fact in memory.ledger.facts(ANA):
        memory.quarantine(fact.id)
    memory.add("Soon over.", expires_at="2026-03-09", at="2026-03-05")
    made = memory.export_markdown(tmp_path / "notes")
    assert made.written == ("days/2026-03-04.md",)


def test_subjects_that_are_no_file_names_have_files(memory: HybridMemory, tmp_path: Path) -> None:
    subjects = [
        "I",
        "con",
        "a/b",
        "a:b",
        ".",
        "Zoë 🦦",
        "x" * 200,
        "ana.",
        "C:\\d",
        "日本",
        "two\nlines",
        '"q"',
        "a\x85b",
    ]
    for subject in subjects:
        memory.add_fact(subject, "is", "odd")
    made = memory.export_markdown(tmp_path / "notes")
    assert made.left_out == 0
    names = [file for file in made.written if file.startswith("facts/")]
    assert len({name.casefold() for name in names}) == len(subjects)
    assert "facts/zoë.md" not in names
    for name in names:
        page = tmp_path / "notes" / name
        page.write_text(page.read_text() + "- owns: a boat\n")
    assert memory.import_markdown(tmp_path / "notes").refused == ()
    asked = {fact.subject for fact in memory.ledger.facts(ANA) if fact.relation == "owns"}
    assert asked >= {"I", "con", "a/b", "C:\\d", "two\nlines", "日本"}
    memory.add_fact("y" * 600, "is", "odd")
    assert memory.export_markdown(tmp_path / "notes").left_out == 1
