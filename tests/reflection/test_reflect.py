"""Reflections: every statement is borne out by what was shown, or it is no part of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from hybridmem.core.errors import EmptyText, InvalidInput
from hybridmem.memory import HybridMemory
from hybridmem.models import prompts
from hybridmem.models.fake import FakeModel
from hybridmem.models.reader import RemoteReading
from hybridmem.reflection import citations


class Writer:
    """A reader that follows instructions: it says what it was given, and keeps what it was asked."""

    follows_examples = True
    name = "writer"

    def __init__(self, says: str) -> None:
        self.says = says
        self.asked: list[str] = []

    def generate(
        self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
    ) -> list[RemoteReading]:
        self.asked += [prompt[-1]["content"] for prompt in prompts]
        return [RemoteReading(self.says, 10, 5) for _ in prompts]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing") as opened:
        opened.add("Ana moved to Porto in 2024.", at="2026-01-01", speaker="Ben")
        opened.add("Ana keeps bees in Porto.", at="2026-01-02")
        opened.add("Ana sold 12 jars of honey.", at="2026-01-03")
        yield opened


QUESTION = "What does Ana do in Porto?"


def test_statements_name_the_memories_that_they_rest_on(memory: HybridMemory) -> None:
    writer = Writer("1. Ana moved to Porto. [1]\n- She keeps bees and sold honey [2, 3].")
    reflection = memory.reflect(QUESTION, reader=writer)
    said = [episode.id for episode in memory.list(kind="episode")]
    assert [(each.text, each.sources) for each in reflection.statements] == [
        ("Ana moved to Porto.", (said[0],)),
        ("She keeps bees and sold honey.", (said[1], said[2])),
    ]
    assert reflection.text == "Ana moved to Porto. She keeps bees and sold honey."
    assert reflection.shown == tuple(said)
    assert {hit.id for hit in reflection.evidence} == set(said)
    assert (reflection.left_out, reflection.read_by, reflection.prompt_tokens) == ((), "writer", 10)
    (asked,) = writer.asked
    assert asked.splitlines() == [
        "Memories:",
        "[1] 2026-01-01 Ben: Ana moved to Porto in 2024.",
        "[2] 2026-01-02: Ana keeps bees in Porto.",
        "[3] 2026-01-03: Ana sold 12 jars of honey.",
        f"Question: {QUESTION}",
    ]
    assert memory.ledger.uses(memory.namespace, said) == dict.fromkeys(said, 1)


@pytest.mark.parametrize(
    "said",
    [
        "Ana keeps bees.",
        "Ana keeps bees. [9]",
        "Ana keeps bees. [0]",
        "Ana plays the violin. [2]",
        "Ana and Zoe Klein keep bees. [2]",
        "Ana sold 13 jars of honey. [3]",
        "Ana lived with Queen Elizabeth in Porto. [1]",
    ],
)
def test_what_no_memory_bears_out_is_left_out(memory: HybridMemory, said: str) -> None:
    reflection = memory.reflect(QUESTION, reader=Writer(said))
    assert reflection.statements == ()
    assert reflection.text == prompts.REFUSAL
    assert len(reflection.left_out) == 1
    assert reflection.evidence == ()


def test_a_citation_that_says_nothing_of_it_is_dropped_and_the_others_stay(memory: HybridMemory) -> None:
    (statement,) = memory.reflect(QUESTION, reader=Writer("Ana sold jars of honey. [1][3][7]")).statements
    assert statement.sources == (memory.list(kind="episode")[2].id,)


def test_a_refusal_is_no_statement(memory: HybridMemory) -> None:
    reflection = memory.reflect(QUESTION, reader=Writer("I don't know."))
    assert (reflection.statements, reflection.left_out, reflection.text) == ((), (), prompts.REFUSAL)


def test_a_chat_model_of_langchain_answers(memory: HybridMemory) -> None:
    chat = FakeListChatModel(responses=["Ana keeps bees. [2]"])
    assert memory.reflect(QUESTION, reader=chat).text == "Ana keeps bees."


def test_a_base_that_was_trained_for_the_jobs_answers_in_words_of_the_memories(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "own", model=FakeModel(), embedder="hashing") as memory:
        (said,) = memory.add("Ana lives in Lisbon.")
        memory.add("Ben plays chess.")
        reflection = memory.reflect("Where does Ana live?")
        (statement,) = reflection.statements
        assert (statement.text, statement.sources) == ("Lisbon", (said.id,))
        assert memory.reflect("Which instrument does Ana play?").text == prompts.REFUSAL


def test_without_memories_nobody_is_asked(tmp_path: Path) -> None:
    writer = Writer("Ana keeps bees. [1]")
    with HybridMemory.open(tmp_path / "empty", model=FakeModel(), embedder="hashing") as memory:
        reflection = memory.reflect(QUESTION, reader=writer)
    assert (reflection.text, reflection.statements, reflection.shown, writer.asked) == (prompts.REFUSAL, (), (), [])


def test_what_is_gone_is_not_shown(memory: HybridMemory) -> None:
    first, second, _ = memory.list(kind="episode")
    memory.quarantine(first.id)
    memory.delete(second.id)
    writer = Writer("I don't know.")
    memory.reflect(QUESTION, reader=writer)
    assert "moved" not in writer.asked[0]
    assert "bees" not in writer.asked[0]


def test_no_more_is_shown_than_asked_for(memory: HybridMemory) -> None:
    assert len(memory.reflect(QUESTION, limit=2, reader=Writer("I don't know.")).shown) <= 2


def test_bad_input_is_refused(memory: HybridMemory) -> None:
    with pytest.raises(EmptyText):
        memory.reflect(" ")
    with pytest.raises(InvalidInput, match="limit"):
        memory.reflect(QUESTION, limit=0)
    with pytest.raises(InvalidInput, match="cannot read"):
        memory.reflect(QUESTION, reader=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("completion", "lines"),
    [
        ("", []),
        ("I don't know.", []),
        ("Ana sings. [1]", [("Ana sings.", (1,))]),
        ("* Ana sings [1] and dances [2,3].", [("Ana sings and dances.", (1, 2, 3))]),
        ("12. Ana sings [4].\n\n  \n- No.", [("Ana sings.", (4,)), ("No.", ())]),
        ("Ana was born in Porto (1990). [1]", [("Ana was born in Porto (1990).", (1,))]),
    ],
)
def test_lines_are_read(completion: str, lines: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(line.text, line.numbers) for line in citations.parsed(completion)] == lines


def test_a_count_of_memories_and_a_yes_are_borne_out() -> None:
    shown = ["2026-01-01: Ana swam in Porto.", "2026-01-02: Ana swam in Lisbon."]
    counted = citations.Line("Ana swam 2 times.", (1, 2))
    assert citations.borne_out(counted, shown, "How often did Ana swim?") == (1, 2)
    yes = citations.Line("Yes.", (2,))
    assert citations.borne_out(yes, shown, "Has Ana been in Lisbon?") == (2,)
    assert citations.borne_out(yes, shown, "Is it cold in Oslo?") == ()
