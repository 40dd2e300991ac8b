"""What a picture is made of."""

from pathlib import Path

from gearshift.pipeline import (
    Decision,
    Mark,
    Pool,
    Reason,
    Recording,
    Residency,
    Rung,
    Sample,
    Settings,
    load,
    simulate,
)
from gearshift.pipeline.lines import Header, Line
from gearshift.pipeline.views.timeline import Stretch, timeline

RECORDINGS = Path(__file__).parents[2] / "recordings"
GIB = 2**30
LADDER = (Rung("large", {"ram": 6 * GIB}), Rung("small", {"ram": 2 * GIB}, 0.5))
DOWN = Decision("downgrade", "large", "small", "planned", 2.0, Reason("forecast"))


def recorded(*lines: Line, ladder: tuple[Rung, ...] = LADDER) -> Recording:
    return Recording(Path("run.jsonl"), "gearshift", lines, header=Header(1, ladder=ladder), skipped=0)


def at(time: float, external: int | None, own: int = 0) -> Sample:
    pool = None if external is None else Pool(10 * GIB, external + own, own)
    return Sample(time, {"ram": pool}, wall=1e9 + time)


def test_a_pool_that_was_not_read_leaves_a_hole() -> None:
    found = timeline(recorded(at(0.0, GIB), at(1.0, None), at(2.0, 2 * GIB)))
    assert found.times == [0.0, 1.0, 2.0] and found.wall == 1e9
    track = found.tracks["ram"]
    assert (track.total, track.external, track.own) == (10 * GIB, [GIB, None, 2 * GIB], [0, None, 0])
    assert track.bound[1] is None


def test_a_pool_that_was_never_read_has_no_track() -> None:
    assert timeline(recorded(at(0.0, None), at(1.0, None))).tracks == {}


def test_stretches_follow_residencies_without_holes_between_them() -> None:
    found = timeline(
        recorded(
            at(0.0, GIB), Residency(1.0, "ready", "large"), at(1.0, GIB), at(2.0, GIB), DOWN,
            Residency(2.5, "shifting", "large"), at(3.0, GIB), Residency(3.5, "ready", "small"), at(4.0, GIB),
        )
    )  # fmt: skip
    assert found.stretches == [
        Stretch(0.0, 1.0, None, "empty"), Stretch(1.0, 2.5, "large", "ready"), Stretch(2.5, 3.5, "large", "shifting"),
        Stretch(3.5, 4.0, "small", "ready"),
    ]  # fmt: skip


def test_a_shift_lasts_from_its_begin_to_the_residency_that_ended_it_and_tells_its_lead() -> None:
    crossing = int(0.8 * 10 * GIB) - 6 * GIB + 1
    found = timeline(
        recorded(
            at(0.0, GIB), Residency(0.5, "ready", "large"), at(2.0, GIB), DOWN,
            Residency(3.5, "ready", "small", seconds=1.0), at(4.0, GIB), at(9.0, crossing),
        )
    )  # fmt: skip
    (shift,) = found.shifts
    assert shift == (DOWN, 2.5, 3.5, 7.0)


def test_the_first_load_is_no_shift() -> None:
    up = Decision("upgrade", None, "large", "planned", 0.0, Reason("fits"))
    found = timeline(recorded(at(0.0, GIB), up, Residency(1.0, "ready", "large", seconds=1.0), at(2.0, GIB)))
    assert found.shifts == [] and found.decisions == [up]


def test_decisions_of_a_dry_run_count_as_carried_out_at_once_and_are_no_shifts() -> None:
    found = timeline(recorded(at(0.0, GIB), at(2.0, GIB), DOWN, at(4.0, GIB)))
    assert found.stretches == [Stretch(0.0, 2.0, None, "empty"), Stretch(2.0, 4.0, "small", "ready")]
    assert found.shifts == []


def test_marks_and_samples_out_of_order() -> None:
    mark = Mark(1.0, "the build begins")
    found = timeline(recorded(at(0.0, GIB), at(5.0, GIB), mark, at(4.0, GIB), at(6.0, GIB)))
    assert found.times == [0.0, 5.0, 6.0] and found.marks == [mark]


def test_bounds_of_a_noisy_pool_are_missed_about_as_often_as_alpha_allows() -> None:
    import random

    noise = random.Random(7)
    run = recorded(*(at(float(t), int((3 + noise.gauss(0, 0.3)) * GIB)) for t in range(6000)))
    misses = timeline(run, Settings(alpha=0.1)).tracks["ram"].misses
    assert misses.share is not None and 0.07 < misses.share < 0.11
    assert len(misses.errors) > 5000


def test_a_simulation_shows_what_it_decided_and_held() -> None:
    ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, 0.7)]
    simulated = simulate(load(RECORDINGS / "leak.jsonl"), ladder, load_time=3.0)
    found = timeline(simulated)
    assert found.name == "gearshift" and found.ladder == tuple(ladder)
    assert found.decisions == list(simulated.decisions) and found.shifts == list(simulated.shifts)
    assert found.times == [moment.time for moment in simulated.timeline]
    assert [s.rung for s in found.stretches if s.state == "ready"] == ["large", "small"]
    assert max(held for held in found.tracks["ram"].own if held is not None) == 18_500_000_000


def test_an_empty_recording_has_an_empty_timeline() -> None:
    found = timeline(recorded())
    assert found.times == [] and found.tracks == {} and found.stretches == []
