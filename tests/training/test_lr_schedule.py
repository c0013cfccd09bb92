from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridmem.training.lr_schedule import WINDOW, LrSchedule

SHARES = st.lists(st.floats(0, 1), min_size=160, max_size=160)


def paced(
    most: int, known: list[float], stop_threshold: float = 0.95, least: int = 1
) -> tuple[LrSchedule, list[float]]:
    """A whole training, and the rates of its steps."""
    pace, rates, step = LrSchedule(min(least, most), most, 0.1, stop_threshold), [], 0
    while step < pace.steps:
        rates.append(pace.rate(step))
        pace.observe(step, known[step])
        step += 1
    return pace, rates


@given(most=st.integers(1, 150), known=SHARES, stop_threshold=st.floats(0, 2), least=st.integers(1, 200))
def test_rates_rise_stay_and_fall_and_the_steps_are_bounded(
    most: int, known: list[float], stop_threshold: float, least: int
) -> None:
    pace, rates = paced(most, known, stop_threshold, least)
    assert min(least, most) <= len(rates) == pace.steps <= most
    assert all(0 < rate <= 1 for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_what_is_never_known_takes_all_steps_and_half_of_them_to_cool_down() -> None:
    pace, rates = paced(100, [0.0] * 160)
    assert (pace.cooling, len(rates)) == (50, 100)
    assert rates[10:50] == [1.0] * 40
    assert rates[-1] < 0.03


def test_what_is_known_early_ends_early() -> None:
    pace, rates = paced(100, [0.0] * 20 + [1.0] * 140)
    assert pace.cooling == 20 + WINDOW
    assert len(rates) == 23 + 11


def test_one_lucky_step_is_not_enough() -> None:
    assert paced(100, [0.0] * 20 + [1.0] + [0.0] * 139)[0].cooling == 50


@given(most=st.integers(1, 60), known=SHARES, stop=st.integers(0, 59))
def test_a_pace_that_was_written_down_goes_on_the_same(most: int, known: list[float], stop: int) -> None:
    whole = paced(most, known)[1]
    pace, step = LrSchedule(1, most, 0.1, 0.95), 0
    rates = []
    while step < pace.steps:
        if step == stop:
            pace = LrSchedule.from_json(pace.to_json())
        rates.append(pace.rate(step))
        pace.observe(step, known[step])
        step += 1
    assert rates == whole
