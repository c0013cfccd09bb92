"""A reader's options behind its name."""

from __future__ import annotations

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.models.reader import OpenAIReader, ReaderSettings, load_reader
from hybridmem.models.reader.settings import parse


def test_options_follow_the_name() -> None:
    name, settings = parse(
        "openai:llama3.1:8b@http://localhost:11434/v1,price_in=0.25, at_once=8,max_reader_tokens=1000"
    )
    assert name == "openai:llama3.1:8b@http://localhost:11434/v1"
    assert settings == ReaderSettings(price_in=0.25, at_once=8, max_reader_tokens=1000)
    reader = load_reader("openai:tiny@http://127.0.0.1:9/v1,timeout=3,retries=1")
    assert isinstance(reader, OpenAIReader)
    assert (reader.name, reader.settings.timeout, reader.settings.retries) == ("openai:tiny", 3.0, 1)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("price=1", "is no option of a reader: choose of at_once="),
        ("price_in", "is no option of a reader"),
        ("price_in=cheap", "price_in=cheap is no number"),
        ("at_once=1.5", "at_once=1.5 is no whole number"),
        ("at_once=0", "at_once=0 suits no reader: pass 1 or more"),
        ("price_out=-1", "price_out=-1 suits no reader"),
        ("price_out=nan", "price_out=nan suits no reader"),
        ("timeout=0", "timeout=0 suits no reader"),
        ("max_reader_tokens=0", "max_reader_tokens=0 suits no reader"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_line(option: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as raised:
        parse(f"openai:tiny,{option}")
    assert "\n" not in str(raised.value)


def test_a_cost_needs_a_price() -> None:
    assert ReaderSettings().cost(10, 10) is None
    assert ReaderSettings(price_in=2.0).cost(1_000_000, 5) == 2.0
    assert ReaderSettings(price_in=2.0, price_out=4.0).cost(500_000, 250_000) == 2.0
