"""The ways to answer: thresholds that are fitted and chosen, the oracle, and the router with other heads."""

from __future__ import annotations

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.evaluation.routing.outcome import Outcome, Said
from hybridmem.evaluation.routing.policies import (
    ORACLE,
    REFITTED,
    accuracy,
    certainty,
    fitted,
    oracle,
    policies,
    popularity,
)
from hybridmem.evaluation.routing.promise import RISKS, promises
from hybridmem.evaluation.routing.refitting import ALL, graded, refitted, replayed
from hybridmem.router.calibration import Calibration
from hybridmem.router.risk import MOST_ABOVE
from tests.evaluation.routing.outcomes import heard, outcome, question, said

ANSWERS = st.sampled_from(["Riga", "Oslo", None])


def known_to_the_weights(at_least: int, count: int = 40, part: str = "fit") -> list[Outcome]:
    """The weights are right about what is told often, retrieval about the rest."""
    return [
        outcome(
            question(part=part, fact=f"f{number}"),
            {
                "weights": said("Riga" if number % 10 >= at_least else "Oslo", tokens=5, seconds=1.0),
                "retrieval": said("Riga" if number % 10 < at_least else "Oslo", tokens=50, seconds=2.0),
            },
            closed_book=heard("Riga", entropy=1.0 - number % 10 / 10),
            popularity=number % 10,
        )
        for number in range(count)
    ]


def test_a_threshold_is_found_where_the_weights_begin_to_be_right() -> None:
    fit, dev = known_to_the_weights(4), known_to_the_weights(4, part="dev")
    for score in (popularity, certainty):
        policy = fitted(score, fit, dev, asks_first=False)
        assert accuracy(policy, dev) == 1.0
        assert {policy(each).text for each in dev} == {"Riga"}


def test_of_what_is_best_on_fit_dev_chooses() -> None:
    fit = [*known_to_the_weights(4), *known_to_the_weights(5)]
    policy = fitted(popularity, fit, known_to_the_weights(5, part="dev"), asks_first=False)
    assert policy.threshold == 5
    assert fitted(popularity, fit, known_to_the_weights(4, part="dev"), asks_first=False).threshold == 4


def test_a_score_that_is_known_only_once_the_weights_were_asked_costs_both() -> None:
    fit = known_to_the_weights(4)
    read = next(each for each in fit if each.popularity == 0)
    found = fitted(certainty, fit, fit, asks_first=True)(read)
    assert (found.text, found.prompt_tokens, found.seconds) == ("Riga", 55, 3.0)
    assert fitted(popularity, fit, fit, asks_first=False)(read).prompt_tokens == 50


def test_weights_that_refuse_or_may_not_be_asked_give_way_to_retrieval() -> None:
    fit = known_to_the_weights(0)
    policy = fitted(certainty, fit, fit, asks_first=True)
    for silent in (None, heard(None, entropy=0.0)):
        asked = outcome(ways={"weights": said("Riga"), "retrieval": said("Oslo")}, closed_book=silent)
        assert certainty(asked) == -math.inf
        assert policy(asked).text == "Oslo"


@given(ANSWERS, ANSWERS, ANSWERS, st.sampled_from(["Riga", None]))
def test_the_oracle_is_right_wherever_a_route_is(
    weights: str | None, retrieval: str | None, both: str | None, answer: str | None
) -> None:
    ways = {"weights": said(weights, tokens=5), "retrieval": said(retrieval, tokens=50), "both": said(both, tokens=55)}
    asked = outcome(question(answer=answer), ways)
    right = [each for each in ways.values() if asked.is_right(each)]
    assert asked.is_right(oracle(asked)) == (bool(right) or answer is None)
    if answer is None:
        assert oracle(asked).prompt_tokens == 0
    elif right:
        assert oracle(asked).prompt_tokens == min(each.prompt_tokens for each in right)
    else:
        assert oracle(asked).refused


def drawn(seed: int, count: int, part: str) -> list[Outcome]:
    """The weights are right where they are certain, and asked of one question in two."""
    chance = Random(seed)
    made = []
    for number in range(count):
        certain = chance.uniform(-1, 1)
        weights = heard("Riga" if certain > 0 else "Oslo", certainty=certain) if number % 2 else None
        memories = heard(chance.choice(["Riga", None]), certainty=0.5, tokens=50)
        made.append(outcome(question(part=part, fact=f"f{number}"), weights=weights, memories=memories))
    return made


def test_refusals_are_no_observations_and_an_answer_to_what_nothing_answers_is_wrong() -> None:
    asked = [
        outcome(question(answer=None), weights=heard("Riga"), memories=heard(None)),
        outcome(weights=heard("Riga"), memories=heard("Oslo")),
    ]
    known = graded(asked)
    assert [each.weights.right for each in known if each.weights] == [False, True]
    assert [each.retrieval.right for each in known if each.retrieval] == [False]


def test_a_signal_that_is_left_out_is_as_if_it_were_not() -> None:
    fit = drawn(0, 200, "fit")
    without = refitted(fit, ALL - {"certainty"})
    answers = {replayed(each, without, ALL - {"certainty"}).confidence for each in fit if each.weights is None}
    assert len({round(value, 9) for value in answers}) <= 2  # an answer's, and a refusal's
    sure = refitted(fit)
    right = [each for each in fit if each.weights]
    wrong = [
        sum(not said.refused and not each.is_right(said) for each in right for said in [replayed(each, heads, signals)])
        for heads, signals in ((sure, ALL), (without, ALL - {"certainty"}))
    ]
    assert wrong[0] < wrong[1] / 2


def test_a_named_risk_is_kept_and_a_shift_is_seen_by_feedback_alone() -> None:
    """Certain answers are right while something answers; what nothing answers is answered as surely."""
    chance, asked = Random(0), []
    for number in range(600):
        known = number % 2 == 0
        sure = 0.8 if chance.random() < 0.9 else -0.9
        asked.append(
            outcome(
                question(
                    part=("fit", "test", "dev")[number // 2 % 3], fact=f"f{number}", answer="Riga" if known else None
                ),
                memories=heard("Riga" if sure > 0 else "Oslo", certainty=sure),
            )
        )
    rows = {(row["risk"], row["stream"], row["feedback"]): row for row in promises(asked)}
    assert all(rows[risk, "alike", given]["holds"] for risk in RISKS for given in (False, True))
    for risk in (0.05, 0.1):
        without, told = (rows[risk, "shifting", given] for given in (False, True))
        assert told["wrong"] < without["wrong"] and not without["holds"]
        assert told["wrong"] <= risk * told["asked"] + MOST_ABOVE + 1


def test_a_replay_reads_no_memories_where_the_weights_are_sure() -> None:
    sure = Calibration(threshold=0.5)
    asked = outcome(
        weights=heard("Riga", audited=1.0, certainty=1.0, names_subject=1.0, spread=1.0),
        memories=heard("Oslo", tokens=50),
    )
    found = replayed(asked, sure)
    assert (found.route, found.text, found.prompt_tokens, found.seconds) == ("weights", "Riga", 10, None)
    unsure = replayed(outcome(weights=heard("Riga"), memories=heard("Riga", tokens=50)), sure)
    assert (unsure.route, unsure.prompt_tokens) == ("both", 60)
    assert replayed(outcome(), sure).refused


def test_every_way_answers_every_question() -> None:
    asked = [*drawn(0, 60, "fit"), *drawn(1, 30, "dev"), *drawn(2, 60, "test")]
    ways = policies(asked)
    assert list(ways) == [
        "router", REFITTED, "weights", "retrieval", "both", "full context", "abstain", "popularity threshold",
        "entropy threshold", ORACLE,
    ]  # fmt: skip
    for way in ways.values():
        assert all(isinstance(way(each), Said) for each in asked)
    assert accuracy(ways["abstain"], asked) == 0.0


def test_no_fitting_sees_the_test() -> None:
    asked = [*drawn(0, 60, "fit"), *drawn(1, 30, "dev")]
    one, other = (policies([*asked, *drawn(seed, 60, "test")]) for seed in (2, 3))
    for name in (REFITTED, "popularity threshold", "entropy threshold"):
        assert [one[name](each) for each in asked] == [other[name](each) for each in asked]
