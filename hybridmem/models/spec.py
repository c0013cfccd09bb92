"""A model's name with what is chosen for it behind commas: one string for ``--model``, HYBRIDMEM_MODEL and Python.

>>> parse("Qwen/Qwen3-0.6B,quantize=4bit,device=cuda")
('Qwen/Qwen3-0.6B', ModelSettings(device='cuda', dtype=None, quantize='4bit', memory=None, answers=None))
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput

QUANTIZE = ("4bit",)
EXACT = "exact"
INT8 = "int8"
ANSWERS = (INT8, EXACT)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a language model is loaded and trained. Behind its name: ``NAME,dtype=bfloat16,memory=8``."""

    device: str | None = None
    """``cpu``, ``cuda``, ``cuda:1`` or ``mps``; None for the best one here."""
    dtype: str | None = None
    """Of the frozen weights: ``float32``, ``bfloat16`` or ``float16``; None for what suits the device."""
    quantize: str | None = None
    """``4bit`` keeps the frozen linear layers in 4 bits (NF4, Dettmers et al. 2023, arXiv:2305.14314); it needs
    bitsandbytes."""
    memory: float | None = None
    """Gigabytes that a training may take beside the weights; None for what is free."""
    answers: str | None = None
    """``int8`` writes the tokens of an answer behind its first one with the weights in 8 bits, on a CPU, for the
    families Llama, Qwen2 and Qwen3. ``exact``, which None stands for, rounds nothing. What a dream reads, trains and
    judges is exact in any case."""

    def __post_init__(self) -> None:
        """Raises `InvalidInput`."""
        if self.quantize is not None and self.quantize not in QUANTIZE:
            raise InvalidInput(f"there is no quantize={self.quantize}: choose {' or '.join(QUANTIZE)}")
        if self.answers is not None and self.answers not in ANSWERS:
            raise InvalidInput(f"there is no answers={self.answers}: choose {' or '.join(ANSWERS)}")
        if self.answers == INT8 and self.quantize is not None:
            raise InvalidInput(f"answers=int8 is made of whole weights: leave it out, or quantize={self.quantize}")
        if self.memory is not None and not 0 < self.memory < math.inf:
            raise InvalidInput(f"memory={self.memory} is no amount of gigabytes: pass a number above 0")


def parse(name: str | Path, settings: ModelSettings | None = None) -> tuple[str | Path, ModelSettings]:
    """(the name alone, its settings); those in the name win over `settings`.

    A folder whose own name has commas is itself. Raises `InvalidInput`."""
    chosen = settings or ModelSettings()
    if isinstance(name, Path) or "," not in name or Path(name).expanduser().exists():
        return name, chosen
    bare, *options = name.split(",")
    given: dict[str, Any] = {}
    known = [field.name for field in dataclasses.fields(ModelSettings)]
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if key not in known or not equals or not value:
            raise InvalidInput(f"{option.strip()!r} is no option of a model: choose of {'=, '.join(known)}=")
        given[key] = _gigabytes(value) if key == "memory" else value
    return bare.strip(), dataclasses.replace(chosen, **given)


def _gigabytes(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InvalidInput(f"memory={value} is no amount of gigabytes: pass a number above 0") from None
