"""What each of the router's signals adds: alone, and left out, with the heads refitted each time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridmem import metrics
from hybridmem.evaluation.routing.figures import Answers, Places, everywhere
from hybridmem.evaluation.routing.outcome import Outcome
from hybridmem.evaluation.routing.policies import of_part
from hybridmem.evaluation.routing.refitting import ALL, heard_by, refitted, replayed
from hybridmem.metrics import Cell
from hybridmem.router.calibration import Calibration
from hybridmem.router.signals import SIGNALS


class _Squares:
    """The squared errors of the heads' confidences, summed for each question: of none, of one answer or of two."""

    def __init__(self, calibration: Calibration, outcomes: Sequence[Outcome], signals: Collection[str]) -> None:
        self.sums: NDArray[np.float64] = np.zeros(len(outcomes))
        self.counts: NDArray[np.float64] = np.zeros(len(outcomes))
        for place, outcome in enumerate(outcomes):
            for head, heard in heard_by(outcome, signals).items():
                if not heard.refuses:
                    right = outcome.question.is_right(heard.said.text, False)
                    self.sums[place] += (heard.judged(calibration, head).confidence - right) ** 2
                    self.counts[place] += 1

    def brier(self, at: Places) -> Cell:
        """Of the heads over all answers that they judge, whichever of them the router would give."""
        count = self.counts[at].sum()
        return float(self.sums[at].sum() / count) if count else None


def signal_worth(outcomes: Sequence[Outcome], resamples: Sequence[Places]) -> list[dict[str, Any]]:
    """One row for each signal, after one for all of them together and one for none (each head's bias alone).

    The heads are refitted on the part `fit` for each row. `dev` and `test` hold the Brier score of the heads and the
    accuracy of the router with them. `worth` is by how much the score on a part is worse without the signal; on `test`
    with its interval over `resamples` of that part. A signal is `kept` where it is worth something on `dev`."""
    fit, parts = of_part(outcomes, "fit"), {"dev": of_part(outcomes, "dev"), "test": of_part(outcomes, "test")}

    def judged(signals: Collection[str]) -> tuple[dict[str, _Squares], dict[str, dict[str, Cell]]]:
        calibration = refitted(fit, signals)
        squares = {part: _Squares(calibration, asked, signals) for part, asked in parts.items()}
        told = {
            part: {
                "brier": squares[part].brier(everywhere(asked)),
                "accuracy": Answers.of(lambda outcome: replayed(outcome, calibration, signals), asked).figure(
                    "accuracy", everywhere(asked)
                ),
            }
            for part, asked in parts.items()
        }
        return squares, told

    everything, of_all = judged(ALL)
    rows: list[dict[str, Any]] = [{"signal": "all", **of_all}, {"signal": "none", **judged(frozenset())[1]}]
    for signal in SIGNALS:
        without, left_out = judged(ALL - {signal.name})

        def worth(part: str, at: Places, without: dict[str, _Squares] = without) -> Cell:
            one, other = without[part].brier(at), everything[part].brier(at)
            return None if one is None or other is None else one - other

        on_dev = worth("dev", everywhere(parts["dev"]))
        interval = metrics.percentile_interval(worth("test", drawn) for drawn in resamples)
        rows.append(
            {
                "signal": signal.name,
                "what": signal.text,
                "varies": _varies(signal.name, outcomes),
                "alone": judged({signal.name})[1],
                "left_out": left_out,
                "worth": {
                    "dev": on_dev,
                    "test": worth("test", everywhere(parts["test"])),
                    "low": interval[0] if interval else None,
                    "high": interval[1] if interval else None,
                },
                "kept": on_dev is not None and on_dev > 0,
            }
        )
    return rows


def _varies(signal: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether a head ever sees two values of it: one that is always the same says nothing on this base."""
    seen: dict[str, set[float]] = {}
    for outcome in outcomes:
        for head, heard in heard_by(outcome).items():
            if not heard.refuses:
                seen.setdefault(head, set()).add(heard.features[signal])
    return any(len(values) > 1 for values in seen.values())
