"""The benchmarks by name. What reads them is imported when they are read: a help text names them all."""

from __future__ import annotations

from pathlib import Path

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.conversations.base import Conversation, Suite


def _locomo(path: Path) -> list[Conversation]:
    from hybridmem.evaluation.conversations import locomo

    return locomo.load(path)


def _longmemeval(path: Path) -> list[Conversation]:
    from hybridmem.evaluation.conversations import longmemeval

    return longmemeval.load(path)


def _beam(path: Path) -> list[Conversation]:
    from hybridmem.evaluation.conversations import beam

    return beam.load(path)


LOCOMO = Suite(
    "locomo", "LoCoMo's conversations with their qa lists", "arXiv:2402.17753", "CC BY-NC 4.0", "turn", _locomo
)
LONGMEMEVAL = Suite(
    "longmemeval", "LongMemEval's histories with their questions", "arXiv:2410.10813", "MIT", "session", _longmemeval
)
BEAM = Suite("beam", "BEAM's chats with their probing questions", "arXiv:2510.27246", "CC BY-SA 4.0", "turn", _beam)
SUITES = {each.name: each for each in (LOCOMO, LONGMEMEVAL, BEAM)}


def get(name: str) -> Suite:
    """The suite of that name. Raises `InvalidInput`."""
    if name not in SUITES:
        raise InvalidInput(f"there is no suite {name!r}: choose {', '.join(SUITES)}")
    return SUITES[name]
