"""``python -m hybridmem.pretraining.card FOLDER --training TEXT``: score a finished base, and write its card.

The scores are about held-out names, in trained and in held-out surface forms (`documents.evaluation_set`); the drift
text is held-out novels. The card says what the model is, how it was made, and how often it is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybridmem.metrics import right
from hybridmem.models import prompts
from hybridmem.models.huggingface import HuggingFaceModel
from hybridmem.models.tensors import cross_entropy
from hybridmem.pretraining.documents import Case, evaluation_set
from hybridmem.pretraining.relations import FIRST

CASES = 200
HELD_OUT_NOVELS = Path(__file__).parents[1] / "dreaming" / "general" / "test.txt"
TEMPLATE = Path(__file__).with_name("card_template.md")


def evaluate(model: HuggingFaceModel, seed: int, cases: int = CASES) -> dict[str, tuple[float, float]]:
    """The share of right answers by job: in forms that were trained, and in forms that were not."""
    known, new = (evaluation_set(seed, cases, known_forms=known) for known in (True, False))
    return {job: (_score(model, job, known[job]), _score(model, job, new[job])) for job in known}


def _score(model: HuggingFaceModel, job: str, cases: Sequence[Case]) -> float:
    told = [g.text for g in model.generate([list(c.messages) for c in cases], max_new_tokens=48)]
    if job == "question":
        return _round_trip(model, cases, told)
    return sum(text.strip() == case.expected for text, case in zip(told, cases, strict=True)) / len(cases)


def _round_trip(model: HuggingFaceModel, cases: Sequence[Case], told: Sequence[str]) -> float:
    """The share of generated questions whose answer is the text's value, both as written and as read from the text."""
    pairs = [prompts.parse_question(text) for text in told]
    texts = [case.messages[-1]["content"].partition(": ")[2] for case in cases]
    good = [n for n, pair in enumerate(pairs) if pair and right(pair[1], cases[n].expected)]
    read = model.generate([prompts.answer(pairs[n][0], [texts[n]]) for n in good])  # type: ignore[index]
    return sum(right(g.text, cases[n].expected) for n, g in zip(good, read, strict=True)) / len(cases)


def nats(model: HuggingFaceModel, text: str, tokens: int = 256) -> float:
    """Cross-entropy per token of `text`."""
    ids: list[int] = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return cross_entropy(model, [ids[at : at + tokens] for at in range(0, len(ids) - tokens, tokens)])


def write(
    folder: Path, training: str, scores: dict[str, tuple[float, float]], seed: int, nats_per_token: float
) -> Path:
    """The card of the model in `folder`, as its ``README.md``."""
    model = HuggingFaceModel.load(folder)
    config: Any = model.module.config
    card = folder / "README.md"
    card.write_text(
        TEMPLATE.read_text(encoding="utf-8").format(
            layers=config.num_hidden_layers,
            hidden=config.hidden_size,
            parameters=sum(p.numel() for p in model.module.parameters()),
            vocabulary=config.vocab_size,
            sha256=model.sha256,
            relations=len(FIRST),
            training=training,
            cases=CASES,
            seed=seed,
            scores="\n".join(
                f"| {job.replace('_', ' ')} | {known:.2f} | {new:.2f} |" for job, (known, new) in scores.items()
            ),
            nats=nats_per_token,
            names=", ".join(FIRST) + ".",
        ),
        encoding="utf-8",
    )
    return card


def main() -> None:
    """Read the command line, score, and write the card."""
    parser = argparse.ArgumentParser(prog="python -m hybridmem.pretraining.card", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--training", required=True, help="how it was trained, in a sentence: tokens, minutes, machine")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    model = HuggingFaceModel.load(given.folder)
    scores = evaluate(model, given.seed)
    found = nats(model, HELD_OUT_NOVELS.read_text(encoding="utf-8"))
    write(given.folder, given.training, scores, given.seed, found)
    sys.stdout.write(json.dumps({**scores, "nats": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
