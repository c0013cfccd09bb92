"""Precision, recall and F1 of the facts that a model lists, as (subject, relation, object).

>>> fact_scores([[("Mira", "lives in", "Porto"), ("Mira", "likes", "tea")]], [[("Mira", "lives in", "Porto.")]]).f1
0.6666666666666666
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.evaluation.proportion import Proportion, observed_proportion
from hybridmem.metrics import normalised_answer

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FactScores:
    """Of all facts of all texts together."""

    precision: Proportion | None
    """Of the facts listed, those that are stated; None where none was listed."""
    recall: Proportion | None
    """Of the facts stated, those that were listed."""
    f1: float | None


def fact_scores(told: Sequence[Sequence[Triple]], wanted: Sequence[Sequence[Triple]]) -> FactScores:
    """The facts `told` of each text against those `wanted`, all three parts equal once normalised."""
    right = [sum((_counted(said) & _counted(stated)).values()) for said, stated in zip(told, wanted, strict=True)]
    return scores(sum(right), sum(map(len, told)), sum(map(len, wanted)))


def scores(right: int, told: int, wanted: int) -> FactScores:
    """`right` facts among `told` ones, of `wanted` ones."""
    return FactScores(
        precision=observed_proportion([True] * right + [False] * (told - right)),
        recall=observed_proportion([True] * right + [False] * (wanted - right)),
        f1=2 * right / (told + wanted) if told + wanted else None,
    )


def same_facts(told: Sequence[Triple], wanted: Sequence[Triple]) -> bool:
    """Whether both list the same facts, in any order."""
    return _counted(told) == _counted(wanted)


def _counted(triples: Sequence[Triple]) -> Counter[Triple]:
    return Counter((normalised_answer(s), normalised_answer(r), normalised_answer(o)) for s, r, o in triples)
