"""Conversations whose history no longer fits the context."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory, conversation
from hybridmem.core.records import Answer
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running import history
from hybridmem.running.chunks import SessionMessage
from hybridmem.running.history import history_session
from hybridmem.running.session import Session
from tests.running.conftest import Load

CODE = "The code of the shed is 7731."


@pytest.fixture
def memory(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> Iterator[HybridMemory]:
    """Over a random model whose router knows nothing, and whose sessions say what they read of the shed."""
    said = Session.answer

    def answer(self: Session, question: str, **options: Any) -> Any:
        found = said(self, question, **options)
        line = "7731" if any("7731" in event.text for event in self.events) else "nothing"
        return dataclasses.replace(found, text=line)

    monkeypatch.setattr(Session, "answer", answer)
    monkeypatch.setattr(HybridMemory, "answer", lambda self, question, **_: Answer("I don't know.", "abstain", 0.0))
    with HybridMemory.open(tmp_path / "memory", model=load("llama"), embedder="hashing") as memory:
        yield memory


def messages(turns: int) -> list[dict[str, str]]:
    told = [{"role": "user", "content": CODE}]
    for number in range(turns):
        told.append({"role": "user", "content": f"On day {number} the boat sailed to the next island."})
        told.append({"role": "assistant", "content": f"Island {number} it is."})
    return told


def asked(turns: int) -> list[dict[str, str]]:
    return [*messages(turns), {"role": "user", "content": "What is the code of the shed?"}]


def sessions(memory: HybridMemory) -> list[Session]:
    return [each for each in memory.workspace.resources.sessions.values() if isinstance(each, Session)]


def test_a_history_that_fits_needs_no_session(memory: HybridMemory) -> None:
    conversation.respond(memory, asked(2))
    assert sessions(memory) == []


def test_a_history_beyond_the_context_is_read_as_a_session_once(
    memory: HybridMemory, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = conversation.respond(memory, asked(14))
    # Its budget holds what its questions attend to, and the answer must stand in one of those messages.
    (session,) = sessions(memory)
    assert len(session.messages) == 29 and session.tokens > (load("llama").context_length or 0)
    assert reply.text in ("7731", "I don't know.")
    read: list[int] = []
    monkeypatch.setattr(Session, "read", _counting(read))
    conversation.respond(memory, asked(16))
    assert read == [4]
    assert sessions(memory) == [session]


def test_the_answer_is_checked_against_what_was_read(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SETTINGS", dataclasses.replace(history.SETTINGS, budget=900))
    assert conversation.respond(memory, asked(14)).text == "7731"
    other = [*messages(14)[1:], {"role": "user", "content": "What is the code of the shed?"}]
    assert conversation.respond(memory, other).text == "I don't know."


def test_an_edited_history_is_read_anew_and_few_are_kept(memory: HybridMemory) -> None:
    def told(*texts: str) -> list[SessionMessage]:
        return [SessionMessage(f"m{number}", text) for number, text in enumerate(texts)]

    first = history_session(memory.workspace, told("a", "b"))
    assert history_session(memory.workspace, told("a", "b", "c")) is first
    assert [message.text for message in first.messages] == ["a", "b", "c"]
    edited = history_session(memory.workspace, told("a", "x"))
    assert edited is not first and [message.text for message in edited.messages] == ["a", "x"]
    for number in range(history.KEPT):
        history_session(memory.workspace, told(f"other {number}"))
    kept = sessions(memory)
    assert len(kept) == history.KEPT and edited not in kept


def test_namespaces_have_their_own_histories(memory: HybridMemory) -> None:
    told = [SessionMessage("m0", "a")]
    mine = history_session(memory.workspace, told)
    his = history_session(memory.at(("tom",)).workspace, told)
    assert mine is not his and his.namespace == ("tom",)


def _counting(read: list[int]) -> Any:
    real = Session.read

    def counted(self: Session, messages: Any) -> Any:
        read.append(len(messages))
        return real(self, messages)

    return counted


def test_models_without_a_state_read_what_fits(
    memory: HybridMemory, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "unsupported", lambda model: "is of another family")
    monkeypatch.setattr(HuggingFaceModel, "context_length", 600)
    conversation.respond(memory, asked(14))
    assert sessions(memory) == []
