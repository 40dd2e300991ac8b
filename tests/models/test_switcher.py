"""Decisions to actions, over a scripted host and memory: what is told, what is loaded, and in which order."""

import itertools
import threading

import pytest
from gearshift.models import Ladder
from gearshift.models.failures import LoadError
from gearshift.models.hosts import Freed
from gearshift.pipeline import Decision, Settings
from gearshift.pipeline.sources import event_time

from tests.models.switching import SIZES, TOTAL, Rig, ScriptedHost, ScriptedNeeds, to

HIGH, CRITICAL = int(0.80 * TOTAL), int(0.92 * TOTAL)


@pytest.mark.parametrize(
    ("external", "before", "decision", "log", "told"),
    [
        (0, None, to("large"), "load large", "shifting None, ready large, loaded"),
        (0, "large", to("medium", "large"), "load medium, unload large", "shifting large, ready medium, handed over"),
        (
            HIGH - 599,  # both don't fit by one byte
            "large",
            to("medium", "large"),
            "unload large, load medium",
            "shifting large, ready medium, handed over",
        ),
        (0, "large", to("medium", "large", immediate=True), "unload large, load medium",
         "shifting large, ready medium, handed over"),
        (0, "small", to("large", "small"), "load large, unload small", "shifting small, ready large, handed over"),
        (HIGH - 400, "small", to("large", "small"), "unload small, load large",
         "shifting small, ready large, handed over"),
        (HIGH - 399, "small", to("large", "small"), "", "shifting small, ready small, skipped"),
        (0, "large", to(None, "large"), "unload large", "shifting large, empty None, unloaded"),
        (0, "large", to("large", "small"), "", "ready large, skipped"),
        (0, None, to(None, None, immediate=True), "", "empty None, skipped"),
        (HIGH - 399, None, to("large"), "", "shifting None, empty None, skipped"),
        (CRITICAL - 50, None, to("small"), "load small", "shifting None, ready small, loaded"),
        (CRITICAL - 49, None, to("small"), "", "shifting None, empty None, skipped"),
        # no room for medium even without large, which is critical: it is left for whatever is decided next
        (CRITICAL - 150, "large", to("medium", "large"), "unload large", "shifting large, empty None, skipped"),
        (CRITICAL - 150, "large", to("medium", "large", immediate=True), "unload large",
         "shifting large, empty None, skipped"),
        (0, "large", to("huge", "large"), "", "shifting large, ready large, huge failed, failed"),
    ],
)  # fmt: skip
def test_a_decision_leads_to(
    ladder: Ladder, external: int, before: str | None, decision: Decision, log: str, told: str
) -> None:
    with Rig(ladder) as rig:
        if before is not None:
            rig.carry_out(to(before))
        rig.fresh()
        rig.host.external = external
        rig.carry_out(decision)
        assert ", ".join(" ".join(entry) for entry in rig.host.log) == log
        assert ", ".join(rig.told) == told
        assert [outcome.decision for outcome in rig.outcomes] == [decision]


@pytest.mark.parametrize("external", range(0, TOTAL, 25))
@pytest.mark.parametrize("immediate", [False, True])
def test_use_during_a_shift_never_passes_its_limit(ladder: Ladder, external: int, immediate: bool) -> None:
    for source, target in itertools.permutations([*SIZES, None], 2):
        with Rig(ladder) as rig:
            if source is not None:
                rig.carry_out(to(source))
            rig.fresh()
            rig.host.external = external
            before = rig.host.used
            decision = to(target, source, immediate=immediate)
            rig.carry_out(decision)
            limit = CRITICAL if target == "small" or decision.kind == "downgrade" else HIGH
            assert rig.host.peak <= max(before, limit), decision


def test_a_planned_downgrade_that_fits_nowhere_leaves_a_rung_only_where_it_is_critical(ladder: Ladder) -> None:
    needs = ScriptedNeeds({"large": 400, "medium": 600, "small": 50})
    with Rig(ladder, needs=needs) as rig:
        rig.carry_out(to("large"))
        rig.host.external = CRITICAL - 401
        rig.carry_out(to("medium", "large"))
        assert rig.switcher.rung == "large" and "limit" in rig.outcomes[-1].reason
        rig.host.external += 1
        rig.carry_out(to("medium", "large"))
        assert rig.switcher.rung is None


def test_the_peak_of_a_load_decides_and_one_that_only_that_forbids_is_set_aside(ladder: Ladder) -> None:
    needs = ScriptedNeeds(peaks={"large": 900, "medium": 300, "small": 50})
    with Rig(ladder, needs=needs) as rig:
        rig.carry_out(to("large"))
        assert rig.told == ["shifting None", "empty None, large failed", "skipped"]
        assert rig.outcomes[0].reason == (
            "large takes up to 0.00 GiB of ram, 0.00 GiB are in use beside it, and the limit is 0.00 GiB of 0.00 GiB"
        )
        rig.carry_out(to("small"))
        rig.host.external = HIGH - 349  # beside small, by one byte too much
        rig.fresh()
        rig.carry_out(to("medium", "small"))
        assert rig.host.log == [("unload", "small"), ("load", "medium")]


def test_what_cannot_be_read_never_permits_a_load(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.host.unreadable = True
        rig.carry_out(to("small"))
        assert rig.outcomes[0].kind == "skipped" and "ram can't be read" in rig.outcomes[0].reason


def test_an_outcome_has_its_bytes_and_its_times(ladder: Ladder) -> None:
    time = itertools.count()
    with Rig(ladder, clock=lambda: float(next(time))) as rig:
        rig.carry_out(to("large"), to("medium", "large", immediate=True))
        loaded, over = rig.outcomes
        assert (loaded.freed, loaded.held) == (Freed(0, 0), {"ram": 400})
        assert (over.freed, over.held) == (Freed(400, 400), {"ram": 200})
        assert over.waited > 0 and over.unload > 0 and over.load > 0
        assert over.waited + over.unload + over.load <= over.seconds < over.time
        told = [residency.time for residency in rig.residencies]
        assert told == sorted(told) and rig.residencies[-1].seconds > 0


def test_what_a_load_was_measured_to_need_is_learned_and_told(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        assert rig.needs.learned == [("large", {"ram": 400})] and rig.residencies[-1].need == {"ram": 401}


@pytest.mark.parametrize(("external", "stays"), [(0, "large"), (HIGH - 500, None)])
def test_a_load_that_runs_out_of_memory_tells_what_it_needs_and_leaves_what_was_loaded_beside_it(
    ladder: Ladder, external: int, stays: str | None
) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.fresh()
        rig.host.external = external
        rig.host.errors["medium"] = LoadError("no memory", out_of_memory=True)
        rig.carry_out(to("medium", "large"))
        last = rig.residencies[-1]
        assert (last.rung, last.failed, last.need) == (stays, "medium", {"ram": 240}) and rig.needs.out == ["medium"]
        assert (rig.outcomes[0].kind, rig.outcomes[0].reason) == ("failed", "no memory")
        with rig.switcher.leased() as lease:
            assert (lease.spec.name if lease else None) == stays


@pytest.mark.parametrize("error", [LoadError("a tensor is missing"), RuntimeError("a bug in the host")])
def test_a_load_that_fails_otherwise_says_so_and_the_next_decision_is_served(ladder: Ladder, error: Exception) -> None:
    with Rig(ladder) as rig:
        rig.host.errors["large"] = error
        rig.carry_out(to("large"), to("medium"))
        assert str(error) in rig.outcomes[0].reason and rig.residencies[1].need == {} and not rig.needs.out
        assert rig.told[1:] == ["empty None, large failed", "failed", "shifting None", "ready medium", "loaded"]


def test_memory_that_comes_back_late_is_waited_for_before_a_load(ladder: Ladder) -> None:
    readings = itertools.count()
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.host.late, rig.host.external = True, HIGH - 450

        def later() -> None:
            if next(readings) == 8:
                rig.host.give_back()

        rig.host.on_read = later
        rig.carry_out(to("medium", "large"))
        assert rig.outcomes[-1].kind == "handed over" and rig.host.peak < CRITICAL and next(readings) > 8


def test_memory_that_never_comes_back_is_waited_for_5_seconds(ladder: Ladder) -> None:
    time = itertools.count(step=0.5)
    with Rig(ladder, clock=lambda: next(time)) as rig:
        rig.carry_out(to("large"))
        rig.host.late, rig.host.external = True, HIGH - 400
        rig.carry_out(to("medium", "large", immediate=True))
        assert rig.outcomes[-1].kind == "skipped" and rig.told[-2] == "empty None"
        assert 5 <= rig.outcomes[-1].unload < 8 and rig.outcomes[-1].freed == Freed(400, 0)


def test_waiting_for_memory_ends_with_an_immediate_decision(ladder: Ladder) -> None:
    with Rig(ladder, clock=lambda: 0.0) as rig:  # five seconds never pass
        rig.carry_out(to("large"))
        rig.host.late, rig.host.external = True, HIGH - 400
        rig.host.reading.clear()
        rig.submit(to("medium", "large", immediate=True))
        assert rig.host.reading.wait(20)
        rig.submit(to(None, "large", immediate=True))
        rig.until(lambda: len(rig.outcomes) == 3)
        assert [outcome.kind for outcome in rig.outcomes] == ["loaded", "superseded", "skipped"]


def test_residencies_and_outcomes_are_told_by_the_clock_of_the_samples(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended = 5e6  # seconds that only CLOCK_BOOTTIME has counted
    now = event_time()
    monkeypatch.setattr("time.clock_gettime", lambda _: now + suspended)
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        assert {told.time for told in [*rig.residencies, *rig.outcomes]} == {event_time()}


def test_the_marker_names_the_best_of_what_is_loaded_and_what_comes(ladder: Ladder) -> None:
    marks: list[str | None] = []
    with Rig(ladder, mark=marks.append) as rig:
        rig.carry_out(to("small"), to("large", "small"), to("medium", "large"))
    assert [mark for mark, _ in itertools.groupby(marks)] == ["small", "large", "medium", None]


def test_a_reading_or_a_marker_that_raises_fails_one_decision_at_most(ladder: Ladder) -> None:
    def broken(rung: str | None) -> None:
        raise RuntimeError(f"no marker for {rung}")

    with Rig(ladder, mark=broken, keep="small") as rig:

        def fail() -> None:
            raise OSError("no reading")

        rig.host.on_read = fail
        rig.carry_out(to("large"))
        assert (rig.outcomes[0].kind, rig.outcomes[0].reason) == ("failed", "OSError: no reading")
        rig.host.on_read = lambda: fail() if rig.host.models else None  # once there is something to keep one beside
        rig.carry_out(to("large"))
        assert rig.outcomes[1].kind == "loaded" and rig.switcher.kept is None
        rig.host.on_read = lambda: None
        rig.carry_out(to("medium", "large"))
        assert (rig.switcher.rung, rig.switcher.kept) == ("medium", "small")


def test_a_subscriber_that_raises_or_submits_stops_nothing(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        follow = threading.Event()

        def bad(_: object) -> None:
            if not follow.is_set():
                follow.set()
                rig.submit(to("medium", "large"))
            raise RuntimeError("an app's mistake")

        rig.switcher.residencies.subscribe(bad)
        rig.submit(to("large"))
        rig.until(lambda: len(rig.outcomes) == 2)
        rig.rest()
        assert rig.switcher.rung == "medium"


@pytest.mark.parametrize(
    ("options", "says"),
    [({"keep": "tiny"}, r"keep must name a rung of the ladder \(large, medium, small\), got keep='tiny'"),
     ({"finish_tokens": 0}, "finish_tokens must be above 0, got finish_tokens=0")],
)  # fmt: skip
def test_what_cannot_be_used_is_named(ladder: Ladder, options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Rig(ladder, ScriptedHost(), settings=Settings(), **options)
