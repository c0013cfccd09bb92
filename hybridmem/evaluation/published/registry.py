"""The protocols by name. What makes them is imported when they are made: a help text names them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.published.base import Protocol

if TYPE_CHECKING:
    from hybridmem.evaluation.stream import Stream


def _tofu(path: Path, nights: int, authors: int, seed: int) -> Stream:
    from hybridmem.evaluation.published import tofu

    return tofu.stream(path, nights, authors)


def _squad(path: Path, nights: int, passages: int, seed: int) -> Stream:
    from hybridmem.evaluation.published import squad

    return squad.stream(path, nights, passages, seed)


def _reversal(path: Path, nights: int, pairs: int, seed: int) -> Stream:
    from hybridmem.evaluation.published import reversal

    return reversal.stream(nights, pairs, seed, reverse=True)


def _reversal_control(path: Path, nights: int, pairs: int, seed: int) -> Stream:
    from hybridmem.evaluation.published import reversal

    return reversal.stream(nights, pairs, seed, reverse=False)


TOFU = Protocol(
    name="tofu",
    summary="invented authors, and on the last night a tenth of them deleted",
    paper="arXiv:2401.06121",
    unit="authors",
    nights=6,
    per_night=3,
    make=_tofu,
    data="tofu_dev/tofu_dev.jsonl",
    licence="MIT",
)
SQUAD = Protocol(
    name="squad",
    summary="SEAL's passages, asked without the passage",
    paper="arXiv:2506.10943",
    unit="passages",
    nights=8,
    per_night=1,
    make=_squad,
    data="squad_dev/squad_dev.json",
    licence="CC BY-SA 4.0",
)
REVERSAL = Protocol(
    name="reversal",
    summary='told "A is B", asked "Who is B?"',
    paper="arXiv:2309.12288",
    unit="pairs",
    nights=3,
    per_night=10,
    make=_reversal,
)
REVERSAL_CONTROL = replace(
    REVERSAL,
    name="reversal-control",
    summary="the same sentences, asked in the order that they were told",
    make=_reversal_control,
)
PROTOCOLS = {each.name: each for each in (TOFU, SQUAD, REVERSAL, REVERSAL_CONTROL)}


def get(name: str) -> Protocol:
    """The protocol of that name. Raises `InvalidInput`."""
    if name not in PROTOCOLS:
        raise InvalidInput(f"there is no protocol {name!r}: choose {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
