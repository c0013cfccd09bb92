"""The router's benchmark on a model that costs nothing: what is asked, and what is counted."""

from __future__ import annotations

import pytest

from hybridmem.core.records import ROUTES
from hybridmem.dreaming import general
from hybridmem.evaluation.expectations import standing
from hybridmem.evaluation.stream import make_stream
from hybridmem.evaluation.suites.router import run
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel


def test_it_lives_through_the_whole_stream_and_asks_what_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []
    delete = HybridMemory.delete
    monkeypatch.setattr(HybridMemory, "delete", lambda self, id: (deleted.append(id), delete(self, id))[1])
    monkeypatch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))
    sizes = {"nights": 3, "facts_per_night": 4}
    out = run(model=FakeModel(), embedder="hashing", seed=3, progress=lambda step, done, total: None, **sizes)
    stream = make_stream(3, 3, 4)
    assert len(deleted) == sum(not hasattr(event, "text") for event in stream.events) > 0
    assert out["questions"] == sum(len(fact.test_questions) for fact in standing(stream, 3))
    assert out["unanswerable"] == len(stream.questions("unanswerable"))
    assert sum(out[f"share_{route}"] for route in ROUTES) == pytest.approx(1.0)
    assert max(out[f"accuracy_{route}"] for route in ("weights", "retrieval", "both")) <= out["oracle_accuracy"]
    assert out["economics"]["dream_seconds"] > 0
    assert out["model"] == "fake"
