"""Decisions to actions, without a stream of them."""

import threading
import time

import pytest
from gearshift.models import Ladder
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.switcher import Switcher
from gearshift.models.testing import FakeLoader
from gearshift.pipeline import Decision, Reason, Residency
from gearshift.pipeline.sources import event_time


def to(target: str, source: str | None) -> Decision:
    return Decision("upgrade" if source is None else "downgrade", source, target, "planned", 0.0, Reason("forecast"))


@pytest.mark.parametrize("beside", [False, True])
def test_a_superseded_shift_tells_nothing_the_newer_one_tells_how_it_goes_on(ladder: Ladder, beside: bool) -> None:
    told: list[Residency] = []
    draining, done = threading.Event(), threading.Event()
    switcher = Switcher(ladder, InlineHost(load=FakeLoader()), lambda _: beside)

    def keep(residency: Residency) -> None:
        told.append(residency)
        if residency.state == "shifting" and residency.rung == "large":
            draining.set()
        if residency.rung in ("large", "small") and residency.state == "ready":
            done.set()

    try:
        with switcher.residencies.subscribe(keep):
            switcher.submit(to("large", None))
            assert done.wait(10)
            done.clear()
            with switcher.leased():
                switcher.submit(to("medium", "large"))
                assert draining.wait(10)
                switcher.submit(to("small", "large"))
            assert done.wait(10)
    finally:
        switcher.close()
    states = [(r.state, r.rung) for r in told]
    assert states[:2] == [("shifting", None), ("ready", "large")] and ("ready", "small") in states
    assert ("ready", "large") not in states[2:] and ("ready", "medium") not in states


def test_residencies_and_outcomes_are_told_by_the_clock_of_the_samples(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended = 5e6  # seconds that only CLOCK_BOOTTIME has counted
    monkeypatch.setattr("time.clock_gettime", lambda _: time.monotonic() + suspended)
    told: list[Residency] = []
    switcher = Switcher(ladder, InlineHost(load=FakeLoader()), lambda _: False)
    switcher.residencies.subscribe(told.append)
    try:
        before = event_time()
        switcher.submit(to("large", None))
        with switcher.leased():
            assert told
            assert all(before <= residency.time <= event_time() for residency in told)
    finally:
        switcher.close()
