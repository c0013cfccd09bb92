"""The protocols by name."""

from __future__ import annotations

from dataclasses import replace

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.published import reversal, squad, tofu
from hybridmem.evaluation.published.base import Protocol
from hybridmem.evaluation.suites.model import squad_paragraphs

TOFU = Protocol(
    name="tofu",
    summary="invented authors, and on the last night a tenth of them deleted",
    paper="arXiv:2401.06121",
    unit="authors",
    nights=6,
    per_night=3,
    make=lambda path, nights, authors, seed: tofu.stream(path, nights, authors),
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
    make=squad.stream,
    data=squad_paragraphs.FILE.as_posix(),
    licence="CC BY-SA 4.0",
)
REVERSAL = Protocol(
    name="reversal",
    summary='told "A is B", asked "Who is B?"',
    paper="arXiv:2309.12288",
    unit="pairs",
    nights=3,
    per_night=10,
    make=lambda path, nights, pairs, seed: reversal.stream(nights, pairs, seed, reverse=True),
)
REVERSAL_CONTROL = replace(
    REVERSAL,
    name="reversal-control",
    summary="the same sentences, asked in the order that they were told",
    make=lambda path, nights, pairs, seed: reversal.stream(nights, pairs, seed, reverse=False),
)
PROTOCOLS = {each.name: each for each in (TOFU, SQUAD, REVERSAL, REVERSAL_CONTROL)}


def get(name: str) -> Protocol:
    """The protocol of that name. Raises `InvalidInput`."""
    if name not in PROTOCOLS:
        raise InvalidInput(f"there is no protocol {name!r}: choose {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
