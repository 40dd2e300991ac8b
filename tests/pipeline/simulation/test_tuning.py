from collections.abc import Sequence

import pytest
from gearshift.pipeline import Settings, simulate
from gearshift.pipeline.simulation.tuning import KEYS, Trial, Tuning, tune

from .scripted import LADDER, ram

# room for the large rung but for a rush in the middle, and for less than five minutes at a time
RUSH = ram([150] * 200 + [500] * 60 + [150] * 200 + [600] * 60 + [150] * 180)


@pytest.fixture(scope="module")
def tuning() -> Tuning:
    return tune(RUSH, LADDER, Settings(), load_time=1.0)


def counts(trial: Trial) -> tuple[float, ...]:
    return (-trial.quality, trial.shifts, trial.above, trial.kills)


def tried(settings: Settings, *fixed: str) -> list[Settings]:
    """All settings of a search, as they are run."""
    seen: list[Settings] = []

    def watch(given: Sequence[Settings]) -> Sequence[Settings]:
        seen.extend(given)
        return given

    assert tune([], LADDER, settings, fixed=fixed, watch=watch).runs == len(seen)
    assert all(seen.count(one) == 1 for one in seen)
    return seen


def test_all_of_the_grid_is_run_and_the_present_settings_too() -> None:
    assert len(tried(Settings())) == 45
    odd = Settings(high=0.77, window=12.0)
    assert tried(odd)[0] == odd and len(tried(odd)) == 46
    assert {s.window for s in tried(odd)} == {12.0}


def test_no_setting_contradicts_itself() -> None:
    assert max(s.high for s in tried(Settings(high=0.7, critical=0.85))) == 0.85


def test_what_is_fixed_stays() -> None:
    assert {s.high for s in tried(Settings(high=0.77), "high", "window")} == {0.77}
    assert len(tried(Settings(high=0.77), "high")) == 9
    assert tried(Settings(high=0.77), *KEYS) == [Settings(high=0.77)]


def test_the_best_are_not_beaten_and_come_in_order(tuning: Tuning) -> None:
    for one in tuning.best:
        for other in (*tuning.best, tuning.present):
            better = [a < b - 1e-4 for a, b in zip(counts(other), counts(one), strict=True)]
            worse = [a > b + 1e-4 for a, b in zip(counts(other), counts(one), strict=True)]
            assert any(worse) or not any(better)
    order = [(trial.kills, -trial.quality) for trial in tuning.best]
    assert order == sorted(order) and len(tuning.best) > 1


def test_the_first_is_at_least_as_good_as_the_present(tuning: Tuning) -> None:
    assert tuning.present.settings == Settings()
    assert tuning.best[0].quality > tuning.present.quality
    assert tuning.best[0].settings.stabilisation in (60.0, "adaptive")


def test_numbers_are_those_of_the_simulation_against_the_critical_ceiling(tuning: Tuning) -> None:
    for trial in (tuning.present, *tuning.best):
        found = simulate(RUSH, LADDER, trial.settings, load_time=1.0, ceiling=Settings().critical)
        assert (trial.quality, trial.shifts, trial.above) == (
            found.effective_quality, len(found.shifts), found.above_seconds,
        )  # fmt: skip


def test_settings_with_one_outcome_are_told_once_with_the_nearest_to_the_present() -> None:
    found = tune(ram([10] * 5), LADDER, Settings())
    assert [(trial.settings, trial.alike) for trial in found.best] == [(Settings(), 44)]
