"""A dream in a process of its own asks the reader that its memory was opened with, and its job says what that took."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.jobs import DreamJobs
from hybridmem.memory import HybridMemory
from tests.reader_server import reader_server

ANA = ("users", "ana")


@pytest.mark.usefixtures("forked_jobs")
def test_a_job_says_what_its_reader_took(tmp_path: Path) -> None:
    with (
        reader_server() as server,
        HybridMemory.open(
            tmp_path / "memory",
            namespace=ANA,
            model="fake",
            embedder="hashing",
            vectors="memory",
            reader=f"{server.name},price_in=1000,price_out=1000",
        ) as memory,
    ):
        memory.add("Ana lives in Lisbon.")
        jobs = DreamJobs(memory)
        ended = jobs.wait(ANA, jobs.start(ANA).id, seconds=120)
        assert ended.status == "completed", ended.error
        asked = len(server.asked)
    assert ended.report is not None and ended.report.reader is not None
    assert ended.usage["reader_calls"] == ended.report.reader.calls == asked > 0
    tokens = ended.usage["reader_prompt_tokens"] + ended.usage["reader_completion_tokens"]
    assert tokens == ended.report.reader.tokens
    assert ended.usage["reader_cost"] == ended.report.reader.cost == tokens / 1000
