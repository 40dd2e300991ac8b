import math

import pytest
from gearshift.pipeline import Pressure, Sample
from gearshift.pipeline.stalls import Stalls

STEPS = pytest.mark.parametrize("step", [0.1, 0.5, 1.0, 5.0])


def sample(time: float, full: float | None, *, alarm: bool | None = None) -> Sample:
    return Sample(time, {}, pressure={} if full is None else {"memory": Pressure(1.0, full)}, alarm=alarm)


def after(step: float, *stretches: tuple[float, float]) -> tuple[Stalls, list[float], list[float]]:
    """What stretches of (seconds, full) lead to: when `update` was true, and when it was `busy`."""
    stalls, over, busy, ends = Stalls(0.1), list[float](), list[float](), 0.0
    stalls.update(sample(0.0, 0.0))
    count = 0
    for seconds, full in stretches:
        ends += seconds
        while (count + 1) * step <= ends + 1e-9:
            count += 1
            if stalls.update(sample(count * step, full)):
                over.append(count * step)
            if stalls.busy:
                busy.append(count * step)
    return stalls, over, busy


@STEPS
def test_averages_are_those_of_the_kernel_however_often_it_is_sampled(step: float) -> None:
    _, over, busy = after(step, (60.0, 0.2))
    # 0.2 × (1 − e^(−t / 10)) passes 0.05 after 2.9 s, and 0.2 × (1 − e^(−t / 60)) after 17.3 s
    assert busy[0] == pytest.approx(math.ceil(10 * math.log(4 / 3) / step) * step)
    assert over[0] == pytest.approx(math.ceil(60 * math.log(4 / 3) / step) * step)
    assert over[-1] == pytest.approx(60.0)


def test_the_minute_must_be_over_half_of_the_limit() -> None:
    assert after(1.0, (5.0, 0.5))[1] == [] != after(1.0, (7.0, 0.5))[1]  # 0.5 × (1 − e^(−t / 60)) > 0.05: 6.3 s


def test_the_ten_seconds_must_be_over_the_limit() -> None:
    assert after(1.0, (900.0, 0.1))[1] == [] != after(1.0, (900.0, 0.11))[1]


@STEPS
def test_stalls_that_are_over_are_falling_from_the_first_sample_on(step: float) -> None:
    _, over, _ = after(step, (60.0, 0.5), (60.0, 0.0))
    assert over[-1] == pytest.approx(60.0)


@STEPS
def test_stalls_that_lessen_slowly_are_not_falling(step: float) -> None:
    _, over, _ = after(step, (60.0, 0.5), (60.0, 0.45))
    assert over[-1] == pytest.approx(120.0)


def test_it_is_busy_until_the_ten_seconds_are_under_half_of_the_limit() -> None:
    _, _, busy = after(1.0, (100.0, 0.5), (60.0, 0.0))  # 0.5 × e^(−t / 10) > 0.05: 23.02 s
    assert busy[-1] == 123.0


def test_an_alarm_counts_for_one_sample() -> None:
    for full in (None, 0.0):
        stalls = Stalls(0.1)
        assert [stalls.update(sample(float(t), full, alarm=t == 1)) for t in range(3)] == [False, True, False]
        assert not stalls.busy


def test_without_pressure_information_there_is_nothing_to_tell() -> None:
    stalls = Stalls(0.1)
    assert not any(stalls.update(sample(float(t), None)) for t in range(90))


def test_a_time_that_goes_back_adds_nothing() -> None:
    stalls, over, _ = after(1.0, (17.0, 0.2))
    assert over == []
    assert [stalls.update(sample(time, 1.0)) for time in (17.0, 3.0, 3.0)] == [False] * 3
