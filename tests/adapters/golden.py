"""Golden adapters: what each is made on, and whether a model still says with it what it said then.

``expected.json`` of an adapter holds one object a case: the messages, a reference completion, and for the bare base
(``before``) and the adapter (``after``) the greedy completion and the log-probability of each token of the reference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybridmem import models
from hybridmem.adapters.card import AdapterCard
from hybridmem.adapters.load_verified import load_verified
from hybridmem.models import bundled
from hybridmem.models.base import LanguageModel
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.prompts import Message

SHELF = Path(__file__).parents[2] / "adapters" / "golden"
EXPECTED = "expected.json"
STORIES = Path(__file__).parents[3] / "shared" / "data" / "stories260k"
TOLERANCE = 1e-3
"""Nats, on each token's log-probability in float32 on a CPU: above rounding, and below what 2% of the scale changes."""
# Part of the golden files: one line a turn, without the system message.
_STORIES_TEMPLATE = "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}\n{% endif %}{% endfor %}"


def base_of(name: str) -> LanguageModel:
    """The base of the golden adapter `name`, in float32 on the CPU."""
    if name == "fake":
        return FakeModel()
    if name == "bundled":
        return HuggingFaceModel.load(bundled.folder(), alias=models.BUNDLED, device="cpu", dtype="float32")
    model = HuggingFaceModel.load(STORIES, alias=name, device="cpu", dtype="float32")
    model.tokenizer.chat_template = _STORIES_TEMPLATE
    # It ends its stories with the token that begins one; it never saw the end token of its configuration.
    for owner in (model.module.config, model.module.generation_config, model.tokenizer):
        owner.eos_token_id = model.tokenizer.bos_token_id
    return model


def read_expected(folder: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((folder / EXPECTED).read_text("utf-8"))["cases"]
    return cases


def measure(
    model: LanguageModel, folder: Path, prompts: Sequence[Sequence[Message]], references: Sequence[str]
) -> list[dict[str, Any]]:
    """The cases of ``expected.json`` as they are today. Raises `CorruptAdapter` or `WrongBase`."""
    before = _said(model, prompts, references)
    with load_verified(model, AdapterCard.read(folder), folder):
        after = _said(model, prompts, references)
    return [
        {"prompt": list(prompt), "reference": reference, "before": one, "after": two}
        for prompt, reference, one, two in zip(prompts, references, before, after, strict=True)
    ]


def differences(
    expected: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]], tolerance: float = TOLERANCE
) -> list[str]:
    """One line for each completion or log-probability in `found` that is not the expected one."""
    lines = []
    for old, new in zip(expected, found, strict=True):
        for when in ("before", "after"):
            was, now = old[when], new[when]
            where = f"{when}, {old['prompt'][-1]['content']!r}"
            if was["completion"] != now["completion"]:
                lines.append(f"{where}: {now['completion']!r} where it was {was['completion']!r}")
            gaps = [abs(a - b) for a, b in zip(was["logprobs"], now["logprobs"], strict=True)]
            if max(gaps) > tolerance:
                lines.append(f"{where}: a log-probability is {max(gaps):.2g} off")
    return lines


def _said(
    model: LanguageModel, prompts: Sequence[Sequence[Message]], references: Sequence[str]
) -> list[dict[str, Any]]:
    completions = model.generate(prompts, max_new_tokens=8)
    logprobs = model.logprobs(prompts, references)
    return [
        {"completion": made.text, "logprobs": [round(value, 5) for value in row]}
        for made, row in zip(completions, logprobs, strict=True)
    ]
