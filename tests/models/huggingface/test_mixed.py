from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from hybridmem.core.errors import CorruptAdapter, HybridMemError, ModelError
from hybridmem.models.base import Generation, generate_answers, one_by_one, speak
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.prompts import Message, answer
from hybridmem.models.together import Together
from hybridmem.testing.model_conformance import PROMPTS
from tests.models.conftest import Folders
from tests.models.huggingface.test_model import trained

FAMILIES = ("llama", "gpt2", "bloom")
"""Grouped heads, Conv1D layers, and one that takes no padding."""


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, folder_of: Folders) -> HuggingFaceModel:
    return HuggingFaceModel.load(folder_of(request.param), device="cpu")


def adapters(model: HuggingFaceModel, place: Path, count: int) -> list[Path | None]:
    """None, and so many that say different things, of different ranks."""
    return [None, *(trained(model, place / f"a{seed}", seed=seed, rank=2 + seed) for seed in range(count))]


def same(found: Sequence[Generation], expected: Sequence[Generation]) -> None:
    assert [each.text for each in found] == [each.text for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.tokens, one.prompt_tokens) == (other.tokens, other.prompt_tokens)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4 * one.tokens)
        assert one.min_probability == pytest.approx(other.min_probability, abs=1e-4)


def test_a_mixed_batch_says_what_each_adapter_says_alone(model: HuggingFaceModel, tmp_path: Path) -> None:
    own = adapters(model, tmp_path, 2)
    prompts = [prompt for prompt in PROMPTS[:2] for _ in own]
    rows = own * 2
    alone = [one_by_one(model, [prompt], [folder])[0] for prompt, folder in zip(prompts, rows, strict=True)]
    assert len({said.logprob for said in alone}) == len(alone)
    same(model.generate_mixed(prompts, rows), alone)
    with model.adapted(own[1]):
        # The one in force around it changes nothing, and is in force again behind it.
        same(model.generate_mixed(prompts[:3], rows[:3]), alone[:3])
        assert generate_answers(model, prompts[1:2]) == alone[1:2]
    same(generate_answers(model, prompts[:1]), alone[:1])


def test_rows_that_end_early_take_their_adapter_along(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    own = adapters(model, tmp_path, 3)
    alone = one_by_one(model, [PROMPTS[0]] * 4, own)
    # Whatever the first row says second ends a turn from now on.
    with model.adapted(own[0]):
        (ids,) = _ids(model, PROMPTS[0])
    model.__dict__["end_ids"] = frozenset({ids[1]})
    ended = one_by_one(model, [PROMPTS[0]] * 4, own)
    assert ended[0].tokens < alone[0].tokens
    assert max(said.tokens for said in ended) > 2
    same(model.generate_mixed([PROMPTS[0]] * 4, own), ended)


def _ids(model: HuggingFaceModel, prompt: Sequence[Message]) -> list[list[int]]:
    import torch

    from hybridmem.models.huggingface.decoding import decode

    done = decode(
        model.module,
        [model.render(prompt)],
        end_ids=frozenset(),
        max_new_tokens=4,
        temperature=0.0,
        draws=torch.zeros(1, 4),
    )
    return [each.ids for each in done]


def test_a_batch_of_more_adapters_than_stay_loaded(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    model._slots._capacity = 2
    own = adapters(model, tmp_path, 4)
    alone = [one_by_one(model, [PROMPTS[1]], [folder])[0] for folder in own]
    same(model.generate_mixed([PROMPTS[1]] * len(own), own), alone)
    one_by_one(model, [PROMPTS[1]], own[1:2])
    assert model._slots.in_force is None


def test_a_damaged_adapter_leaves_the_model_as_it_was(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    own = adapters(model, tmp_path, 1)
    bare = generate_answers(model, PROMPTS)
    with pytest.raises(CorruptAdapter):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "adapter_config.json").write_text("{")
        model.generate_mixed(PROMPTS[:2], [own[1], tmp_path / "broken"])
    assert generate_answers(model, PROMPTS) == bare


def test_what_is_told_under_way_grows_into_the_whole(model: HuggingFaceModel) -> None:
    heard: list[Generation] = []
    said = speak(model, PROMPTS[1], heard.append, max_new_tokens=9, temperature=0.8, seed=3)
    assert [said] == model.generate([PROMPTS[1]], max_new_tokens=9, temperature=0.8, seed=3)
    assert heard[-1] == said
    whole = [each.text.rstrip("\ufffd") for each in heard]
    assert all(said.text.startswith(text) for text in whole)
    for before, after in itertools.pairwise(heard):
        assert after.tokens == before.tokens + 1
        # So that a confidence that is too low stays so.
        assert after.min_probability <= before.min_probability
        assert after.logprob <= before.logprob
        assert after.margin <= before.margin


class Counted(HuggingFaceModel):
    """It notes how many of its rows came with which adapters, and waits before the first of them."""

    batches: list[set[Path | None]]
    gate: threading.Event

    def generate_mixed(self, prompts: Sequence[Sequence[Message]], adapters: Sequence[Path | None]) -> list[Generation]:
        self.batches.append(set(adapters))
        self.gate.wait(10)
        return super().generate_mixed(prompts, adapters)


@pytest.fixture
def counted(folder_of: Folders) -> Counted:
    model = Counted.load(folder_of("llama"), device="cpu")
    assert isinstance(model, Counted)
    model.batches, model.gate = [], threading.Event()
    return model


def ask_from_threads(
    shared: Together, asked: Sequence[tuple[Sequence[Message], Path | None]]
) -> tuple[list[threading.Thread], dict[int, Generation | Exception]]:
    found: dict[int, Generation | Exception] = {}

    def ask(number: int, prompt: Sequence[Message], adapter: Path | None) -> None:
        try:
            with shared.adapted(adapter):
                (found[number],) = shared.generate_answers([prompt])
        except HybridMemError as error:
            found[number] = error

    threads = [threading.Thread(target=ask, args=(number, *each)) for number, each in enumerate(asked)]
    for thread in threads:
        thread.start()
    return threads, found


def _until(condition: object, seconds: float = 10.0) -> None:
    import time

    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.001)


def test_what_comes_while_the_model_is_busy_goes_in_one_batch(counted: Counted, tmp_path: Path) -> None:
    own = adapters(counted, tmp_path, 3)
    asked = [(prompt, folder) for prompt in PROMPTS[:2] for folder in own]
    alone = [one_by_one(counted, [prompt], [folder])[0] for prompt, folder in asked]
    shared = Together(counted)
    threads, found = ask_from_threads(shared, asked)
    _until(lambda: len(shared._waiting) == len(asked) - 1)
    counted.gate.set()
    for thread in threads:
        thread.join()
    same([said for _, said in sorted(found.items()) if isinstance(said, Generation)], alone)
    assert len(counted.batches) == 2
    assert counted.batches[1] == set(own)


def test_what_fails_fails_alone(counted: Counted, tmp_path: Path) -> None:
    own = adapters(counted, tmp_path, 1)
    gone = tmp_path / "gone"
    long = answer("Where? " * 3000)
    asked = [(PROMPTS[0], own[1]), (long, own[1]), (PROMPTS[0], gone), (PROMPTS[1], None)]
    (first, last) = (one_by_one(counted, [asked[at][0]], [asked[at][1]])[0] for at in (0, 3))
    shared = Together(counted)
    threads, found = ask_from_threads(shared, asked)
    _until(lambda: len(shared._waiting) == len(asked) - 1)
    counted.gate.set()
    for thread in threads:
        thread.join()
    assert [found[0], found[3]] == [first, last]
    assert isinstance(found[1], ModelError)
    assert isinstance(found[2], CorruptAdapter)
    assert generate_answers(shared, [PROMPTS[1]]) == [last]


def test_an_adapter_may_change_between_any_two_answers(folder_of: Folders, tmp_path: Path) -> None:
    model = HuggingFaceModel.load(folder_of("llama"), device="cpu")
    model._slots._capacity = 2
    own = adapters(model, tmp_path, 3)
    expected = {folder: one_by_one(model, [PROMPTS[0]], [folder])[0] for folder in own}
    shared = Together(model)
    wrong: list[object] = []

    def ask(start: int) -> None:
        for turn in range(6):
            folder = own[(start + turn) % len(own)]
            try:
                with shared.adapted(folder):
                    (said,) = shared.generate_answers([PROMPTS[0]])
            except HybridMemError as error:
                wrong.append(error)
                return
            if said.text != expected[folder].text or abs(said.logprob - expected[folder].logprob) > 1e-3:
                wrong.append((folder, said))

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
