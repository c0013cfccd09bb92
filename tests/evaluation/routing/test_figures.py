"""A way's figures: by hand, by kind, and with intervals over facts."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from hybridmem import metrics
from hybridmem.core.records import to_json
from hybridmem.evaluation.routing.figures import (
    FIGURES,
    Answers,
    by_kind,
    curve,
    diagram,
    difference,
    everywhere,
    figures,
)
from hybridmem.evaluation.routing.outcome import Outcome, Said
from hybridmem.evaluation.routing.signal_worth import signal_worth
from hybridmem.router.signals import SIGNALS
from tests.evaluation.routing.outcomes import heard, outcome, question, said
from tests.evaluation.routing.test_policies import drawn


def way(name: str, asked: Outcome) -> Said:
    return asked.said[name]


ROUTER = partial(way, "router")
ASKED = [
    outcome(question(fact="a"), {"router": said("Riga", 0.9, 10)}),
    outcome(question(fact="a", kind="paraphrase"), {"router": said("In Riga.", 0.8, 20)}),
    outcome(question(fact="b", stale=("Oslo",)), {"router": said("Oslo", 0.7, 30)}),
    outcome(question(fact="c", stale=("Oslo",)), {"router": said(None, 0.6, 40)}),
    outcome(question(fact="d", answer=None, deleted=("Cork",)), {"router": said("Cork", 0.5, 50, None)}),
    outcome(question(fact="e", answer=None, quarantined=("Lyon",)), {"router": said("Bonn", 0.4, 60)}),
    outcome(question(fact="f", answer=None, kind="small talk"), {"router": said(None, 1.0, 0)}),
    outcome(question(fact="g", answer=None, deleted=("Turku",)), {"router": said(None, 1.0, 0)}),
]


def test_by_hand() -> None:
    answers = Answers.of(ROUTER, ASKED)
    found = figures(answers, ASKED, [])
    expected = {
        "accuracy": 4 / 8,
        "answered_right": 2 / 4,
        "coverage": 5 / 8,
        "risk": 3 / 5,
        "wrong_rate": 3 / 8,
        "false_answer_rate": 2 / 4,
        "stale_answer_rate": 1 / 2,
        "deleted_answer_rate": 1 / 2,
        "quarantined_answer_rate": 0 / 1,
        "aurc": (0 + 0 + 1 / 3 + 2 / 4 + 3 / 5) / 5,
        "augrc": (0 + 0 + 1 + 2 + 3 + 3 + 3 + 3) / 64,
        "ece": (0.1 + 0.2 + 0.7 + 0.5 + 0.4) / 5,
        "brier": (0.1**2 + 0.2**2 + 0.7**2 + 0.5**2 + 0.4**2) / 5,
    }
    assert set(expected) == set(FIGURES)
    assert {name: found[name]["value"] for name in FIGURES} == pytest.approx(expected)
    assert found["prompt_tokens"] == 210 / 8
    assert found["seconds_p50"] == 0.5 and found["accuracy"]["low"] is None
    assert curve(answers)[-1] == pytest.approx((5 / 8, 3 / 5))
    assert sum(each.of for each in diagram(answers)) == 5
    kinds = by_kind(answers, ASKED)
    assert (kinds["paraphrase"], kinds["small talk"], kinds["two-hop"]) == (1.0, 1.0, None)


def test_a_way_that_never_answers_has_no_risk_and_no_curve() -> None:
    answers = Answers.of(partial(way, "weights"), ASKED)
    found = figures(answers, ASKED, [everywhere(ASKED)])
    assert found["coverage"]["value"] == 0 and found["false_answer_rate"]["value"] == 0
    assert all(found[name]["value"] is None for name in ("risk", "aurc", "augrc", "ece", "brier"))
    assert curve(answers) == [] and diagram(answers) == []


def test_a_difference_is_of_the_same_questions_in_every_resample() -> None:
    answers = Answers.of(ROUTER, ASKED)
    resamples = metrics.cluster_resamples([each.cluster for each in ASKED], seed=1, resamples=50)
    same = difference(answers, answers, "accuracy", everywhere(ASKED), resamples)
    assert same == {"value": 0.0, "low": 0.0, "high": 0.0}
    silent = Answers.of(partial(way, "weights"), ASKED)
    more = difference(answers, silent, "accuracy", everywhere(ASKED), resamples)
    assert more["value"] == pytest.approx(0.0) and more["low"] < 0 < more["high"]


def test_one_cluster_is_one_fact_of_one_seed() -> None:
    assert ASKED[0].cluster == ASKED[1].cluster != ASKED[2].cluster
    assert outcome(seed=1).cluster != outcome(seed=2).cluster


def test_outcomes_come_back_from_json_as_they_were() -> None:
    asked = outcome(question(stale=("Oslo",)), weights=heard("Riga"), closed_book=heard(None), popularity=3)
    assert Outcome.from_json(json.loads(json.dumps(asked.to_json()))) == asked


def test_the_signal_that_decides_is_worth_most_and_one_that_never_varies_nothing() -> None:
    asked = [*drawn(0, 200, "fit"), *drawn(1, 100, "dev"), *drawn(2, 200, "test")]
    test = [each for each in asked if each.question.part == "test"]
    resamples = metrics.cluster_resamples([each.cluster for each in test], seed=0, resamples=50)
    rows = {row["signal"]: row for row in signal_worth(asked, resamples)}
    assert list(rows) == ["all", "none", *(signal.name for signal in SIGNALS)]
    worth = {name: row["worth"]["test"] for name, row in rows.items() if "worth" in row}
    assert max(worth, key=worth.__getitem__) == "certainty" and worth["certainty"] > 0.02
    assert rows["certainty"]["kept"] and rows["certainty"]["varies"] and rows["certainty"]["worth"]["low"] > 0
    assert rows["rival"]["varies"] is False and rows["rival"]["worth"]["test"] == pytest.approx(0.0)
    assert rows["certainty"]["alone"]["test"]["brier"] < rows["none"]["test"]["brier"]
    assert rows["certainty"]["left_out"]["test"]["brier"] > rows["all"]["test"]["brier"]
    json.dumps(to_json(list(rows.values())))
    assert np.isfinite([row["worth"]["low"] for row in rows.values() if "worth" in row]).all()
