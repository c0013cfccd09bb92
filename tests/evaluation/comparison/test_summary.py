"""Seeds taken together, the best rates, and the frontier."""

from __future__ import annotations

import json
import statistics

import pytest

from hybridmem import metrics
from hybridmem.evaluation.comparison.results import TrialResult
from hybridmem.evaluation.comparison.summary import FIGURES, best_rates, frontier, summarise
from hybridmem.evaluation.comparison.trial import Trial, trials
from tests.evaluation.comparison.doubles import STREAM, compared


def result(trial: Trial, acc: float = 0.5, drift: float | None = 0.1, **changed) -> TrialResult:
    """A small one by hand: two nights of two facts."""
    figures = {
        "R": [[1.0, 0.0], [acc, acc]],
        "acc": acc,
        "drift_nats": drift,
        "seconds_per_night": [1.0, 2.0],
        "trained_tokens_per_night": [100, 200],
        "accuracy_by_fact": [{"a": acc, "b": acc}, {"c": acc, "d": acc}],
        "nights": [{"answer_loss_median": None, "answer_loss_mean": None}] * 2,
        **dict.fromkeys(("bwt", "forgetting", "learning_gain", "locality"), 0.0),
        **dict.fromkeys(("false_answer_rate", "stale_answer_rate", "deleted_answer_rate"), None),
    }
    return TrialResult(trial, figures | changed)


def test_seeds_are_taken_together_and_settings_apart():
    made = summarise(
        [result(Trial("replay", 1), 0.6), result(Trial("replay", 0, 0.1), 0.5), result(Trial("replay", 0), 0.8)]
    )
    assert [(each.setting.label, each.seeds) for each in made] == [("replay", (0, 1)), ("replay, lr 0.1", (0,))]
    acc = made[0].figures["acc"]
    assert acc is not None
    assert acc.mean == pytest.approx(0.7)
    assert acc.sd == pytest.approx(statistics.stdev([0.6, 0.8]))
    assert made[0].R[0] == [1.0, 0.0]
    assert made[0].R[1] == pytest.approx([0.7, 0.7])
    alone = made[1].figures["acc"]
    assert alone is not None
    assert alone.sd is None


def test_what_was_measured_nowhere_is_open():
    (made,) = summarise([result(Trial("replay"))])
    assert made.figures["deleted_answer_rate"] is None
    assert made.mean("seconds_fifth_night") is None and made.mean("seconds_last_to_fifth") is None
    assert made.mean("seconds_last_night") == 2.0


def test_the_fifth_night_is_what_the_last_is_set_against():
    seconds = [10.0, 1.0, 1.0, 1.0, 4.0, 6.0]
    (made,) = summarise([result(Trial("replay"), seconds_per_night=seconds)])
    figures = [made.mean(f"seconds_{night}_night") for night in ("first", "fifth", "last")]
    assert figures == [10.0, 4.0, 6.0]
    assert made.mean("seconds_last_to_fifth") == 1.5


def test_the_interval_counts_a_fact_once_whatever_the_number_of_seeds():
    half = [{"a": 1.0, "b": 0.0}, {"c": 1.0, "d": 0.0}]
    (one,) = summarise([result(Trial("replay"), accuracy_by_fact=half)])
    (five,) = summarise([result(Trial("replay", seed), accuracy_by_fact=half) for seed in range(5)])
    assert one.acc_interval == five.acc_interval == metrics.bootstrap_interval([[1.0, 0.0]] * 2, seed=0)
    other = [{"a": 0.0, "b": 1.0}, {"c": 0.0, "d": 1.0}]
    (both,) = summarise([result(Trial("replay", seed), accuracy_by_fact=f) for seed, f in enumerate((half, other))])
    assert both.acc_interval == (0.5, 0.5)


def test_without_facts_there_is_no_interval():
    (made,) = summarise([result(Trial("replay"), accuracy_by_fact=[{}, {}])])
    assert made.acc_interval is None


def test_the_best_rate_keeps_the_most_and_of_equal_ones_drifts_the_least():
    made = summarise(
        [
            result(Trial("replay", learning_rate=0.1), 0.9, 0.3),
            result(Trial("replay", learning_rate=0.2), 0.9, 0.2),
            result(Trial("replay", learning_rate=0.3), 0.8, 0.1),
            result(Trial("replay", learning_rate=0.3, shuffle_labels=True), 0.0),
            result(Trial("naive", learning_rate=0.1), 0.2),
        ]
    )
    assert [each.setting.label for each in best_rates(made)] == [
        "replay, lr 0.2",
        "replay, lr 0.3, shuffled labels",
        "naive, lr 0.1",
    ]


def test_the_frontier_leaves_out_controls_and_what_has_no_weights():
    made = summarise(
        [
            result(Trial("replay"), 0.9, 0.2),
            result(Trial("naive"), 0.5, 0.1),
            result(Trial("lwf"), 0.4, 0.15),
            result(Trial("retrieval"), 1.0, 0.0, trained_tokens_per_night=[0, 0]),
            result(Trial("replay", shuffle_labels=True), 1.0, 0.0),
        ]
    )
    assert [each.setting.label for each in frontier(made)] == ["naive", "replay"]


def test_a_setting_without_a_drift_is_not_on_the_frontier():
    made = summarise([result(Trial("replay"), 0.9, None), result(Trial("naive"), 0.5, 0.1)])
    assert [each.setting.label for each in frontier(made)] == ["naive"]


def test_figures_of_a_lived_stream(tmp_path):
    _, results = compared(tmp_path, *trials(["replay", "naive", "noop"], seeds=[0, 1]))
    made = {each.setting.label: each for each in summarise(results)}
    assert set(made["replay"].figures) == set(FIGURES)
    assert made["replay"].mean("first_night_at_the_end") == 1.0 and made["naive"].mean("first_night_at_the_end") == 0.0
    assert made["naive"].mean("bwt") == -1.0
    assert made["naive"].mean("answer_loss_median") > made["replay"].mean("answer_loss_median")
    assert made["replay"].mean("trained_tokens_a_night") == 350.0
    assert (made["replay"].competes, made["noop"].competes) == (True, False)
    assert len(made["replay"].R) == len(STREAM.nights)
    for each in made.values():
        assert json.loads(json.dumps(each.to_json(), allow_nan=False))["seeds"] == list(each.seeds)
