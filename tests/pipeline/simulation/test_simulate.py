import pytest
import reactivex
from gearshift.pipeline import Pool, Rung, Sample, Settings, simulate

from .scripted import LADDER, play, ram, to


def test_break_before_make_leaves_a_gap_that_is_counted_to_the_hundredth() -> None:
    found, policy = play([400] * 11, {0.0: to("large"), 5.0: to("medium", "large")})  # 400 + 500 + 300 is above 800
    assert found.seconds == 10.0
    assert found.time_by_rung == pytest.approx({None: 2 + 2.04, "large": 3.0, "medium": 2.96, "small": 0.0})
    assert found.mean_quality == pytest.approx((3.0 * 4 + 2.96 * 2) / 10)
    assert policy.told == [
        (0.0, "shifting", None, None),
        (2.0, "ready", "large", None),
        (5.0, "shifting", "large", None),
        (7.04, "ready", "medium", None),
    ]
    assert [r.seconds for r in policy.residencies] == pytest.approx([0, 2.0, 0, 2.04])
    assert policy.own == [0, 500, 500, 500, 500, 500, 300, 300, 300, 300, 300]
    assert [(s.began, s.ended) for s in found.shifts] == [(5.0, pytest.approx(7.04))]


def test_make_before_break_answers_all_the_time_and_holds_both() -> None:
    found, policy = play([300] * 11, {0.0: to("medium"), 5.0: to("small", "medium")})
    assert found.time_by_rung == pytest.approx({None: 2.0, "large": 0.0, "medium": 5.0, "small": 3.0})
    assert policy.own == [0, 300, 300, 300, 300, 300, 400, 400, 100, 100, 100]
    assert policy.told[-1] == (7.04, "ready", "small", None)


def test_samples_come_as_a_list_an_iterator_or_an_observable() -> None:
    samples = ram([200] * 30)
    one = simulate(samples, LADDER)
    assert one == simulate(iter(samples), LADDER) == simulate(reactivex.from_iterable(samples), LADDER)
    assert one.time_by_rung["large"] == pytest.approx(29 - 0.5)


def test_nothing_to_simulate() -> None:
    found = simulate([], LADDER)
    assert (found.seconds, found.mean_quality, found.timeline) == (0.0, 0.0, ())


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="ladder must hold at least one rung"):
        simulate([], [])
    with pytest.raises(ValueError, match="rung names must differ"):
        simulate([], [Rung("a", {}), Rung("a", {})])
    with pytest.raises(ValueError, match=r"load_time=-1"):
        simulate([], LADDER, load_time=-1)
    with pytest.raises(ValueError, match=r"kill_after=0"):
        simulate([], LADDER, kill_after=0)
    with pytest.raises(ValueError, match="not on the ladder"):
        play([0, 0], {0.0: to("large").__class__("upgrade", None, "huge", "planned", 0.0, to("large").reason)})


def test_gearshift_steps_down_before_a_leak_gets_there() -> None:
    external = [100] * 60 + [100 + 10 * t for t in range(50)]
    found = simulate(ram(external), LADDER, Settings(), load_time=1.0)
    assert found.kills == 0 and found.overcommit_seconds == 0
    assert found.shifts[0].lead is not None and found.shifts[0].lead > 2
    assert [d.kind for d in found.decisions][:2] == ["upgrade", "downgrade"]


def test_own_of_the_recording_is_no_one_elses() -> None:
    samples = [Sample(float(t), {"ram": Pool(1000, 700, 500)}) for t in range(3)]
    assert simulate(samples, LADDER).timeline[-1].external == {"ram": 200}
