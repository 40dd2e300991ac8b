"""What holds for the decisions in any weather, on any ladder and with any settings."""

import gc
import random
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

from gearshift.pipeline import Decision, Pool, Residency, Sample, Settings, decision_stream, load, record, replayed
from gearshift.pipeline.testing import rungs_of
from hypothesis import given
from hypothesis import settings as examples
from reactivex import Subject

from tests.pipeline.storms import TOTAL, Look, Loop, Storm, decisions_of, gaps_of, storms

many = examples(max_examples=150, derandomize=True)
some = examples(max_examples=40, derandomize=True)
SLACK = 1e-6


@many
@given(storms(asking=False))
def test_use_is_above_the_ceiling_no_longer_than_patience_and_settling_where_a_smaller_rung_can_be_had(
    storm: Storm,
) -> None:
    settings, ladder = storm.settings, storm.ladder
    needs = {rung.name: rung.need["ram"] for rung in ladder}
    most = settings.patience + settings.settle + 2.0
    resident, since, newest = "", None, float("-inf")
    for event in Loop(storm).run():
        if isinstance(event, Residency):
            resident, since = event.rung if event.state == "ready" and event.rung else "", None
        elif isinstance(event, Sample) and event.time >= newest:
            pool, silent = event.pools["ram"], event.time - newest > settings.gap
            newest = event.time
            if pool is None or pool.own > pool.used or not resident or resident == ladder[-1].name:
                since = None
                continue
            above = pool.used > settings.high * TOTAL
            least = pool.external + needs[ladder[-1].name]
            if not above or least >= settings.critical * TOTAL:
                since = None
                continue
            since = event.time if since is None or silent else since
            assert event.time - since <= most + SLACK, (event, resident)


@many
@given(storms())
def test_after_a_shift_down_growth_waits_for_the_stabilisation(storm: Storm) -> None:
    down = float("-inf")
    for decision in decisions_of(Loop(storm).run()):
        if decision.kind != "upgrade":
            down = decision.time
        elif decision.source is not None:
            assert decision.time - down >= storm.settings.stabilisation - SLACK


@many
@given(storms())
def test_a_desired_state_is_told_once_until_what_is_loaded_has_changed(storm: Storm) -> None:
    last: tuple[str | None, str] | None = None
    for event in Loop(storm).run():
        if isinstance(event, Residency) and event.state != "shifting":
            last = None
        elif isinstance(event, Decision):
            assert (event.target, event.urgency) != last
            assert event.target != event.source or event.source is None
            last = event.target, event.urgency


@many
@given(storms())
def test_nothing_grows_on_a_pool_that_is_unknown_or_contradicts_itself_or_soon_after_a_gap(storm: Storm) -> None:
    events = Loop(storm).run()
    gaps = gaps_of([event for event in events if isinstance(event, Sample)], storm.settings.gap)
    seen: Pool | None = None
    for event in events:
        if isinstance(event, Sample):
            seen = event.pools["ram"]
        elif isinstance(event, Decision) and event.kind == "upgrade":
            assert seen is not None and seen.own <= seen.used
            if event.source is not None:
                waited = min((event.time - gap for gap in gaps if gap <= event.time), default=float("inf"))
                assert waited >= storm.settings.stabilisation - SLACK


@many
@given(storms())
def test_shifts_of_an_hour_that_count_are_bounded(storm: Storm) -> None:
    """Growth ends early enough; then only the rungs below are left, and again as many after each recovery."""
    made = decisions_of(Loop(storm).run())
    paid = [d for d in made if d.urgency == "planned" and d.source is not None]
    for first in paid:
        within = [d for d in made if first.time <= d.time < first.time + 3600]
        loads = sum(d.source is None and d.target is not None for d in within)
        count = sum(d in paid for d in within)
        assert count <= max(0, storm.settings.max_shifts_per_hour - 1) + (len(storm.ladder) - 1) * (1 + loads)


@some
@given(storms())
def test_what_is_recorded_live_from_another_thread_is_decided_again(storm: Storm) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"

        def begin(loop: Loop) -> None:
            record(
                loop.samples, path, residencies=loop.residencies, asked=loop.asked, ladder=storm.ladder,
                settings=storm.settings,
            )  # fmt: skip

        loop = Loop(storm, before=begin)
        pushing = threading.Thread(target=lambda: (loop.run(), loop.samples.on_completed()))
        pushing.start()
        pushing.join(60)
        live = decisions_of(loop.events)
        again = load(path)
        assert replayed(again) == live
        assert (len(again.samples), len(again.asked)) == (len(storm.looks), len(loop.events) - _others(loop))


def _others(loop: Loop) -> int:
    return sum(isinstance(event, Sample | Residency | Decision) for event in loop.events)


@examples(max_examples=8, derandomize=True)
@given(storms(asking=False))
def test_a_day_before_in_which_nothing_happened_changes_nothing(storm: Storm) -> None:
    calm = 4000  # seconds: longer than anything is remembered
    then = [Look(float(t), 100) for t in range(calm)]
    then += [look._replace(time=look.time + calm) for look in storm.looks]
    a_day_before = [Look(float(t), 100) for t in range(-86_400, 0, 5)]
    short, long = (
        [d for d in decisions_of(Loop(storm._replace(looks=looks)).run()) if d.time >= calm]
        for looks in (then, a_day_before + then)
    )
    assert short == long


def test_what_is_kept_does_not_grow_with_time() -> None:
    noise = random.Random(5)
    samples, residencies = Subject[Sample](), Subject[Residency]()
    decision_stream(samples, residencies, rungs_of(500, 300, 100), Settings()).subscribe()
    residencies.on_next(Residency(0.0, "ready", "medium"))
    kept: list[int] = []
    for second in range(100_000):
        used = 400 + noise.randint(-90, 90) + 200 * (second % 900 > 600)
        samples.on_next(Sample(float(second), {"ram": Pool(TOTAL, used + 300, 300), "cuda:0": Pool(TOTAL, used)}))
        if second in (10_000, 40_000, 70_000, 99_999):
            gc.collect()
            kept.append(sys.getallocatedblocks())
    assert all(later - earlier < 1000 for earlier, later in pairwise(kept)), kept
