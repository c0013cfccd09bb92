"""``python -m lab.card FOLDER --training TEXT``: score a finished base, and write its card.

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

from hybridmem.dreaming import general
from hybridmem.evaluation.memory_jobs.case_generator import Case
from hybridmem.evaluation.memory_jobs.evaluation_set import evaluation_set
from hybridmem.evaluation.memory_jobs.relations import load
from hybridmem.evaluation.suites.model.round_trip import QUESTION_TOKENS, round_trips
from hybridmem.evaluation.suites.model.text_loss import text_loss
from hybridmem.models.huggingface.model import HuggingFaceModel

CASES = 200
HELD_OUT_NOVELS = general.FOLDER / "test.txt"
TEMPLATE = Path(__file__).with_name("card_template.md")


def evaluate(model: HuggingFaceModel, seed: int, cases: int = CASES) -> dict[str, tuple[float, float]]:
    """The share of right answers by job: in forms that were trained, and in forms that were not."""
    known, new = (evaluation_set(seed, cases, known_forms=known) for known in (True, False))
    return {job: (_score(model, job, known[job]), _score(model, job, new[job])) for job in known}


def _score(model: HuggingFaceModel, job: str, cases: Sequence[Case]) -> float:
    said = [g.text for g in model.generate([list(c.messages) for c in cases], max_new_tokens=QUESTION_TOKENS)]
    if job == "question":
        texts = [case.messages[-1]["content"].partition(": ")[2] for case in cases]
        marks = round_trips(model, texts, [case.expected for case in cases], said)
    else:
        marks = [text.strip() == case.expected for text, case in zip(said, cases, strict=True)]
    return sum(marks) / len(cases)


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
            relations=len(load()),
            training=training,
            cases=CASES,
            seed=seed,
            scores="\n".join(
                f"| {job.replace('_', ' ')} | {known:.2f} | {new:.2f} |" for job, (known, new) in scores.items()
            ),
            nats=nats_per_token,
            names=", ".join(relation.name for relation in load()) + ".",
        ),
        encoding="utf-8",
    )
    return card


def main() -> None:
    """Read the command line, score, and write the card."""
    parser = argparse.ArgumentParser(prog="python -m lab.card", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--training", required=True, help="how it was trained, in a sentence: tokens, minutes, machine")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    model = HuggingFaceModel.load(given.folder)
    scores = evaluate(model, given.seed)
    found = text_loss(model, HELD_OUT_NOVELS.read_text(encoding="utf-8")).nats_per_token
    write(given.folder, given.training, scores, given.seed, found)
    sys.stdout.write(json.dumps({**scores, "nats": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
