"""Replies hold what answers; shifts wait for them, wind them up, or stop them."""

import threading

import pytest
from gearshift.models import Ladder
from gearshift.models.switching.switcher import Lease

from tests.models.switching import Rig, to


class Reply(threading.Thread):
    """Holds a lease until it is let go."""

    def __init__(self, rig: Rig, timeout: float | None = None) -> None:
        super().__init__(daemon=True)
        self._rig, self._timeout = rig, timeout
        self.held, self.go = threading.Event(), threading.Event()
        self.lease: Lease | None = None
        self.start()

    def run(self) -> None:
        with self._rig.switcher.leased(self._timeout) as self.lease:
            self.held.set()
            assert self.go.wait(20)

    def has(self) -> str | None:
        assert self.held.wait(20)
        return self.lease.spec.name if self.lease is not None else None

    def end(self) -> None:
        self.go.set()
        self.join(20)
        assert not self.is_alive()

    def told(self) -> tuple[bool, int | None]:
        assert self.lease is not None
        return self.lease.brake.stopped, self.lease.brake.left


def changed(reply: Reply) -> threading.Event:
    """Set as soon as the reply is told to end."""
    event = threading.Event()
    assert reply.lease is not None
    reply.lease.brake.watch(lambda _: event.set())
    return event


@pytest.mark.parametrize(
    ("source", "target", "immediate", "told"),
    [("large", "medium", False, (False, 9)), ("large", "medium", True, (True, None)),
     ("large", None, False, (False, 9)), ("large", None, True, (True, None))],
)  # fmt: skip
@pytest.mark.parametrize("external", [0, 400])  # room for both, or not
def test_a_reply_in_progress_is_told_and_waited_for(
    ladder: Ladder, external: int, source: str, target: str | None, immediate: bool, told: tuple[bool, int | None]
) -> None:
    with Rig(ladder, finish_tokens=9) as rig:
        rig.carry_out(to(source))
        reply = Reply(rig)
        assert reply.has() == source
        rig.host.external = external
        event = changed(reply)
        rig.submit(to(target, source, immediate=immediate))
        assert event.wait(20) and reply.told() == told
        assert ("unload", source) not in rig.host.log
        reply.end()
        rig.until(lambda: len(rig.outcomes) == 2)
        rig.rest()
        assert ("unload", source) in rig.host.log and rig.switcher.rung == target


def test_growth_lets_replies_run_to_their_own_end(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("small"))
        reply = Reply(rig)
        assert reply.has() == "small"
        rig.submit(to("large", "small"))
        after = Reply(rig)
        while after.has() == "small":
            after.end()
            after = Reply(rig)
        assert after.has() == "large" and reply.told() == (False, None)
        assert rig.host.log[-1] == ("load", "large")
        after.end()
        reply.end()


def test_with_both_loaded_new_replies_go_to_the_new_rung_without_waiting_for_old_ones(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        old = Reply(rig)
        assert old.has() == "large"
        event = changed(old)
        rig.submit(to("medium", "large"))
        assert event.wait(20)
        new = Reply(rig)
        assert new.has() == "medium" and not rig.switcher.idle
        old.end()
        new.end()


def test_without_room_for_both_new_replies_wait_and_then_go_to_the_new_rung(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        old = Reply(rig)
        assert old.has() == "large"
        event = changed(old)
        rig.host.external = 400
        rig.submit(to("medium", "large"))
        assert event.wait(20)
        with rig.switcher.leased(timeout=0.0) as none:
            assert none is None
        new = [Reply(rig) for _ in range(8)]
        assert not any(reply.held.is_set() for reply in new)
        old.end()
        assert {reply.has() for reply in new} == {"medium"}
        for reply in new:
            reply.end()


def test_while_it_loads_beside_what_answers_replies_go_on(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.host.gates["medium"] = threading.Event()
        rig.submit(to("medium", "large"))
        rig.host.loads("medium")
        with rig.switcher.leased(timeout=0.0) as lease:
            assert lease is not None and lease.spec.name == "large" and lease.brake.left is None


def test_several_replies_hold_one_model_and_the_last_of_them_lets_it_go(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        replies = [Reply(rig) for _ in range(5)]
        assert {reply.has() for reply in replies} == {"large"}
        event = changed(replies[-1])
        rig.submit(to(None, "large", immediate=True))
        assert event.wait(20)
        for reply in replies:
            assert rig.host.models
            reply.end()
        rig.until(lambda: len(rig.outcomes) == 2)


def test_there_is_no_lease_when_nothing_is_loaded_or_comes_and_none_after_the_end(ladder: Ladder) -> None:
    rig = Rig(ladder)
    with rig.switcher.leased() as lease:
        assert lease is None
    rig.carry_out(to("large"))
    rig.switcher.close()
    with rig.switcher.leased() as lease:
        assert lease is None


def test_a_lease_waits_for_the_first_load_and_not_for_one_that_failed(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.host.gates["large"] = threading.Event()
        rig.host.errors["large"] = RuntimeError("broken")
        rig.submit(to("large"))
        rig.host.loads("large")
        waiting = Reply(rig)
        assert not waiting.held.is_set()
        rig.host.open("large")
        assert waiting.has() is None
        waiting.end()


def test_one_that_gives_up_waiting_holds_nothing(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.host.gates["large"] = threading.Event()
        rig.submit(to("large"))
        with rig.switcher.leased(timeout=0.01) as lease:
            assert lease is None
        rig.host.open("large")
        rig.until(lambda: len(rig.outcomes) == 1)
        rig.carry_out(to(None, "large"))


def test_a_reply_that_raises_gives_its_lease_back(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        with pytest.raises(RuntimeError, match="an app's mistake"), rig.switcher.leased():
            raise RuntimeError("an app's mistake")
        rig.carry_out(to(None, "large"))
        assert not rig.host.models
