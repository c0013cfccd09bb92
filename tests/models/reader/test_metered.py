"""What a night's reader takes is counted once, bounded, and not paid for twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import ModelError, ReaderBudgetSpent
from hybridmem.core.records import ReaderUsage
from hybridmem.models import prompts, skills
from hybridmem.models.fake import FakeModel
from hybridmem.models.reader import ReaderSettings, RemoteReading
from hybridmem.models.reader.metered import SAME_NIGHT_SECONDS, MeteredReader


class Counting:
    """Replies to each prompt with 3 tokens for its 10, and fails from call `fails_at` on."""

    follows_examples = True
    name = "counting"

    def __init__(self, settings: ReaderSettings, fails_at: int = 1_000_000) -> None:
        self.settings = settings
        self.calls = 0
        self._fails_at = fails_at

    def generate(
        self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
    ) -> list[RemoteReading]:
        self.calls += len(prompts)
        if self.calls > self._fails_at:
            raise ModelError("the server is gone: start it")
        return [RemoteReading(f"reply to {prompt[-1]['content']}", 10, 3) for prompt in prompts]


def asked(*contents: str) -> list[list[prompts.Message]]:
    return [[{"role": "user", "content": content}] for content in contents]


def priced(tmp_path: Path, fails_at: int = 1_000_000, **given: float) -> tuple[Counting, MeteredReader]:
    settings = ReaderSettings(price_in=1.0, price_out=10.0, **given)  # type: ignore[arg-type]
    reader = Counting(settings, fails_at)
    return reader, MeteredReader(reader, tmp_path / "dream" / "replies.jsonl")


def test_each_prompt_is_asked_once_and_priced(tmp_path: Path) -> None:
    reader, metered = priced(tmp_path)
    said = metered.generate(asked("a", "b", "a"))
    assert [each.text for each in said] == ["reply to a", "reply to b", "reply to a"]
    assert metered.take() == ReaderUsage(2, 20, 6, 0, 0, cost=(20 + 60) / 1e6)
    metered.generate(asked("a"))
    assert metered.take().calls == 0
    assert reader.calls == 2


def test_it_says_of_itself_what_its_reader_says(tmp_path: Path) -> None:
    _, metered = priced(tmp_path)
    assert metered.name == "counting"
    assert skills.supports(metered, "propositions") and not skills.samples(metered)
    assert skills.samples(MeteredReader(FakeModel(), tmp_path / "replies.jsonl"))


def test_a_reader_that_fails_loses_no_reply(tmp_path: Path) -> None:
    _, metered = priced(tmp_path, fails_at=2, at_once=2)
    with pytest.raises(ModelError, match="the server is gone: start it; nothing is lost: run `hybridmem dream` again"):
        metered.generate(asked("a", "b", "c"))
    reader, again = priced(tmp_path)
    assert again.before == ReaderUsage(2, 20, 6, 0, 0, cost=80 / 1e6)
    again.generate(asked("a", "b", "c"))
    assert (reader.calls, again.take().calls) == (1, 1)


def test_a_file_that_was_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    _, metered = priced(tmp_path)
    metered.generate(asked("a", "b"))
    kept = tmp_path / "dream" / "replies.jsonl"
    assert "reply to" in kept.read_text() and '"a"' not in kept.read_text()
    kept.write_bytes(kept.read_bytes()[:-10])
    reader, again = priced(tmp_path)
    again.generate(asked("a", "b"))
    assert reader.calls == 1


def test_the_bound_ends_a_night_before_it_is_passed(tmp_path: Path) -> None:
    _, metered = priced(tmp_path, max_reader_tokens=30)
    metered.generate(asked("a", "b"))
    with pytest.raises(ReaderBudgetSpent, match="30 tokens of the reader are spent") as raised:
        metered.generate(asked("c"))
    assert "\n" not in str(raised.value)
    assert metered.generate(asked("a"))[0].text == "reply to a", "what is known costs nothing"


def test_a_share_of_the_bound_holds_until_its_block_ends(tmp_path: Path) -> None:
    _, metered = priced(tmp_path, max_reader_tokens=100)
    with metered.within(0.1):
        assert metered.room == 10
        metered.generate(asked("a"))
        with pytest.raises(ReaderBudgetSpent):
            metered.generate(asked("b"))
    assert metered.room == 87


def test_a_night_that_is_tried_again_is_one_night(tmp_path: Path) -> None:
    _, metered = priced(tmp_path, max_reader_tokens=30)
    metered.generate(asked("a", "b"))
    _, again = priced(tmp_path, max_reader_tokens=30)
    assert again.room == 4
    kept = tmp_path / "dream" / "replies.jsonl"
    earlier = kept.stat().st_mtime - SAME_NIGHT_SECONDS - 1
    os.utime(kept, (earlier, earlier))
    _, tomorrow = priced(tmp_path, max_reader_tokens=30)
    assert tomorrow.room == 30


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=9), max_size=6), st.integers(1, 5))
def test_what_is_taken_adds_up_whatever_is_asked(rounds: list[list[str]], at_once: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        reader, metered = priced(Path(folder), at_once=at_once)
        took = ReaderUsage()
        for contents in rounds:
            said = metered.generate(asked(*contents))
            assert [each.text for each in said] == [f"reply to {content}" for content in contents]
            took += metered.take()
        assert took.calls == reader.calls == len({content for contents in rounds for content in contents})
        assert took.prompt_tokens == 10 * reader.calls
