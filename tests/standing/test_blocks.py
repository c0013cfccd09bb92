"""Blocks: edits that are made whole or not at all, by whom they may be made, and what is left of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridmem.core.errors import EditRefused, HybridMemError, InvalidInput, UnknownBlock
from hybridmem.core.standing import Block
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel


def test_a_block_is_written_and_edited_in_part(memory: HybridMemory) -> None:
    memory.blocks.set("human", "Ana keeps bees.", description="who the user is", limit=60)
    memory.blocks.append("human", "She lives in Porto.")
    block = memory.blocks.replace("human", "Porto", "Lisbon", by="agent")
    assert block == memory.blocks.get("human")
    assert (block.value, block.limit, block.description) == (
        "Ana keeps bees.\nShe lives in Lisbon.",
        60,
        "who the user is",
    )
    assert block.room == 60 - len(block.value)
    assert [(event.event, event.by) for event in memory.blocks.history("human")] == [
        ("added", "user"),
        ("updated", "user"),
        ("updated", "agent"),
    ]
    assert memory.blocks.set("human", limit=100).value == block.value
    assert memory.blocks.append("notes", "First.", create=True).value == "First."
    assert [each.label for each in memory.blocks.list()] == ["human", "notes"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda blocks: blocks.append("human", "x" * 60), "takes 40: shorten it"),
        (lambda blocks: blocks.set("human", "x" * 41), "would have 41 characters"),
        (lambda blocks: blocks.replace("human", "Lisbon", "x"), "is not in the block human"),
        (lambda blocks: blocks.replace("human", "n", "x"), "stands 2 times"),
        (lambda blocks: blocks.replace("human", "", "x"), "the old text is empty"),
        (lambda blocks: blocks.set("human", limit=3), "takes 3"),
        (lambda blocks: blocks.set("human", limit=0), "limit is 0"),
        (lambda blocks: blocks.set("human", 5), "value is an int"),
        (lambda blocks: blocks.set("human", "a\x00"), "NUL"),
        (lambda blocks: blocks.set("two words", "x"), "names no block"),
        (lambda blocks: blocks.set("../x", "x"), "names no block"),
        (lambda blocks: blocks.append("none", "x"), "no block 'none'"),
        (lambda blocks: blocks.get("none"), "no block 'none'"),
        (lambda blocks: blocks.delete("none"), "no block 'none'"),
        (lambda blocks: blocks.history("none"), "no block 'none'"),
        (lambda blocks: blocks.set("human", "x", by="me"), "there is no editor 'me'"),
    ],
)
def test_an_edit_that_cannot_be_made_changes_nothing(
    memory: HybridMemory, edit: Callable[..., object], says: str
) -> None:
    memory.blocks.set("human", "Ana sings.", limit=40)
    before = (memory.blocks.list(), memory.blocks.history("human"))
    with pytest.raises(HybridMemError) as refused:
        edit(memory.blocks)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (memory.blocks.list(), memory.blocks.history("human")) == before


def test_an_agent_may_not_edit_what_is_read_only(memory: HybridMemory) -> None:
    memory.blocks.set("persona", "You are brief.", read_only=True)
    for edit in (
        lambda: memory.blocks.set("persona", "You are loud.", by="agent"),
        lambda: memory.blocks.append("persona", "And loud.", by="agent"),
        lambda: memory.blocks.replace("persona", "brief", "loud", by="agent"),
        lambda: memory.blocks.delete("persona", by="agent"),
        lambda: memory.blocks.set("persona", read_only=False, by="agent"),
        lambda: memory.blocks.set("other", "x", limit=9, by="agent"),
    ):
        with pytest.raises(EditRefused):
            edit()
    assert memory.blocks.append("persona", "And kind.").value == "You are brief.\nAnd kind."
    assert [each.label for each in memory.blocks.list()] == ["persona"]


def test_a_deleted_block_leaves_no_byte(memory: HybridMemory) -> None:
    memory.blocks.set("human", "xylophone")
    memory.blocks.set("human", "glockenspiel")
    assert memory.blocks.delete("human") == {"ledger": 1, "history": 2}
    with pytest.raises(UnknownBlock):
        memory.blocks.get("human")
    assert [event.text for event in memory.blocks.history("human")] == [None, None, None]
    ledger = Path(memory.folder.ledger)
    files = b"".join(file.read_bytes() for file in ledger.parent.glob(f"{ledger.name}*"))
    assert b"xylophone" not in files
    assert b"glockenspiel" not in files


def test_edits_at_the_same_time_are_all_made(memory: HybridMemory) -> None:
    memory.blocks.set("notes", "", limit=10_000)

    def write(name: int) -> None:
        for number in range(5):
            memory.blocks.append("notes", f"{name}.{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = memory.blocks.get("notes").value.split("\n")
    assert sorted(lines) == sorted(f"{name}.{number}" for name in range(4) for number in range(5))


def test_no_dream_and_no_search_reads_a_block(memory: HybridMemory) -> None:
    memory.blocks.set("human", "Ana plays the xylophone.")
    assert memory.search("xylophone") == []
    assert memory.ledger.unextracted(memory.namespace) == []
    assert memory.profile().lines == ()
    assert memory.namespaces() == [memory.namespace]


def test_a_receipt_names_the_block_that_still_says_it(memory: HybridMemory) -> None:
    (said,) = memory.add("Ana plays the xylophone in Porto.")
    memory.blocks.set("human", "Note: Ana plays the xylophone in Porto. She is kind.")
    memory.blocks.set("other", "Nothing of it.")
    receipt = memory.delete(said.id)
    assert receipt.mentions == ("block:human",)
    assert "block:human" in receipt.pending


def test_secrets_can_be_kept_out_of_blocks(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing", redact="store") as memory:
        memory.blocks.set("notes", "The wifi password is Tr0ub4dor&3.")
        assert "Tr0ub4dor" not in memory.blocks.get("notes").value
        memory.blocks.append("notes", "More.")
        assert memory.blocks.get("notes").value.endswith("\nMore.")


def test_blocks_and_questions_move_with_an_export(memory: HybridMemory, tmp_path: Path) -> None:
    memory.add("I keep bees.")
    memory.blocks.set("human", "", limit=50)
    memory.blocks.set("human", "Ana.", by="agent")
    memory.blocks.set("gone", "x")
    memory.blocks.delete("gone")
    memory.standing_questions.add("Where do I live?")
    lines = memory.export(tmp_path / "export.jsonl")
    other = memory.at("users/copy")
    other.blocks.set("gone", "a word of its own")
    taken = other.import_(tmp_path / "export.jsonl")
    assert (taken.lines, taken.there) == (lines, 0)
    assert other.blocks.get("human") == memory.blocks.get("human")
    assert other.blocks.history("human") == memory.blocks.history("human")
    assert other.blocks.get("gone").value == "a word of its own"
    assert [each.question for each in other.standing_questions.list()] == ["Where do I live?"]
    again = other.import_(tmp_path / "export.jsonl")
    assert (again.standing, again.there) == (0, 1)
    other.blocks.delete("human")
    assert other.import_(tmp_path / "export.jsonl").erased == 1
    with pytest.raises(UnknownBlock):
        other.blocks.get("human")


def test_a_label_is_letters(memory: HybridMemory) -> None:
    for label in ("human", "team-notes", "v1.2", "_private", "A" * 64):
        assert memory.blocks.set(label, "x") == Block(label, "x", updated_at=memory.clock())
    for label in ("", "a b", "a/b", ".hidden", "é", "A" * 65, None):
        with pytest.raises(InvalidInput):
            memory.blocks.set(label, "x")  # type: ignore[arg-type]
