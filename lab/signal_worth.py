"""What each of the router's signals is worth on the questions that ship with it (`hybridmem/router/pooled_questions`).

    python -m lab.signal_worth bundled smollm2

By head and signal: the Brier score of a head that sees this signal alone, and by how much the score is worse without
it, each with its interval over the facts. Heads are fitted as after a dream, and judge only facts that they did not
see. It is `hybridmem bench router`'s table, without a run.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hybridmem import metrics
from hybridmem.metrics import Cell
from hybridmem.router import pooled
from hybridmem.router.calibration import Graded, Observation, held_out
from hybridmem.router.signals import BIAS, SIGNALS, Head

RESAMPLES = 1000
ALL = frozenset(signal.name for signal in SIGNALS)


class Squares:
    """The squared errors of one head's confidences with only these `signals`: one for each question that it judges."""

    def __init__(self, questions: Sequence[Graded], head: Head, signals: Collection[str]) -> None:
        seen = [
            replace(each, weights=_only(each.weights, signals), retrieval=_only(each.retrieval, signals))
            for each in questions
        ]
        judged = [
            (question.group, answer, heads.confidence(head, answer.features))
            for question, heads in held_out(seen)
            if (answer := getattr(question, head)) is not None
        ]
        self.groups = [group for group, _, _ in judged]
        self.errors: NDArray[np.float64] = np.array([(sure - answer.right) ** 2 for _, answer, sure in judged])


def rows(questions: Sequence[Graded], head: Head) -> list[tuple[str, float, float, tuple[float, float]]]:
    """Signal, Brier score alone, how much worse without it, and the interval of that; the first row is of all signals
    together: its score, and how much worse the bias alone is. Signals that never vary have no row."""
    everything, nothing = Squares(questions, head, ALL), Squares(questions, head, ())
    if not everything.groups:
        return []
    drawn = metrics.cluster_resamples(everything.groups, seed=0, resamples=RESAMPLES)

    def row(name: str, alone: Squares, without: Squares) -> tuple[str, float, float, tuple[float, float]]:
        more = without.errors - everything.errors
        resampled: list[Cell] = [float(more[at].mean()) for at in drawn]
        return (
            name,
            float(alone.errors.mean()),
            float(more.mean()),
            metrics.percentile_interval(resampled) or (0.0, 0.0),
        )

    found = [row("all", everything, nothing)]
    for signal in SIGNALS:
        answers = [answer for each in questions if (answer := getattr(each, head)) is not None]
        if len({answer.features.get(signal.name, 0.0) for answer in answers}) > 1:
            alone, without = (Squares(questions, head, signals) for signals in ({signal.name}, ALL - {signal.name}))
            found.append(row(signal.name, alone, without))
    return found


def _only(answer: Observation | None, signals: Collection[str]) -> Observation | None:
    if answer is None:
        return None
    return replace(answer, features={name: value for name, value in answer.features.items() if name in signals})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    for model in parser.parse_args().models:
        questions = pooled.questions(model)
        for head in BIAS:
            sum(getattr(each, head) is not None for each in questions)
            for _name, _alone, _worth, (_low, _high) in rows(questions, head):
                pass


if __name__ == "__main__":
    main()
