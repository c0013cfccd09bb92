"""Questions of other memories whose answers are known, as a base heard them: they stand in for a namespace's own while
it has few. One file a base, of figures alone; `lab/pool_questions.py` makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from hybridmem.router.calibration import Calibration, Graded, Observation, fit

FOLDER = "pooled_questions"


@cache
def questions(model: str) -> tuple[Graded, ...]:
    """Those that the base of this name heard; none for another base, whose answers they say nothing about."""
    file = files("hybridmem.router") / FOLDER / f"{model}.json"
    if "/" in model or not file.is_file():
        return ()
    return from_table(json.loads(file.read_text("utf-8")))


@cache
def calibration(model: str) -> Calibration:
    """Of a namespace of this base that was never calibrated."""
    return fit([], pooled=questions(model)) if questions(model) else Calibration()


def to_table(graded: Sequence[Graded]) -> dict[str, Any]:
    """As a file holds them: a row of figures for each answer instead of names again and again."""
    names = sorted(
        {name for each in graded for answer in (each.weights, each.retrieval) if answer for name in answer.features}
    )
    groups = {group: number for number, group in enumerate(dict.fromkeys(each.group for each in graded))}

    def row(answer: Observation | None) -> list[float] | None:
        if answer is None:
            return None
        return [int(answer.right), *(round(answer.features.get(name, 0.0), 2) for name in names)]

    return {
        "signals": names,
        "questions": [[groups[each.group], each.better, row(each.weights), row(each.retrieval)] for each in graded],
    }


def from_table(table: Mapping[str, Any]) -> tuple[Graded, ...]:
    """What `to_table` was given, its figures to two places and its groups numbered."""
    names = table["signals"]

    def answer(row: Sequence[float] | None) -> Observation | None:
        return None if row is None else Observation(dict(zip(names, row[1:], strict=True)), bool(row[0]))

    return tuple(
        Graded(answer(weights), answer(retrieval), better, f"pooled-{group}")
        for group, better, weights, retrieval in table["questions"]
    )
