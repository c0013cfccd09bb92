"""Put a trained memory-skills adapter on the shelf: its weights, configuration, card, and what it must go on saying.

python -m lab.shelve_skills runs/skills/best --log runs/skills/log.jsonl

``runs/skills/last`` instead of ``best`` takes the end of the run, with the figures of its last evaluation.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybridmem import models
from hybridmem.core import shelf
from hybridmem.core.hashing import file_sha256
from hybridmem.core.version import VERSION
from hybridmem.models import prompts, smollm2
from hybridmem.models.prompts import Message
from hybridmem.models.spec import ModelSettings
from hybridmem.models.trainable import require_trainable
from lab.skills import natural

LAST = "last"
CONFIG, WEIGHTS, CARD, EXPECTED = "adapter_config.json", "adapter_model.safetensors", "card.json", "expected.json"
MEMORIES = [
    "2026-03-02: Mila's nursery closes at 16:30 on Thursdays now, not 17:30.",
    "2026-03-04: I'm not allergic to peanuts, it's cashews I can't have.",
    "2026-03-05 Jonas: If the audit goes well we might hire two more people.",
]
PROMPTS: list[list[Message]] = [
    prompts.answer("By when must Mila be fetched on a Thursday?", MEMORIES),
    prompts.answer("Which nuts can't I eat?", MEMORIES),
    prompts.answer("Am I allergic to peanuts?", MEMORIES),
    prompts.answer("When does the nursery open?", MEMORIES),
    prompts.answer("Who leads the Heron project?"),
    prompts.question("The staging database is restarted with kubectl rollout restart deploy/ledger-api."),
    prompts.facts("Priya takes over the billing service from Marcus."),
]
"""What the golden file asks: one of each job."""

README = """# Memory skills for SmolLM2-135M-Instruct
A LoRA adapter (rank {rank} on every linear layer, bfloat16, PEFT's layout) that teaches SmolLM2-135M-Instruct
the memory jobs of hybridmem: answering over memories in their own words, refusing what they do not say,
splitting a message into what it states, wishes, reports or denies, asking questions about a statement.
hybridmem merges it into the base; with plain `peft` it loads on the same weights. The prompts are those of
`hybridmem/models/prompts.py` in ChatML without a system message.

Trained by `python -m lab.train_skills` on the {records:,} natural records of `lab/natural` that are not held
out, on the {worlds} worlds of `lab/worlds`, on generated scenes, on paragraphs of SQuAD 1.1 (CC BY-SA 4.0) and
dialogues of the Schema-Guided Dialogue dataset (CC BY-SA 4.0), and on public-domain novels and PEPs: {tokens:,}
tokens, {answers:,} of them predicted, in {steps:,} steps. `card.json` has the settings, the hashes and the
held-out figures; `expected.json` what it must go on saying.

Licences: SmolLM2-135M-Instruct is by Hugging Face (Apache-2.0); its weights are not in this folder. This
adapter is part of hybridmem (Apache-2.0). No text of the data sets is in it as text.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--log", type=Path, required=True)
    given = parser.parse_args(arguments)
    folder = shelf.root() / smollm2.SKILLS
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads((given.adapter / CONFIG).read_text("utf-8"))
    # PEFT writes where the base lay on the machine that trained.
    config |= {"base_model_name_or_path": smollm2.HUB, "target_modules": sorted(config["target_modules"])}
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    shutil.copyfile(given.adapter / WEIGHTS, folder / WEIGHTS)
    figures = trained(given.log, last=given.adapter.name == LAST)
    card = {
        "name": smollm2.SKILLS,
        "base": smollm2.HUB,
        "base_sha256": smollm2.GGUF_SHA256,
        "hybridmem": VERSION,
        "files": {name: file_sha256(folder / name, fresh=True) for name in (CONFIG, WEIGHTS)},
        **figures,
    }
    (folder / CARD).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", "utf-8")
    counts = {name: figures["training"][name] for name in ("records", "worlds", "tokens", "answers", "steps")}
    (folder / "README.md").write_text(README.format(rank=config["r"], **counts), "utf-8")
    cases = golden()
    (folder / EXPECTED).write_text(json.dumps({"cases": cases}, indent=1, ensure_ascii=False) + "\n", "utf-8")


def trained(log: Path, *, last: bool = False) -> dict[str, Any]:
    """The settings of a run, how long it was, and the figures of its best evaluation, or of the last one."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    start = next(line for line in reversed(lines) if line.get("event") == "start")
    evaluations = [line for line in lines if line.get("event") == "evaluation"]
    chosen = evaluations[-1] if last else max(evaluations, key=lambda line: line["mean"])
    counted = max(
        (line for line in lines if line.get("answers") and line["step"] <= chosen["step"]), key=lambda x: x["step"]
    )
    settings = {name: value for name, value in start.items() if name not in {"event", "seconds", "records", "worlds"}}
    held_out = {name: value for name, value in chosen.items() if name not in {"event", "seconds", "step", "tokens"}}
    return {
        "training": {
            "records": start["records"],
            "worlds": start["worlds"],
            "tokens": chosen["tokens"],
            "answers": counted["answers"],
            "steps": chosen["step"],
            "settings": settings,
        },
        "held_out": {"files": sorted(natural.HELD_OUT), "exact": held_out},
    }


def golden() -> list[dict[str, Any]]:
    """For each prompt the greedy completion of the base with its skills, and its tokens' log-probabilities."""
    model = require_trainable(models.load(models.SMOLLM2, ModelSettings(device="cpu", dtype="float32")))
    said = [done.text for done in model.generate(PROMPTS, max_new_tokens=48)]
    return [
        {"prompt": prompt, "said": text, "logprobs": [round(value, 5) for value in values]}
        for prompt, text, values in zip(PROMPTS, said, model.logprobs(PROMPTS, said), strict=True)
    ]


if __name__ == "__main__":
    main()
