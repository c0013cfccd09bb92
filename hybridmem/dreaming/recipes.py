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

from hybridmem.continual import registry as strategies
from hybridmem.core.errors import InvalidInput
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.models.names import BUNDLED, FAKE
from hybridmem.training.settings import TrainSettings

FOLDER = Path(__file__).parent / "recipes"
DEFAULT, PRETRAINED = "default", "pretrained"
FROM_NOTHING = frozenset({BUNDLED, FAKE})
"""Models that were trained from nothing for the memory jobs: they need more exposures than a pretrained base."""
EXTRACT = ("auto", "propositions", "triples")
"""Ways from episodes to facts."""
_LEAST = {
    "samples": 1, "min_questions": 3, "max_questions": 3, "rank": 1, "alpha": 1, "exposures": 1, "min_steps": 1,
    "max_steps": 1, "new_rows": 1, "general_tokens": 2, "top_k": 1, "max_new_facts": 1,
    "learning_rate": 1e-9, "certain": 1e-9, "questions": 1, "drift_rows": 1, "drift_tokens": 2,
    "calibration_questions": 1, "facts": 1, "candidates": 1,
}  # fmt: skip
"""What a number is at least, where 0 would not do. Three questions are one for each split."""
_FORMER_BOUNDS = {
    "min_learned": "min_learning_accuracy",
    "max_false_answers": "max_false_answer_rise",
    "max_drift": "max_drift_nats",
    "max_stale": "max_stale_answer_rate",
}
"""What recipes of earlier releases call a bound of the gate."""

_RENAMED = {"replay": 'strategy = "replay" or "naive"', "enough": "stop_threshold"}
"""Settings of earlier releases, and how they are written by now."""


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
class EvalSettings:
    """How much a night is asked before it is promoted or refused."""

    questions: int = 400
    """Questions on facts for each split, at most; and a quarter as many that nothing answers."""
    drift_rows: int = 16
    """Rows of general text on which drift is measured, for each split."""
    drift_tokens: int = 128
    """Tokens of each of those rows."""
    calibration_questions: int = 60
    """Audit questions of each kind that the router's heads are fitted on, at most: the newest."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a night must show on the dev split before it is promoted.

    The tables in `dreaming.bounds` say what each bound measures: a name here is `min_` or `max_` and the figure's."""

    min_learning_accuracy: float = 0.7
    max_forgetting: float = 0.15
    max_false_answer_rise: float = 0.15
    min_locality: float = 0.8
    max_drift_nats: float = 0.15
    max_stale_answer_rate: float = 0.1
    max_truth_loss: float = 0.05
    max_new_wrong: float = 0.05
    scales: tuple[float, ...] = (1.0, 0.85, 0.7)
    """Tried in this order; the first that passes is promoted."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole dream's settings."""

    name: str = "default"
    """Recorded in the adapter's card."""
    seed: int = 0
    """Seed of every draw: the same seed, memories and machine give the same adapter."""
    max_new_facts: int = 32
    """New facts for one night; the others wait for the next."""
    max_retired_share: float = 0.5
    """A curation that would retire more of the current facts than this (and more than five) is refused."""
    extract: str = "auto"
    """How episodes become facts: ``propositions`` (self-contained sentences with their moods, and questions that they
    answer), ``triples`` (subject, relation and object at once), or ``auto``: propositions where the reader can."""
    strategy: str = "replay"
    """What a night trains on and against what: the name of a strategy in `hybridmem.continual`."""
    reading: ReadingSettings = field(default_factory=ReadingSettings)
    """The table ``[reading]``."""
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    """The table ``[compose]``."""
    train: TrainSettings = field(default_factory=TrainSettings)
    """The table ``[train]``."""
    eval: EvalSettings = field(default_factory=EvalSettings)
    """The table ``[eval]``."""
    gate: GateSettings | None = field(default_factory=GateSettings)
    """The table ``[gate]``; ``gate = false`` promotes whatever was trained, whatever the strategy."""

    def __post_init__(self) -> None:
        """Raises `InvalidInput` for a way to extract that there is none of."""
        if self.extract not in EXTRACT:
            raise InvalidInput(f"there is no extract = {self.extract!r}: choose of {', '.join(EXTRACT)}")


def load(name: str | Path, model: str | None = None) -> Recipe:
    """The recipe of that name in ``recipes/``, or the TOML file at that path. Raises `InvalidInput`.

    `model` names the base that dreams: ``default`` is another file for a pretrained one than for those that this
    project trained from nothing."""
    if name == DEFAULT and model is not None and model not in FROM_NOTHING:
        name = PRETRAINED
    path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise InvalidInput(f"no recipe {str(name)!r}: choose one of {known}, or give the path of a .toml file")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the recipe {path} is not valid TOML: {error}") from None
    filled: Recipe = _fill(Recipe(name=path.stem), raw, str(path))
    try:
        strategies.get(filled.strategy)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from None
    return filled


def _fill(settings: Any, raw: dict[str, Any], where: str) -> Any:
    """`settings` with the values of `raw`; an unknown name, a value of another type or one that no night can run with
    is an `InvalidInput`."""
    changes: dict[str, Any] = {}
    former = _FORMER_BOUNDS if isinstance(settings, GateSettings) else {}
    for written, value in raw.items():
        key = former.get(written, written)
        if key not in {f.name for f in dataclasses.fields(settings)}:
            now = f", which is now {_RENAMED[key]}" if key in _RENAMED else ""
            raise InvalidInput(f"{where}: unknown setting {key!r}{now}")
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
