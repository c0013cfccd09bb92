"""What writing and answering cost beside the model's own forward pass, in processor time of one thread."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from hybridmem import models
from hybridmem.models import smollm2
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running import frame
from hybridmem.running.answering import SessionSteps
from hybridmem.running.chunks import SessionMessage
from hybridmem.running.reader import SessionReader
from hybridmem.running.settings import SessionSettings
from hybridmem.running.state import SessionState

pytestmark = pytest.mark.slow
TOKENS = 8192
WRITING = 1.2
ANSWERING = 1.3
"""The forward pass of the question alone, whose prompt has an opening that a session has read already: instead, a third
of the layers choose, and all of them attend to 256 keys more."""
REREADING = 2.5


@pytest.fixture(scope="module")
def model() -> Iterator[HuggingFaceModel]:
    """The default base: what a session costs beside a forward pass is another thing for a tiny one."""
    if smollm2.packaged() is None:
        pytest.skip(f"{smollm2.PACKAGE} is not installed: make setup")
    made = models.load(f"{models.SMOLLM2_INSTRUCT},device=cpu,dtype=float32")
    assert isinstance(made, HuggingFaceModel)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with made.exclusive():
            yield made
    finally:
        torch.set_num_threads(threads)


def least(*works: Callable[[], object], runs: int) -> list[float]:
    """Seconds of processor time of each of `works` at its fastest; they take turns, so that what else the machine does
    meets all alike."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, seconds in zip(works, taken, strict=True):
            begun = time.thread_time()
            work()
            seconds.append(time.thread_time() - begun)
    return [min(seconds) for seconds in taken]


def messages(count: int) -> list[SessionMessage]:
    return [
        SessionMessage(f"m{n}", f"Key {n} of the old house is in drawer {n * 7 % 91}.", "Ana") for n in range(count)
    ]


def test_writing_costs_a_forward_pass(model: HuggingFaceModel) -> None:
    told = messages(42)
    ids = [id for message in told for id in model.encode_text(f"- {message.line}\n")]
    reader = SessionReader(model)
    reader.begin()
    plain, written = least(
        lambda: model.module(input_ids=torch.tensor([ids]), use_cache=False),
        lambda: SessionState(reader, SessionSettings()).read(told),
        runs=2,
    )
    assert written / plain <= WRITING, f"{len(ids)} tokens: {written / plain:.2f} times a forward pass"


def test_answering_costs_little_more_than_the_question(model: HuggingFaceModel) -> None:
    state = SessionState(SessionReader(model), SessionSettings(max_bytes=2**31))
    state.read(messages(20))
    full = state.chunks[0]
    while state.tokens < TOKENS:
        state.chunks.insert(0, dataclasses.replace(full, events=copy.deepcopy(full.events), open=None))
    question = "Where is the key of the new house, and whose is the drawer that it is in now?"
    ids = frame.ending(model, question)
    asked = torch.tensor([ids])

    def answer() -> None:
        SessionSteps(state.reader, state.prefix(question, ids)).read(asked, None, torch.empty(0), 1)

    def text(tokens: list[int]) -> Callable[[], object]:
        given = torch.tensor([[*state.reader.opening, *tokens, *ids]])
        return lambda: model.module(input_ids=given, use_cache=True, logits_to_keep=1)

    read = [id for chunk in state.chunks[-3:] for id in chunk.ids][: state.settings.budget]
    first, alone, reread = least(answer, text([]), text(read), runs=5)
    assert first / alone <= ANSWERING, f"{first / alone:.2f} times the question's own forward pass"
    assert reread / first >= REREADING, f"reading the same tokens as text takes {reread / first:.2f} times as long"
