"""The latest desired state wins: what becomes of decisions that others overtake, and of the end."""

import random
import threading
from collections import Counter

import pytest
from gearshift.models import Ladder
from gearshift.models.switching.switcher import Outcome
from gearshift.pipeline import Decision
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.switching import RANKS, Rig, ScriptedHost, to


def blocked(rig: Rig, *names: str) -> None:
    for name in names:
        rig.host.gates[name] = threading.Event()


@pytest.mark.parametrize("immediate", [False, True])
@pytest.mark.parametrize("external", [0, 400])
def test_a_load_that_nobody_wants_any_more_is_ended(ladder: Ladder, external: int, immediate: bool) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        blocked(rig, "medium")
        rig.fresh()
        rig.host.external = external
        rig.submit(to("medium", "large"))
        rig.host.loads("medium")
        rig.submit(to("small", "large", immediate=immediate))
        rig.until(lambda: len(rig.outcomes) == 2)
        assert ("cancelled", "medium") in rig.host.log and rig.switcher.rung == "small"
        assert [outcome.kind for outcome in rig.outcomes] == ["superseded", "handed over"]
        assert "failed" not in " ".join(rig.told), "what was called off is no failure"


def test_a_load_beside_that_an_immediate_decision_asks_for_too_begins_anew_once_there_is_room(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        blocked(rig, "medium")
        rig.fresh()
        rig.submit(to("medium", "large"))
        rig.host.loads("medium")
        rig.submit(to("medium", "large", immediate=True))
        rig.until(lambda: rig.outcomes != [])
        rig.host.open("medium")
        rig.until(lambda: len(rig.outcomes) == 2)
        assert [name for name, _ in rig.host.log] == ["load", "cancelled", "unload", "load"]


@pytest.mark.parametrize("immediate", [False, True])
def test_a_load_that_is_wanted_still_goes_on(ladder: Ladder, immediate: bool) -> None:
    with Rig(ladder) as rig:
        blocked(rig, "medium")
        rig.submit(to("medium"))
        rig.host.loads("medium")
        rig.submit(to("medium", immediate=immediate))
        rig.host.open("medium")
        rig.until(lambda: len(rig.outcomes) == 2)
        assert [outcome.kind for outcome in rig.outcomes] == ["loaded", "skipped"]
        assert rig.host.log == [("load", "medium")]


@pytest.mark.parametrize("external", [0, 400])
def test_where_a_load_cannot_be_ended_it_is_given_up_when_it_has_come(ladder: Ladder, external: int) -> None:
    host = ScriptedHost()
    host.deaf = True
    with Rig(ladder, host) as rig:
        rig.carry_out(to("large"))
        blocked(rig, "medium")
        rig.fresh()
        host.external = external
        rig.submit(to("medium", "large"))
        host.loads("medium")
        rig.submit(to("small", "large", immediate=True))
        host.open("medium")
        rig.until(lambda: len(rig.outcomes) == 2)
        assert [outcome.kind for outcome in rig.outcomes] == ["superseded", "handed over"]
        assert rig.switcher.rung == "small" and set(host.models) == {"small"}
        assert {told.rung for told in rig.residencies if told.state == "ready"} == {"small"}


def test_a_shift_that_is_called_off_while_it_drains_leaves_all_as_it_was(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.host.external = 400
        told = threading.Event()
        with rig.switcher.leased() as lease:
            assert lease is not None
            lease.brake.watch(lambda _: told.set())
            rig.submit(to("medium", "large"))
            assert told.wait(20)
            rig.submit(to("large", "medium"))
            rig.until(lambda: len(rig.outcomes) == 3)
        assert rig.told[-2:] == ["ready large", "skipped"] and rig.host.log == [("load", "large")]


def test_of_decisions_that_wait_only_the_latest_is_carried_out_and_each_has_its_outcome(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        blocked(rig, "large")
        decisions = [to("large"), to("medium"), to("small"), to(None), to("large")]
        rig.submit(decisions[0])
        rig.host.loads("large")
        rig.host.deaf = True
        rig.submit(*decisions[1:])
        rig.host.open("large")
        rig.until(lambda: len(rig.outcomes) == 5)
        kinds = [next(o.kind for o in rig.outcomes if o.decision is decision) for decision in decisions]
        assert kinds == ["loaded", "superseded", "superseded", "superseded", "skipped"]


class Crowd:
    """Threads that submit decisions and hold leases, all at once."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self._rig, self._seed, self._start = rig, seed, threading.Barrier(6)
        self.decisions: list[Decision] = []
        self._order = threading.Lock()
        self._done = threading.Event()

    def run(self, each: int) -> None:
        submitting = [threading.Thread(target=self._submit, args=(i, each)) for i in range(4)]
        leasing = [threading.Thread(target=self._lease) for _ in range(2)]
        for thread in [*submitting, *leasing]:
            thread.start()
        for thread in submitting:
            thread.join(60)
        self._done.set()
        for thread in leasing:
            thread.join(60)
        assert not any(thread.is_alive() for thread in [*submitting, *leasing])

    def _submit(self, number: int, each: int) -> None:
        chance = random.Random(100 * self._seed + number)
        self._start.wait(20)
        for _ in range(each):
            target, source = chance.choice(list(RANKS)), chance.choice(list(RANKS))
            decision = to(target, source, immediate=chance.random() < 0.4)
            with self._order:
                self.decisions.append(decision)
                self._rig.submit(decision)
            if chance.random() < 0.1:
                self._rig.rest()

    def _lease(self) -> None:
        self._start.wait(20)
        while not self._done.is_set():
            with self._rig.switcher.leased(timeout=0.01) as lease:
                assert lease is None or not lease.model.closed  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("keep", [None, "small"])
def test_500_decisions_from_4_threads_end_in_the_last_desired_state(
    ladder: Ladder, seed: int, keep: str | None
) -> None:
    with Rig(ladder, keep=keep) as rig:
        crowd = Crowd(rig, seed)
        crowd.run(125)
        rig.rest()
        rig.until(lambda: len(rig.outcomes) == 500)
        assert rig.switcher.rung == crowd.decisions[-1].target
        assert Counter(id(o.decision) for o in rig.outcomes) == Counter(id(d) for d in crowd.decisions)
        assert set(rig.host.models) == {name for name in (rig.switcher.rung, rig.switcher.kept) if name}
        last = rig.residencies[-1]
        assert (last.state, last.rung) == ("ready" if rig.switcher.rung else "empty", rig.switcher.rung)
        times = [told.time for told in rig.residencies]
        assert times == sorted(times)


STEPS = st.lists(
    st.one_of(
        st.builds(to, st.sampled_from(list(RANKS)), st.sampled_from(list(RANKS)), immediate=st.booleans()),
        st.sampled_from(["lose", "fail", "run out", "rest"]),
        st.integers(0, 999),
    ),
    max_size=12,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS, keep=st.sampled_from([None, "small"]))
def test_whatever_happens_each_decision_has_one_outcome_and_what_is_told_is_what_is_loaded(
    ladder: Ladder, steps: list[Decision | str | int], keep: str | None
) -> None:
    from gearshift.models.failures import LoadError

    with Rig(ladder, keep=keep, clock=iter(range(10**9)).__next__) as rig:  # a second each time it is asked
        decisions = []
        for step in steps:
            if isinstance(step, Decision):
                decisions.append(step)
                rig.submit(step)
            elif isinstance(step, int):
                rig.host.external = step
            elif step == "lose":
                for name in list(rig.host.models):
                    rig.host.lose(name)
            elif step == "rest":
                rig.rest()
            else:
                error = LoadError("broken", out_of_memory=step == "run out")
                rig.host.errors = {name: error for name in ("large", "medium", "small")}
        rig.rest()
        rig.until(lambda: rig.switcher.idle)
        ends: list[Outcome] = [outcome for outcome in rig.outcomes if not outcome.lost]
        assert Counter(id(o.decision) for o in ends) == Counter(id(d) for d in decisions)
        assert set(rig.host.models) == {name for name in (rig.switcher.rung, rig.switcher.kept) if name}
        if rig.residencies:
            assert rig.residencies[-1].rung == rig.switcher.rung and rig.residencies[-1].state != "shifting"


@pytest.mark.parametrize("state", ["idle", "empty", "loading", "draining", "handing over", "waiting for memory"])
def test_it_ends_in_any_state_twice_and_from_any_thread(ladder: Ladder, state: str) -> None:
    rig = Rig(ladder, clock=lambda: 0.0)
    held, hurried, go = threading.Event(), threading.Event(), threading.Event()

    def reply() -> None:
        with rig.switcher.leased() as lease:
            assert lease is not None
            lease.brake.watch(lambda brake: go.set() if brake.stopped else hurried.set())
            held.set()
            assert go.wait(20)

    if state != "empty":
        rig.carry_out(to("large"))
    replying = threading.Thread(target=reply)
    if state in ("draining", "handing over"):
        replying.start()
        assert held.wait(20)
    if state == "loading":
        blocked(rig, "medium")
        rig.submit(to("medium", "large"))
        rig.host.loads("medium")
    elif state in ("draining", "handing over"):
        rig.host.external = 400 if state == "draining" else 0
        rig.submit(to("medium", "large"))
        assert hurried.wait(20) and rig.switcher.rung == ("large" if state == "draining" else "medium")
    elif state == "waiting for memory":
        rig.host.late, rig.host.external = True, 400
        rig.host.reading.clear()
        rig.submit(to("medium", "large", immediate=True))
        assert rig.host.reading.wait(20)
    closing = [threading.Thread(target=rig.switcher.close) for _ in range(3)]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join(20)
    if replying.ident is not None:
        replying.join(20)
    assert not any(thread.is_alive() for thread in [*closing, replying, rig.switcher._thread])
    assert not rig.host.models and rig.switcher.rung is None
    rig.submit(to("small"))
    assert rig.switcher.idle
    if state not in ("idle", "empty"):
        assert len(rig.outcomes) == 2


def test_it_can_be_closed_by_its_own_subscriber_and_under_a_lease(ladder: Ladder) -> None:
    rig = Rig(ladder)
    rig.switcher.residencies.subscribe(lambda told: rig.switcher.close() if told.state == "ready" else None)
    rig.submit(to("large"))
    rig.switcher._thread.join(20)
    assert not rig.switcher._thread.is_alive() and not rig.host.models
    assert [outcome.kind for outcome in rig.outcomes] == ["loaded"]

    rig = Rig(ladder)
    rig.carry_out(to("large"))
    with rig.switcher.leased() as lease:
        rig.switcher.close()
        assert lease is not None and lease.brake.stopped and rig.host.models
    rig.switcher.close()
    assert not rig.host.models and not rig.switcher._thread.is_alive()


def test_a_decision_that_waits_at_the_end_is_superseded(ladder: Ladder) -> None:
    rig = Rig(ladder)
    rig.host.deaf = True
    blocked(rig, "large")
    rig.submit(to("large"))
    rig.host.loads("large")
    rig.submit(to("medium"))
    closing = threading.Thread(target=rig.switcher.close)
    closing.start()
    with rig.switcher.leased() as lease:  # comes back once the end has begun
        assert lease is None
    rig.host.open("large")
    closing.join(20)
    assert [outcome.kind for outcome in rig.outcomes] == ["superseded", "superseded"] and not rig.host.models
