from gearshift.pipeline import Residency, Settings
from gearshift.pipeline.horizons import Horizons

SETTINGS = Settings(horizon=10.0, confirm=2.0, interval=1.0)


def after(*seconds: float, settings: Settings = SETTINGS) -> tuple[float, float, float]:
    """shift, shrink and grow after shifts that took so long."""
    ahead = Horizons(settings)
    for i, took in enumerate(seconds):
        ahead.residency(Residency(float(i), "ready", "small", seconds=took))
    return ahead.shift, ahead.shrink, ahead.grow


def test_before_any_shift_the_setting_counts() -> None:
    assert after() == (10.0, 13.0, 23.0)


def test_shrinking_looks_ahead_one_shift_and_growing_two() -> None:
    assert after(20.0) == (20.0, 23.0, 43.0)
    assert after(20.0, settings=Settings(horizon=10.0, confirm=5.0, interval=0.5)) == (20.0, 25.5, 45.5)


def test_quick_shifts_do_not_shorten_the_setting() -> None:
    assert after(1.0) == after()


def test_the_slowest_of_the_last_five_counts_and_then_is_forgotten() -> None:
    assert after(30.0, *[12.0] * 4)[0] == 30.0
    assert after(30.0, *[12.0] * 5)[0] == 12.0


def test_a_shift_that_a_long_reply_held_up_counts_for_six_times_the_setting() -> None:
    assert after(600.0)[0] == 60.0


def test_what_is_told_again_is_no_other_shift() -> None:
    ahead = Horizons(SETTINGS)
    ahead.residency(Residency(0.0, "ready", "small", seconds=30.0))
    for _ in range(9):
        ahead.residency(Residency(1.0, "ready", "small", seconds=12.0))
    assert ahead.shift == 30.0


def test_what_took_no_time_was_no_shift() -> None:
    assert after(20.0, *[0.0] * 9)[0] == 20.0
