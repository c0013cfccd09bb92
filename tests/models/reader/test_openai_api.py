"""The reader at an endpoint, against a server that fails in the ways that servers fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from hybridmem.core.errors import ModelError
from hybridmem.models import prompts
from hybridmem.models.reader import OpenAIReader, ReaderSettings
from tests.reader_server import MODEL, ReaderServer, reader_server

KEY = "sk-test-0123456789"
FACTS = prompts.facts("Ana lives in Lisbon.")


@pytest.fixture(scope="module")
def running() -> Iterator[ReaderServer]:
    with reader_server() as server:
        yield server


@pytest.fixture
def server(running: ReaderServer) -> ReaderServer:
    running.set()
    return running


def reader(server: ReaderServer, *, retries: int = 0, key: str | None = KEY, at_once: int = 4) -> OpenAIReader:
    return OpenAIReader(MODEL, server.url, key=key, settings=ReaderSettings(retries=retries, at_once=at_once))


def test_an_overloaded_server_is_asked_again(server: ReaderServer) -> None:
    server.set(fail=2, status=429)
    (said,) = reader(server, retries=2).generate([FACTS])
    assert said.text == "Ana | lives in | Lisbon"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [(429, "asked too often"), (500, "dream again later"), (503, "dream again later"), (401, "set OPENAI_API_KEY")],
)
def test_one_that_goes_on_failing_is_one_line_without_the_key(
    server: ReaderServer, status: int, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(fail=99, status=status, echoes_key=True)
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError, match=advice) as raised:
        reader(server).generate([FACTS])
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value) + caplog.text
    assert "***" in str(raised.value)


def test_one_that_does_not_answer_in_time_is_named(server: ReaderServer) -> None:
    server.set(delay=2)
    patient = OpenAIReader(MODEL, server.url, settings=ReaderSettings(retries=0, timeout=0.2))
    with pytest.raises(ModelError, match=r"does not answer \(APITimeoutError\)"):
        patient.generate([FACTS])


def test_a_prompt_that_is_refused_costs_itself_alone(server: ReaderServer) -> None:
    server.set(refuses="bomb")
    said = reader(server).generate([prompts.facts("The bomb is big."), FACTS])
    assert [each.text for each in said] == ["", "Ana | lives in | Lisbon"]
    assert [bool(each.refused) for each in said] == [True, False]
    assert said[0].prompt_tokens == 0, "nobody is charged for a refusal by status"


def test_a_server_that_refuses_everything_is_no_reader(server: ReaderServer) -> None:
    server.set(fail=99, status=400)
    with pytest.raises(ModelError, match="refuses every prompt"):
        reader(server).generate([FACTS, FACTS])


def test_models_that_take_no_temperature_are_asked_without(server: ReaderServer) -> None:
    server.set(modern=True)
    own = reader(server, at_once=1)
    assert own.generate([FACTS])[0].text == "Ana | lives in | Lisbon"
    asked = len(server.asked)
    own.generate([FACTS])
    assert len(server.asked) == asked + 1, "it remembers what the model takes"
    assert "max_completion_tokens" in server.asked[-1]["body"]


def test_what_it_thinks_and_how_it_wraps_a_reply_is_left_out(server: ReaderServer) -> None:
    server.set(wraps=True)
    (said,) = reader(server).generate([FACTS])
    assert prompts.parse_facts(said.text) == [("Ana", "lives in", "Lisbon")]


def test_tokens_are_estimated_where_the_server_does_not_count_them(server: ReaderServer) -> None:
    (counted,) = reader(server).generate([FACTS])
    server.set(usage=False)
    (estimated,) = reader(server).generate([FACTS])
    assert (counted.is_estimated, estimated.is_estimated) == (False, True)
    assert estimated.prompt_tokens == sum(len(message["content"]) for message in FACTS) // 4
    assert estimated.tokens == len(estimated.text) // 4
