"""Recipes: every number of a dream, in one frozen value that a TOML file in ``recipes/`` sets.

A recipe and a seed reproduce an adapter; the adapter's card names both.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput

FOLDER = Path(__file__).parent / "recipes"
_LEAST = {
    "samples": 1, "min_questions": 3, "max_questions": 3, "rank": 1, "alpha": 1, "exposures": 1, "min_steps": 1,
    "max_steps": 1, "new_rows": 1, "general_tokens": 2, "top_k": 1, "max_new_facts": 1,
    "learning_rate": 1e-9, "certain": 1e-9,
}  # fmt: skip
"""What a number is at least, where 0 would not do. Three questions are one for each split."""


@dataclass(frozen=True, slots=True)
class ComposeSettings:
    """How exercises are made from a fact's text."""

    samples: int = 16
    """Questions asked of the model for each fact, before those that fail their check are dropped; up to three times as
    many for a fact that gets few."""
    temperature: float = 0.8
    """Of those questions' sampling, at first: 0 would ask one question many times."""
    min_questions: int = 4
    """A fact with fewer sound questions stays with retrieval: it could not be trained and audited apart."""
    max_questions: int = 10
    """Kept of a fact's sound questions: those that the model itself found the most probable."""
    distractors: int = 2
    """Other facts of its subject that stand beside a fact when the model answers its questions for the check."""

    def __post_init__(self) -> None:
        """Raises `InvalidInput` for bounds that no fact can be within."""
        if not 3 <= self.min_questions <= self.max_questions:
            raise InvalidInput(
                f"min_questions {self.min_questions} and max_questions {self.max_questions} fit no fact: "
                f"set the former to 3 or more, and the latter no lower"
            )


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The LoRA adapter (Hu et al. 2021, arXiv:2106.09685), its optimizer, and what a step's rows are."""

    rank: int = 32
    """Of the two matrices that stand beside each weight."""
    alpha: int = 32
    """What the matrices add is scaled by alpha / rank."""
    targets: str = "all-linear"
    """The modules that get them, as PEFT's `target_modules` names them."""
    learning_rate: float = 0.025
    """Muon's (Jordan et al. 2024), at its highest, behind the warmup."""
    momentum: float = 0.9
    """Muon's."""
    weight_decay: float = 0.0
    """On the adapter alone."""
    warmup: float = 0.1
    """Share of the steps with a rising learning rate."""
    exposures: int = 70
    """How often each new fact is seen at most, all its questions together."""
    stop_threshold: float = 0.97
    """Share of a step's closed-book answers that are certain, over three steps, from which on the training only cools
    down; above 1 it runs for all its exposures."""
    min_steps: int = 24
    """Even for a single new fact."""
    max_steps: int = 60
    """However many facts are new: it bounds a night's cost."""
    new_rows: int = 24
    """Rows of a step that are exercises on new facts."""
    old_rows: int = 20
    """Rows that replay older facts."""
    refusal_rows: int = 10
    """Rows whose right answer is "I don't know"."""
    reading_rows: int = 2
    """Rows that answer from memories in their context."""
    general_rows: int = 1
    """Rows of general text, on which the adapted model is held to the base."""
    general_tokens: int = 96
    """Length of each of those."""
    certain: float = 0.9
    """Answer tokens that the student gives at least this probability get no cross-entropy: they are known."""
    distill_weight: float = 0.5
    """Of the teacher's distribution (context distillation) against the cross-entropy on the answer."""
    preserve_weight: float = 1.0
    """Of KL(base || adapted) on general text."""
    top_k: int = 64
    """Teacher probabilities kept for each token; the rest is one tail."""
    bf16: bool = True
    """Whether the training's forward passes run in bfloat16, where the hardware multiplies it; elsewhere float32."""
    checkpoint_seconds: float = 20.0
    """How often the training is saved, so that a killed dream goes on from there."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a night must show on the dev split before it is promoted."""

    min_learned: float = 0.7
    """Mean accuracy on the new facts."""
    max_forgetting: float = 0.15
    """Loss of accuracy on the older facts, against the adapter before."""
    max_false_answers: float = 0.15
    """Rise of the share of unanswerable questions that are answered, against the bare base."""
    min_locality: float = 0.8
    """Share of unrelated answers that are the base's own."""
    max_drift: float = 0.15
    """Nats per token on general text that the adapter costs."""
    max_stale: float = 0.1
    """Share of questions on replaced facts that still get the old value."""
    scales: tuple[float, ...] = (1.0, 0.85, 0.7)
    """Tried in this order; the first that passes is promoted."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole dream's settings."""

    name: str = "default"
    """Recorded in the adapter's card."""
    seed: int = 0
    """Of every draw: the same seed, memories and machine give the same adapter."""
    max_new_facts: int = 32
    """New facts for one night; the others wait for the next."""
    max_retired_share: float = 0.5
    """A curation that would retire more of the current facts than this (and more than five) is refused."""
    replay: bool = True
    """Older facts, refusals, reading and general text beside the new facts; False is naive fine-tuning."""
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    """The table ``[compose]``."""
    train: TrainSettings = field(default_factory=TrainSettings)
    """The table ``[train]``."""
    gate: GateSettings | None = field(default_factory=GateSettings)
    """None promotes whatever was trained, which only a baseline should."""


def load(name: str | Path) -> Recipe:
    """The recipe of that name in ``recipes/``, or the TOML file at that path. Raises `InvalidInput`."""
    path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise InvalidInput(f"no recipe {str(name)!r}: choose one of {known}, or give the path of a .toml file")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the recipe {path} is not valid TOML: {error}") from None
    filled: Recipe = _fill(Recipe(name=path.stem), raw, str(path))
    return filled


def _fill(settings: Any, raw: dict[str, Any], where: str) -> Any:
    """`settings` with the values of `raw`; an unknown name, a value of another type or one that no night can run with
    is an `InvalidInput`."""
    changes: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in {f.name for f in dataclasses.fields(settings)}:
            raise InvalidInput(f"{where}: unknown setting {key!r}")
        before = getattr(settings, key)
        if dataclasses.is_dataclass(before) and isinstance(value, dict):
            changes[key] = _fill(before, value, f"{where} [{key}]")
        elif key == "gate" and value is False:
            changes[key] = None
        elif isinstance(before, tuple) and isinstance(value, list):
            if not value or not all(type(v) in (int, float) and 0 < v <= 1 for v in value):
                raise InvalidInput(f"{where}: {key} takes numbers above 0 and up to 1, not {value!r}")
            changes[key] = tuple(map(float, value))
        elif isinstance(before, float) and type(value) in (int, float):
            changes[key] = float(value)
        elif type(value) is type(before):
            changes[key] = value
        else:
            wanted = f"the table [{key}]" if dataclasses.is_dataclass(before) else f"a {type(before).__name__}"
            raise InvalidInput(f"{where}: {key} takes {wanted}, not {value!r}")
        _check_range(key, changes[key], where)
    try:
        return dataclasses.replace(settings, **changes)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None


def _check_range(key: str, value: Any, where: str) -> None:
    if isinstance(value, (int, float)) and not (
        math.isfinite(value) and (key == "seed" or value >= _LEAST.get(key, 0))
    ):
        raise InvalidInput(f"{where}: {key} takes {_LEAST.get(key, 0)} or more, not {value!r}")
