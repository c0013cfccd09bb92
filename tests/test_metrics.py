"""The figures against examples worked by hand, and properties that must hold for any numbers."""

from __future__ import annotations

import doctest
import math
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem import metrics
from hybridmem.core.errors import InvalidInput

# Three nights: the first is half forgotten and then recovers a little, the second is kept.
R = [
    [1.0, 0.2, None],
    [0.5, 0.8, 0.1],
    [0.6, 0.8, 0.9],
]
B = [0.0, 0.1, 0.1]

shares = st.floats(0, 1, allow_nan=False)


@st.composite
def matrices(draw, min_nights=1):
    nights = draw(st.integers(min_nights, 6))
    rows = [[draw(shares) if j <= i + 1 else None for j in range(nights)] for i in range(nights)]
    return rows, [draw(shares) for _ in range(nights)]


def test_documentation_examples():
    assert doctest.testmod(metrics).failed == 0


class TestRetentionByHand:
    def test_acc(self):
        assert metrics.acc(R) == pytest.approx((0.6 + 0.8 + 0.9) / 3)

    def test_learning_gain(self):
        assert metrics.learning_gain(R, B) == pytest.approx((1.0 + 0.7 + 0.8) / 3)

    def test_bwt(self):
        assert metrics.bwt(R) == pytest.approx(((0.6 - 1.0) + (0.8 - 0.8)) / 2)

    def test_forgetting_counts_from_the_best_before_the_last_night(self):
        assert metrics.forgetting(R) == pytest.approx(((1.0 - 0.6) + (0.8 - 0.8)) / 2)
        improved = [[0.5, None], [0.9, 1.0]]
        assert metrics.forgetting(improved) == pytest.approx(-0.4)

    def test_fwt_reads_the_cell_before_training(self):
        assert metrics.fwt(R, B) == pytest.approx(((0.2 - 0.1) + (0.1 - 0.1)) / 2)

    def test_by_age(self):
        assert metrics.accuracy_by_age(R) == pytest.approx([(1.0 + 0.8 + 0.9) / 3, (0.5 + 0.8) / 2, 0.6])

    def test_retention(self):
        assert metrics.retention(R, B) == pytest.approx([1.0, (0.5 + 0.7) / (1.0 + 0.7), 0.6])

    def test_half_life_is_linear_between_nights(self):
        fading = [[1.0, None, None], [0.6, None, None], [0.2, None, None]]
        assert metrics.half_life(fading, [0.0, None, None]) == pytest.approx(1.25)

    def test_half_life_is_measured_above_the_base(self):
        fading = [[1.0, None], [0.7, None]]
        assert metrics.half_life(fading, [0.4, None]) == pytest.approx(1.0)

    def test_half_life_is_open_when_nothing_halves_or_nothing_was_learned(self):
        assert metrics.half_life(R, B) is None
        assert metrics.half_life([[0.0, None], [0.0, 0.0]], [0.0, 0.0]) is None

    def test_one_night_has_nothing_to_forget(self):
        assert metrics.acc([[0.7]]) == 0.7
        assert metrics.bwt([[0.7]]) is None
        assert metrics.forgetting([[0.7]]) is None
        assert metrics.fwt([[0.7]], [0.0]) is None

    def test_a_night_whose_facts_are_all_deleted_is_left_out(self):
        holed = [[1.0, None], [None, 0.5]]
        assert metrics.acc(holed) == 0.5
        assert metrics.bwt(holed) is None

    def test_short_rows_are_a_lower_triangle(self):
        assert metrics.acc([[1.0], [0.5, 1.0]]) == 0.75


class TestRetentionProperties:
    @given(matrices())
    def test_bounds(self, measured):
        rows, base = measured
        assert 0 <= metrics.acc(rows) <= 1
        assert -1 <= metrics.learning_gain(rows, base) <= 1

    @given(matrices(min_nights=2))
    def test_forgetting_is_at_least_minus_bwt(self, measured):
        rows, _ = measured
        assert metrics.forgetting(rows) >= -metrics.bwt(rows) - 1e-12

    @given(matrices(min_nights=2))
    def test_a_system_that_never_changes_forgets_nothing(self, measured):
        rows, base = measured
        still = [[base[j] if j <= i + 1 else None for j in range(len(rows))] for i in range(len(rows))]
        assert metrics.bwt(still) == metrics.forgetting(still) == metrics.fwt(still, base) == 0
        assert metrics.learning_gain(still, base) == 0
        assert metrics.half_life(still, base) is None

    @given(matrices(min_nights=2))
    def test_half_life_lies_in_the_nights_measured(self, measured):
        rows, base = measured
        half = metrics.half_life(rows, base)
        assert half is None or 0 < half <= len(rows) - 1

    @given(st.floats(0.05, 0.95), st.integers(2, 40))
    def test_half_life_of_exponential_decay(self, kept, nights):
        rows = [[kept**i, *[None] * (nights - 1)] for i in range(nights)]
        half = metrics.half_life(rows, [0.0, *[None] * (nights - 1)])
        exact = math.log(0.5) / math.log(kept)
        assert (half is None) == (kept ** (nights - 1) > 0.5)
        # The chord of a convex curve lies above it, by less than a night.
        assert half is None or exact - 1e-9 <= half <= math.ceil(exact) + 1e-9


class TestRight:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ("Riga", "Riga"),
            ("riga.", "Riga"),
            ("in Riga", "Riga"),
            ("In the Blue Harbour!", "blue harbour"),
            ("the blue harbour", "Blue Harbour"),
            ("“Blue Harbour”", "Blue Harbour"),
            ("at 14:30", "14:30"),
            ("1,200", "1200"),
            ("QX-4821", "qx4821"),
            ("A", "a"),
            ("on hold", "on hold"),
            ("Zoë’s", "Zoë's"),
        ],
    )
    def test_same(self, answer, expected):
        assert metrics.is_correct(answer, expected)

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ("", "Riga"),
            ("...", "Riga"),
            ("Riga or Oslo", "Riga"),
            ("It is Riga", "Riga"),
            ("not Riga", "Riga"),
            ("not in Riga", "Riga"),
            ("in", "Riga"),
            ("Rig", "Riga"),
            ("hold", "on hold"),
            ("35", "3.5"),
            ("1430", "14:30"),
            ("5", "-5"),
            ("C", "C++"),
            ("C#", "C++"),
            ("blue", "blue harbour"),
            ("harbour blue", "blue harbour"),
            ("Riga Riga", "Riga"),
            ("anything", ""),
        ],
    )
    def test_different(self, answer, expected):
        assert not metrics.is_correct(answer, expected)

    words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)

    @given(words.filter(lambda word: word.lower() not in {"a", "an", "the"}))
    def test_case_article_and_full_stop_never_matter(self, value):
        assert metrics.is_correct(f"The {value.upper()}.", value)

    @given(st.text(string.printable + "éßÅñ’“”…–"))
    def test_normalising_twice_changes_nothing(self, text):
        once = metrics.normalised_answer(text)
        assert metrics.normalised_answer(once) == once

    @given(words, words, words)
    def test_a_sentence_around_the_value_is_wrong(self, before, value, after):
        assert not metrics.is_correct(f"x{before} {value} x{after}", value)


class TestSideEffects:
    def test_locality(self):
        assert metrics.locality(["Paris.", "blue", "I don't know."], ["paris", "red", "I don't know"]) == 2 / 3

    def test_false_answer_rate(self):
        assert metrics.false_answer_rate([True, True, True, False]) == 0.25

    def test_stale_and_deleted_answers(self):
        answers = ["in Riga", "Oslo", "Lodz"]
        assert metrics.stale_answer_rate(answers, [["Riga"], ["Riga"], ["Riga", "Lodz"]]) == 2 / 3
        assert metrics.deleted_answer_rate(answers, [["Riga"], ["Oslo"], ["Bern"]]) == 2 / 3

    def test_a_share_of_nothing_is_refused(self):
        with pytest.raises(InvalidInput, match="at least one question"):
            metrics.false_answer_rate([])

    def test_drift(self):
        assert metrics.drift([2.0, 3.0], [2.0, 2.5]) == pytest.approx(0.25)

    def test_mean_kl(self):
        half, skewed = np.log([[0.5, 0.5]]), np.log([[0.75, 0.25]])
        assert metrics.mean_kl(half, skewed) == pytest.approx(0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25))

    def test_mean_kl_where_the_base_is_certain(self):
        certain = np.array([[0.0, -np.inf]])
        assert metrics.mean_kl(certain, np.log([[0.5, 0.5]])) == pytest.approx(math.log(2))

    @given(st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=2, max_size=2))
    def test_mean_kl_is_zero_of_itself_and_never_negative(self, logits):
        rows = np.array(logits)
        logprobs = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
        assert metrics.mean_kl(logprobs, logprobs) == pytest.approx(0, abs=1e-12)
        assert metrics.mean_kl(logprobs[:1], logprobs[1:]) >= -1e-12


class TestRetrieval:
    def test_recall(self):
        assert metrics.recall_at_k(["a", "b", "c", "d"], {"b", "d"}, 3) == 0.5
        assert metrics.recall_at_k(["a", "a", "b"], {"a"}, 2) == 1

    def test_without_anything_relevant(self):
        with pytest.raises(InvalidInput, match="leave such questions out"):
            metrics.recall_at_k(["a"], [], 1)

    @given(st.lists(st.integers(0, 9).map(str)), st.sets(st.integers(0, 9).map(str), min_size=1), st.integers(1, 12))
    def test_recall_grows_with_k(self, ranked, relevant, k):
        assert 0 <= metrics.recall_at_k(ranked, relevant, k) <= metrics.recall_at_k(ranked, relevant, k + 1) <= 1


class TestCalibration:
    def test_ece_by_hand(self):
        # Two bins of two: |(0.1 + 0.2) - 1| and |(0.8 + 0.9) - 1|, over four.
        assert metrics.ece([0.9, 0.1, 0.8, 0.2], [1, 0, 0, 1], bins=2) == pytest.approx((0.7 + 0.7) / 4)

    def test_ece_of_one_confidence_is_its_gap_in_any_order(self):
        for outcomes in ([1, 0, 0, 0], [0, 0, 1, 0]):
            assert metrics.ece([0.5] * 4, outcomes, bins=4) == pytest.approx(0.25)

    def test_a_few_answers_show_an_error_by_chance_and_many_do_not(self):
        few, many = metrics.ece_of_calibrated([0.8] * 20 + [0.9] * 5, 10), metrics.ece_of_calibrated([0.8] * 5000, 10)
        assert few > 0.05 > 0.02 > many
        assert metrics.ece_of_calibrated([1.0, 0.0], 10) == 0

    @pytest.mark.parametrize(
        ("n", "share", "most"), [(100, 0.05, 10), (20, 0.05, 3), (10, 0.5, 8), (5, 0.999, 5), (0, 0.5, 0)]
    )
    def test_what_chance_allows_is_the_binomial_quantile(self, n, share, most):
        assert metrics.most_by_chance(n, share) == most

    def test_brier_by_hand(self):
        assert metrics.brier([1.0, 0.5], [1, 0]) == pytest.approx(0.125)

    scored = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=40)

    @given(scored, st.integers(1, 20), st.randoms(use_true_random=False))
    def test_ece_does_not_depend_on_the_order(self, answers, bins, random):
        before = metrics.ece(*zip(*answers, strict=True), bins=bins)
        random.shuffle(answers)
        assert metrics.ece(*zip(*answers, strict=True), bins=bins) == pytest.approx(before, abs=1e-9)

    @given(scored, st.integers(1, 20))
    def test_calibration_bounds(self, answers, bins):
        confidence, correct = zip(*answers, strict=True)
        gap = abs(np.mean(confidence) - np.mean(correct))
        assert gap - 1e-9 <= metrics.ece(confidence, correct, bins=bins) <= 1 + 1e-9
        assert 0 <= metrics.brier(confidence, correct) <= 1
        assert metrics.ece(correct, correct, bins=bins) == metrics.brier(correct, correct) == 0

    def test_lengths_must_agree(self):
        with pytest.raises(InvalidInput, match="both must be equal"):
            metrics.brier([0.5], [1, 0])


class TestAnsweringSome:
    # The surest two are right, the next is wrong, and the last two of five questions were not answered at all.
    CONFIDENCE, WRONG = [0.9, 0.8, 0.7], [0, 0, 1]

    def test_by_hand(self):
        points = metrics.risk_coverage(self.CONFIDENCE, self.WRONG, 5)
        assert points == [(0.2, 0.0), (0.4, 0.0), (0.6, pytest.approx(1 / 3))]
        assert metrics.aurc(self.CONFIDENCE, self.WRONG) == pytest.approx(1 / 9)
        assert metrics.augrc(self.CONFIDENCE, self.WRONG, 5) == pytest.approx((0 + 0 + 1 + 1 + 1) / 25)

    def test_wrong_ones_among_equals_count_as_spread_evenly(self):
        assert metrics.risk_coverage([0.5] * 4, [1, 0, 0, 1], 4) == [(k / 4, 0.5) for k in (1, 2, 3, 4)]
        assert metrics.aurc([0.5] * 4, [1, 0, 0, 1]) == 0.5

    scored = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=30)

    @given(scored, st.integers(0, 9), st.randoms(use_true_random=False))
    def test_bounds_and_order(self, answers, silent, random):
        confidence, wrong = zip(*answers, strict=True)
        of = len(answers) + silent
        before = metrics.augrc(confidence, wrong, of), metrics.aurc(confidence, wrong)
        assert -1e-9 <= before[0] <= sum(wrong) / of + 1e-9 and -1e-9 <= before[1] <= 1 + 1e-9
        points = metrics.risk_coverage(confidence, wrong, of)
        assert points[-1] == (pytest.approx(len(answers) / of), pytest.approx(np.mean(wrong)))
        random.shuffle(answers)
        confidence, wrong = zip(*answers, strict=True)
        assert (metrics.augrc(confidence, wrong, of), metrics.aurc(confidence, wrong)) == pytest.approx(
            before, abs=1e-9
        )

    @given(scored)
    def test_no_order_is_better_than_the_wrong_ones_last(self, answers):
        confidence, wrong = zip(*answers, strict=True)
        best = [1.0 - mistake for mistake in wrong]
        assert metrics.aurc(best, wrong) <= metrics.aurc(confidence, wrong) + 1e-9

    def test_more_answers_than_questions(self):
        with pytest.raises(InvalidInput, match="3 answers to 2 questions"):
            metrics.risk_coverage(self.CONFIDENCE, self.WRONG, 2)

    @given(scored, st.integers(1, 12))
    def test_the_bins_of_the_diagram_hold_every_answer(self, answers, bins):
        confidence, right = zip(*answers, strict=True)
        made = metrics.reliability(confidence, right, bins)
        assert sum(each.of for each in made) == len(answers) and len(made) <= bins
        assert [each.confidence for each in made] == sorted(each.confidence for each in made)
        assert sum(each.of * each.accuracy for each in made) == pytest.approx(sum(right))


class TestClusters:
    @given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(0, 9))
    def test_clusters_are_drawn_whole(self, clusters, seed):
        for drawn in metrics.cluster_resamples(clusters, seed=seed, resamples=5):
            counts = np.bincount(drawn, minlength=len(clusters))
            for cluster in set(clusters):
                assert len({counts[place] for place, each in enumerate(clusters) if each == cluster}) == 1

    def test_the_interval_of_answers_that_stand_and_fall_together_is_wider(self):
        marks = np.array([0.0, 1.0] * 50).repeat(4)
        together = [place // 4 for place in range(400)]
        widths = []
        for clusters in (together, list(range(400))):
            resamples = metrics.cluster_resamples(clusters, seed=0, resamples=500)
            low, high = metrics.percentile_interval(marks[drawn].mean() for drawn in resamples)
            widths.append(high - low)
        assert widths[0] == pytest.approx(2 * 1.96 * 0.05, rel=0.15) and widths[1] == pytest.approx(
            widths[0] / 2, rel=0.2
        )

    def test_nothing_to_draw_from(self):
        with pytest.raises(InvalidInput, match="at least one value"):
            metrics.cluster_resamples([], seed=0)
        assert metrics.percentile_interval([None, None]) is None


class TestBootstrap:
    @given(st.lists(st.lists(shares, min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 9))
    def test_within_the_values_and_reproducible(self, groups, seed):
        low, high = metrics.bootstrap_interval(groups, seed=seed, resamples=50)
        values = [value for group in groups for value in group]
        assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
        assert (low, high) == metrics.bootstrap_interval(groups, seed=seed, resamples=50)

    def test_width_is_that_of_the_normal_approximation(self):
        values = [1.0] * 50 + [0.0] * 50
        low, high = metrics.bootstrap_interval([values], seed=0)
        assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
        assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.02)

    def test_nights_are_resampled_apart(self):
        assert metrics.bootstrap_interval([[1.0] * 5, [0.0] * 5, []], seed=0) == (0.5, 0.5)

    def test_without_facts(self):
        with pytest.raises(InvalidInput, match="at least one value"):
            metrics.bootstrap_interval([[]], seed=0)


class TestWilson:
    def test_by_hand(self):
        # p = 0.5, n = 10: centre (0.5 + z²/20) / (1 + z²/10) = 0.5, half z √(0.025 + z²/400) / (1 + z²/10).
        z = 1.959964
        half = z * math.sqrt(0.025 + z * z / 400) / (1 + z * z / 10)
        assert metrics.wilson_interval(5, 10) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)

    def test_the_ends_of_the_scale(self):
        assert metrics.wilson_interval(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
        assert metrics.wilson_interval(10, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)

    @given(st.integers(0, 500), st.integers(0, 500))
    def test_the_share_lies_within(self, successes, failures):
        if successes + failures:
            low, high = metrics.wilson_interval(successes, successes + failures)
            assert 0 <= low <= successes / (successes + failures) <= high <= 1
            assert high - low < 1

    @pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 3), (4, 3)])
    def test_what_is_no_share(self, successes, trials):
        with pytest.raises(InvalidInput):
            metrics.wilson_interval(successes, trials)


class TestBreakEven:
    def test_by_hand(self):
        assert metrics.break_even(60, 0.5, 0.2) == pytest.approx(200)

    def test_weights_that_save_nothing_never_pay(self):
        assert metrics.break_even(60, 0.2, 0.2) is None


# ---- the frontier

points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(points)
def test_the_frontier_is_what_no_other_point_beats(found):
    def beaten(point):
        return any(cost <= point[0] and value >= point[1] and (cost, value) != point for cost, value in found)

    kept = metrics.pareto_frontier(found)
    assert sorted(kept) == [at for at, point in enumerate(found) if not beaten(point)]
    assert [found[at][0] for at in kept] == sorted(found[at][0] for at in kept)
