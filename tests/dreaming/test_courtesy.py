"""A dream beside the calls of its own process leaves them room, and takes everything back when it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from hybridmem.core.progress import quiet
from hybridmem.core.recent_calls import RecentCalls
from hybridmem.dreaming import courtesy
from hybridmem.models.fake import FakeModel
from tests.dreaming.nights import open_memory


class Cores(FakeModel):
    def __init__(self) -> None:
        super().__init__()
        self.shared: list[bool] = []

    def share_cores(self, shared: bool) -> None:
        self.shared.append(shared)


def test_cores_are_shared_while_somebody_calls() -> None:
    now = [0.0]
    calls, model, told = RecentCalls(lambda: now[0]), Cores(), []
    calls.note()
    now[0] = 1.0

    def progress(*step: Any) -> None:
        told.append(step)

    with courtesy.beside(calls, model, progress) as tell:
        for at in (1.0, 2.0, 3.0, 4.0 + courtesy.QUIET_SECONDS):
            now[0] = at
            if at == 2.0:
                calls.note()
            tell("train", 1, 2)
    # A call before the dream counts for nothing; at its end all cores are taken.
    assert model.shared == [False, True, True, False, False]
    assert told == [("train", 1, 2)] * 4


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_calls_have_room_for_as_long_as_a_dream_runs() -> None:
    usual, threads = sys.getswitchinterval(), blas_threads()
    with pytest.raises(ZeroDivisionError), courtesy.beside(RecentCalls(), FakeModel(), quiet):
        with courtesy.beside(RecentCalls(), FakeModel(), quiet):
            assert sys.getswitchinterval() == pytest.approx(courtesy.TURN_SECONDS)
        assert sys.getswitchinterval() == pytest.approx(courtesy.TURN_SECONDS)
        assert blas_threads() == {1}
        1 / 0  # noqa: B018
    assert sys.getswitchinterval() == pytest.approx(usual)
    assert blas_threads() == threads


@pytest.mark.parametrize("call", ["add", "search", "answer"])
def test_a_call_in_the_middle_of_a_dream_is_noticed(tmp_path: Path, call: str) -> None:
    model = Cores()
    with open_memory(tmp_path / "memory", model) as memory:
        memory.add("Ana lives in Lisbon.")

        def meanwhile(step: str, done: int, total: int) -> None:
            if (step, done) == ("train", 1):
                getattr(memory, call)("Where does Ben live?")

        memory.dream(progress=meanwhile)
    assert {*model.shared} == {False, True}
    assert model.shared[0] is False and model.shared[-1] is False
