"""Precision, recall and F1 of the facts that a model lists, as (subject, relation, object).

>>> fact_scores([[("Mira", "lives in", "Porto"), ("Mira", "likes", "tea")]], [[("Mira", "lives in", "Porto.")]]).f1
0.6666666666666666
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.metrics import Proportion, normalised_answer, observed_proportion

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class FactScores:
    """Of all facts of all texts together."""

    precision: Proportion | None
    """Of the facts listed, those that are stated; None where none was listed."""
    recall: Proportion | None
    """Of the facts stated, those that were listed."""
    f1: float | None


def fact_scores(listed: Sequence[Sequence[Triple]], wanted: Sequence[Sequence[Triple]]) -> FactScores:
    """The facts `listed` of each text against those `wanted`, all three parts equal once normalised."""
    correct = [sum((_counted(said) & _counted(stated)).values()) for said, stated in zip(listed, wanted, strict=True)]
    return scores(sum(correct), sum(map(len, listed)), sum(map(len, wanted)))


def scores(correct: int, listed: int, wanted: int) -> FactScores:
    """The scores of `correct` facts among `listed` ones, where `wanted` are stated."""
    return FactScores(
        precision=observed_proportion([True] * correct + [False] * (listed - correct)),
        recall=observed_proportion([True] * correct + [False] * (wanted - correct)),
        f1=2 * correct / (listed + wanted) if listed + wanted else None,
    )


def same_facts(listed: Sequence[Triple], wanted: Sequence[Triple]) -> bool:
    """Whether both list the same facts, in any order."""
    return _counted(listed) == _counted(wanted)


def _counted(triples: Sequence[Triple]) -> Counter[Triple]:
    return Counter((normalised_answer(s), normalised_answer(r), normalised_answer(o)) for s, r, o in triples)
