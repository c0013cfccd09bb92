"""The training loop on a toy model: it learns, its checkpoint loads without our code, its pieces agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from lab import train  # noqa: E402
from lab.architecture import Shape, fresh_model  # noqa: E402
from lab.forward import Forward  # noqa: E402
from lab.packing import Piece, Weights, pack, pieces  # noqa: E402
from lab.quick_evaluation import greedy_answers  # noqa: E402
from lab.tokenizer import Document, train_tokenizer  # noqa: E402
from tests import scripts  # noqa: E402

if TYPE_CHECKING:
    from transformers import Lfm2ForCausalLM, PreTrainedTokenizerFast

STAND_IN = """
import random
from collections import namedtuple

Case = namedtuple("Case", "messages expected kind")
PLACES = ["Porto", "Lima", "Oslo", "Quito"]


def chat(rng):
    place = rng.choice(PLACES)
    asked = f"Memories:\\n- Mira lives in {place}.\\nQuestion: Where does Mira live?"
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": place}]


def stream(seed, text):
    rng = random.Random(seed)
    while True:
        yield chat(rng) if rng.random() < 0.9 else "Mira went to " + rng.choice(PLACES)


def evaluation_set(seed, per_job):
    chats = [chat(random.Random(seed + number)) for number in range(per_job)]
    return {"answer": [Case(found[:1], found[1]["content"], "seen") for found in chats]}
"""

TOLD: list[Document] = [
    [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": "Question: Where is room 1234? Grüße!"},
        {"role": "assistant", "content": "On floor 12."},
    ],
    "The ferry to Oslo leaves at noon, and the one to Porto at 17:45.",
]


def documents() -> Iterator[Document]:
    while True:
        yield from TOLD


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(documents(), vocabulary=320, sample=50)


@pytest.fixture(scope="module")
def model() -> Lfm2ForCausalLM:
    shape = Shape(hidden=64, layers=4, heads=2, key_value_heads=1, feed_forward=64)
    fresh = fresh_model(shape, vocabulary=320, pad=0, end=1, seed=0)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return fresh.eval()


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not any(special in text for special in tokenizer.all_special_tokens):
        assert tokenizer.decode(ids) == text


def test_digits_stand_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.tokenize("1234") == ["1", "2", "3", "4"]


def test_the_chat_template_is_plain_concatenation_without_system_messages(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    chat = TOLD[0]
    whole = tokenizer.apply_chat_template(chat, tokenize=False)
    prompt = tokenizer.apply_chat_template(chat[:2], tokenize=False, add_generation_prompt=True)
    assert whole == "<|user|>Question: Where is room 1234? Grüße!<|assistant|>On floor 12.<|end|>"
    assert prompt + "On floor 12.<|end|>" == whole
    together, first, second = (
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in (whole, prompt, "On floor 12.<|end|>")
    )
    assert first + second == together
    assert next(pieces([chat], tokenizer, Weights(), 256)).ids == together


def test_a_chat_too_long_for_a_row_loses_whole_exchanges(tokenizer: PreTrainedTokenizerFast) -> None:
    once = next(pieces([TOLD[0]], tokenizer, Weights(), 256))
    thrice = [message for _ in range(3) for message in TOLD[0] if isinstance(message, dict)]
    assert next(pieces([thrice], tokenizer, Weights(), 2 * len(once.ids) + 3)).ids == 2 * once.ids


@given(st.lists(st.integers(1, 16), min_size=1, max_size=40))
def test_packing_keeps_every_piece_whole_and_apart(lengths: list[int]) -> None:
    source = [Piece([number + 1] * length, [1.0] * length) for number, length in enumerate(lengths)]
    seen = []
    for row in pack(iter(source), length=16, pad=0, open_rows=3):
        for segment in range(int(row.segments.max()) + 1):
            ids = row.ids[row.segments == segment].tolist()
            if ids and ids[0]:
                seen.append(ids)
    assert sorted(seen) == sorted(piece.ids for piece in source)


def test_training_computes_what_the_model_computes_and_never_looks_into_another_document(
    model: Lfm2ForCausalLM,
) -> None:
    ids = torch.randint(4, 320, (2, 30), generator=torch.Generator().manual_seed(0))
    segments = (torch.arange(30) >= 13).long().expand(2, 30)
    with torch.inference_mode():
        packed = Forward(model, compiled=False, dtype=torch.float32)(ids, segments, torch.arange(60)).view(2, 30, -1)
        apart = torch.cat([model.model(input_ids=part).last_hidden_state for part in (ids[:, :13], ids[:, 13:])], 1)
    torch.testing.assert_close(packed, apart, rtol=1e-4, atol=1e-4)


def test_padding_on_the_left_changes_no_answer(model: Lfm2ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    chats = [[{"role": "user", "content": "Where is Porto? " * times}] for times in (1, 7, 2, 19, 4)]
    together = greedy_answers(model, tokenizer, chats, longest=12)
    assert len(set(together)) > 1
    assert together == [greedy_answers(model, tokenizer, [chat], longest=12)[0] for chat in chats]


def test_a_training_of_seconds_learns_reloads_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    # Its second process need not import torch anew either.
    monkeypatch.setattr(train, "multiprocessing", SimpleNamespace(get_context=lambda _: scripts.context()))

    def run(*more: str) -> list[dict[str, Any]]:
        command = ["train", "--tiny", "--eager", "--threads", "1", "--documents", "stand_in"]
        monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "run"), *more])
        train.main()
        return [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]

    lines = run("--steps", "40")
    losses = [line["answer_loss"] for line in lines if "answer_loss" in line]
    assert losses[-1] < 0.8 * losses[0]
    assert not list((tmp_path / "run").glob("*.bin")) + list((tmp_path / "run").glob("*.pt"))

    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "run")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    assert tokenizer.eos_token == "<|end|>"
    assert model.config.eos_token_id == tokenizer.eos_token_id
    chat = [{"role": "user", "content": "Memories:\n- Mira lives in Oslo.\nQuestion: Where does Mira live?"}]
    assert len(greedy_answers(model, tokenizer, [chat], longest=5)) == 1

    resumed = run("--steps", "44", "--resume")
    before, after = (
        [line for line in part if line.get("event") == "evaluation"][-1] for part in (lines, resumed[len(lines) :])
    )
    assert after["tokens"] > before["tokens"]
