"""The votes of a session's own continuations."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running import frame
from hybridmem.running.answering import SessionSteps
from hybridmem.running.chunk import Chunk
from hybridmem.running.chunks import Piece, SessionMessage
from hybridmem.running.output_memory import OutputMemory
from hybridmem.running.reader import SessionReader
from hybridmem.running.settings import SessionSettings
from hybridmem.running.state import SessionState
from hybridmem.running.storage import KeyValues

NOTHING = KeyValues(torch.zeros(1, 1, 0, 4), torch.zeros(1, 1, 0, 4))
FLAT = torch.zeros(300)


def chunk(message: str, ids: tuple[int, ...], states: torch.Tensor) -> Chunk:
    return Chunk([Piece(message, ids)], [0.0] * len(ids), [], NOTHING, hidden=states)


@pytest.fixture
def told() -> list[Chunk]:
    """Three messages of random states; the last two put the model into the same state, and say 7 and then 8 of it."""
    states = torch.randn(3, 6, 32, generator=torch.Generator().manual_seed(0))
    states[2, 3] = states[1, 3]
    return [
        chunk("m0", (1, 2, 3, 4, 5, 6), states[0]),
        chunk("m1", (1, 2, 3, 4, 7, 6), states[1]),
        chunk("m2", (1, 2, 3, 4, 8, 6), states[2]),
    ]


def test_a_state_that_the_session_was_in_votes_for_what_followed(told: list[Chunk]) -> None:
    memory = OutputMemory(told[:2], 0.6)
    assert told[1].hidden is not None
    mixed = memory.mixed(FLAT, told[1].hidden[3])
    assert mixed.argmax() == 7
    assert float(mixed.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(mixed.exp()[7]) < 0.6 + 1 / 300


def test_of_equal_states_the_newest_votes(told: list[Chunk]) -> None:
    assert told[2].hidden is not None
    mixed = OutputMemory(told, 0.6).mixed(FLAT, told[2].hidden[3])
    assert mixed.argmax() == 8
    assert float(mixed.exp()[7]) == pytest.approx(float(mixed.exp()[0]), abs=1e-3)


def test_a_state_far_from_the_session_changes_nothing(told: list[Chunk]) -> None:
    memory = OutputMemory(told, 0.6)
    logits = torch.randn(300, generator=torch.Generator().manual_seed(1))
    assert torch.equal(memory.mixed(logits, torch.full((32,), 50.0)), logits)


def test_a_single_message_has_no_say(told: list[Chunk]) -> None:
    assert OutputMemory(told[:1], 0.6).gate is None
    assert OutputMemory([], 0.6).gate is None
    assert told[0].hidden is not None
    assert torch.equal(OutputMemory(told[:1], 0.6).mixed(FLAT, told[0].hidden[3]), FLAT)


def test_it_is_off_unless_asked_and_votes_where_it_is_on(llama: HuggingFaceModel) -> None:
    settings = SessionSettings(chunk=64, max_event=24, int8=False)
    messages = [SessionMessage(f"m{n}", f"Ana put the {n}th key in drawer {n * 7}.", "Ana") for n in range(6)]
    off = SessionState(SessionReader(llama), settings)
    on = SessionState(SessionReader(llama), dataclasses.replace(settings, output_memory=True))
    for state in (off, on):
        state.read(messages)
    assert all(chunk.hidden is None for chunk in off.chunks)
    assert all(chunk.hidden is not None and len(chunk.hidden) == chunk.tokens for chunk in on.chunks)
    question = "Where is the key?"
    asking = frame.ending(llama, question)
    ids = torch.tensor([asking])
    positions = torch.arange(ids.shape[1])[None]
    bare, voted = (
        SessionSteps(each.reader, each.prefix(question, asking), memory).read(ids, None, positions, 1)
        for each, memory in ((off, None), (on, OutputMemory(on.chunks, 0.6)))
    )
    assert voted.shape == bare.shape
    told = [id for chunk in on.chunks for id in chunk.ids]
    gained = torch.softmax(voted[0].float(), 0) - torch.softmax(bare[0].float(), 0)
    assert set(torch.nonzero(gained > 1e-6)[:, 0].tolist()) <= set(told)
