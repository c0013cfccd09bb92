"""How ``hybridmem bench session`` shows what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from hybridmem.cli import output

_SHOWN = ("questions", "right", "f1", "nats", "false", "stale", "deleted")
_COSTS = ("seconds", "processor_seconds", "reading_processor_seconds", "read", "nbytes")


def tables(figures: Mapping[str, Any]) -> list[RenderableType]:
    """The answers of every arm, their costs, the claims, and the conditions."""
    arms = figures["arms"]
    phrasings = list(dict.fromkeys(phrasing for arm in arms for phrasing in arm["by_phrasing"]))
    answers = [
        (arm["arm"], *(_value(arm[name]) for name in _SHOWN), *(arm["by_phrasing"].get(each) for each in phrasings))
        for arm in arms
    ]
    costs = [(arm["arm"], *(arm[name] for name in _COSTS)) for arm in arms]
    claims = [
        (claim["name"], name, *(figure[each] for each in ("value", "low", "high", "of")), claim["held"])
        for claim in figures["claims"]
        for name, figure in claim["figures"]
    ]
    rest = {name: value for name, value in figures.items() if name not in {"arms", "claims"}}
    said = {claim["name"]: claim["text"] for claim in figures["claims"]}
    return [
        output.table(["arm", *(f"#{name}" for name in (*_SHOWN, *phrasings))], answers, "answers"),
        output.table(["arm", *(f"#{name.replace('_', ' ')}" for name in _COSTS)], costs, "costs"),
        output.table(["claim", "figure", "#value", "#low", "#high", "#of", "held"], claims, "claims"),
        output.pairs({**said, **rest}, "run"),
    ]


def _value(figure: Any) -> Any:
    return figure["value"] if isinstance(figure, Mapping) else figure
