"""Spans of OpenTelemetry: made where the program traces itself, of counts alone, and else nothing at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.spans import traced
from hybridmem.memory import HybridMemory

trace = pytest.importorskip("opentelemetry.trace", reason="spans are an extra: hybridmem[otel]")


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a program's own tracer provider is given."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda *given: provider.get_tracer(*given))
    return exporter


def test_what_a_memory_does_is_a_span_without_words(spans: Any, tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", embedder="hashing", vectors="memory") as memory:
        (episode,) = memory.add("Ana lives in Porto.")
        memory.search("Where does Ana live?")
        memory.delete(episode.id)
    made = {span.name: dict(span.attributes) for span in spans.get_finished_spans()}
    assert made == {
        "hybridmem.add": {"hybridmem.episodes": 1},
        "hybridmem.search": {"hybridmem.hits": 1},
        "hybridmem.delete": {"hybridmem.facts": 0},
    }
    assert "Porto" not in str([span.to_json() for span in spans.get_finished_spans()])


def test_an_error_is_told_and_raised(spans: Any) -> None:
    class Thing:
        @traced("fail", lambda result: {"never": 1})
        def fail(self) -> int:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Thing().fail()
    (span,) = spans.get_finished_spans()
    assert span.name == "hybridmem.fail" and not span.status.is_ok


def test_the_method_stays_what_it_was() -> None:
    assert HybridMemory.search.__name__ == "search"
    assert (HybridMemory.search.__doc__ or "").startswith("The memories nearest")


def test_nothing_of_it_is_loaded_by_hybridmem() -> None:
    program = (
        "import sys; from hybridmem import HybridMemory\n"
        "with HybridMemory.open(sys.argv[1]) as memory: memory.add('Ana lives in Porto.')\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", program, f"{folder}/memory"], check=True)
