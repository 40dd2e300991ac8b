import math
from pathlib import Path

import pytest
from gearshift.pipeline import Pool, Recording, Rung, Sample, Settings, load, simulate
from gearshift.pipeline.fleet import Course, course
from gearshift.pipeline.simulation import fitted
from gearshift.pipeline.testing import GIB, samples_of
from hypothesis import given
from hypothesis import strategies as st

from .drawn import course_of, courses, stands

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("*.jsonl"))
LADDER = [Rung("large", {"ram": 8 * GIB}), Rung("small", {"ram": 2 * GIB}, quality=0.6)]
AWAY, BACK = stands(None), stands("small")


def ladder_for(samples: list[Sample]) -> list[Rung]:
    total = next(pool.total for sample in samples if (pool := sample.pools["ram"]) is not None)
    return [Rung("large", {"ram": int(0.45 * total)}), Rung("small", {"ram": int(0.1 * total)}, quality=0.6)]


@pytest.mark.parametrize("recording", [load(file) for file in RECORDINGS], ids=[file.stem for file in RECORDINGS])
def test_a_course_has_the_rungs_and_the_readiness_of_the_simulation(recording: Recording) -> None:
    ladder = ladder_for(recording.samples)
    found = course(recording, ladder_for, load_time=2.0)
    there = simulate(recording, ladder, load_time=2.0)
    begin = there.timeline[0].time
    last = {residency.time: residency for residency in there.residencies}
    assert last and found.seconds == there.seconds
    for time, residency in last.items():
        told = found.at(time - begin)
        assert (told.rung, told.ready) == (residency.rung, residency.state == "ready")
    assert len(found.changes) == len(there.decisions) + len(there.residencies)


def test_the_settings_are_fitted_to_slow_samples_as_in_a_simulation() -> None:
    slow = samples_of([GIB] * 60, total=16 * GIB, interval=60.0)
    assert course(slow, LADDER) == course(iter(slow), LADDER, fitted(Settings(), slow))


def test_a_rung_that_is_about_to_be_crowded_out_is_told_before_it_shifts() -> None:
    rising = samples_of([*[GIB] * 60, *(GIB + second * GIB // 12 for second in range(100))], total=16 * GIB)
    found = course(rising, LADDER, load_time=2.0)
    told = [(each.rung, each.ready, each.roomy) for each in found.standings]
    shift = told.index(("large", False, False), 1)
    assert told[0] == (None, False, False) and ("large", True, True) in told[:shift]
    assert ("small", True, True) in told[shift:]


def test_stamps_that_go_back_never_turn_a_course_round() -> None:
    used = [Sample(t, {"ram": Pool(16 * GIB, GIB)}) for t in (0.0, 5.0, 3.0, math.nan, 6.0, 2.0, 9.0)]
    found = course(used, LADDER, load_time=1.0)
    assert list(found.times) == sorted(set(found.times)) and found.seconds == 9.0
    assert found.at(8.0).ready


def test_what_cant_be_played_is_refused() -> None:
    for samples in ([], [Sample(3.0, {"ram": Pool(16 * GIB, GIB)})]):
        with pytest.raises(ValueError, match=r"must last some seconds to be played, got seconds=0.0; leave it out"):
            course(samples, LADDER)
    with pytest.raises(ValueError, match="quality must be at least 0 to be weighed against a wait"):
        course(samples_of([GIB] * 9, total=16 * GIB), [Rung("bad", {}, quality=-1.0)])
    for times in ((), (1.0,), (0.0, 1.0)):
        with pytest.raises(ValueError, match="a course needs a standing for each of its times"):
            Course(9.0, times, (BACK,))


def test_a_course_begins_anew_when_it_has_ended() -> None:
    found = course_of((2, AWAY), (5, BACK), (3, AWAY), changes=(0.0, 2.0, 7.0))
    assert found.seconds == 10.0
    assert [found.at(time).ready for time in (0, 1.9, 2, 6.9, 7, 9.9, 10, 12, 57)] == [0, 0, 1, 1, 0, 0, 0, 1, 0]
    assert [found.ready_from(time)[0] for time in (0, 3, 7, 11, 38, 40)] == [2, 3, 12, 12, 42, 42]
    assert list(found.told(6.0, 23.0)) == [
        (6.0, BACK), (7.0, AWAY), (10.0, AWAY), (12.0, BACK), (17.0, AWAY), (20.0, AWAY), (22.0, BACK),
    ]  # fmt: skip
    assert [found.counted(*span) for span in ((0, 10), (0, 2), (2, 7.5), (5, 45), (7, 7))] == [3, 1, 2, 12, 0]


def test_a_node_that_never_answers_is_waited_for_in_vain() -> None:
    assert course_of((2, AWAY), (1, stands(ready=False))).ready_from(5.0) == (math.inf, None)


@given(courses, st.floats(0, 500))
def test_ready_from_is_the_first_moment_that_is_ready(found: Course, time: float) -> None:
    begins, standing = found.ready_from(time)
    told = list(found.told(time, time + 2 * found.seconds))
    first = next(((at, each) for at, each in told if each.ready), (math.inf, None))
    assert (begins, standing) == (pytest.approx(first[0]), first[1])
