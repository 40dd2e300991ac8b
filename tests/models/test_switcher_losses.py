"""Rungs that are lost, and one that is kept loaded for the worst moment."""

import threading

import pytest
from gearshift.models import Ladder
from gearshift.models.failures import LoadError
from gearshift.models.replies.generation import Options, Written
from gearshift.pipeline import Decision

from tests.models.switching import Rig, to


def test_a_rung_that_is_lost_is_told_and_its_replies_go_elsewhere(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        decision = to("large")
        rig.carry_out(decision)
        with rig.switcher.leased() as lease:
            assert lease is not None
            rig.fresh()
            rig.host.lose("large", "killed by signal 9")
            assert lease.brake.stopped and rig.switcher.rung is None
        rig.until(lambda: rig.outcomes != [])
        assert rig.told == ["empty None, large failed", "failed"]
        lost = rig.outcomes[0]
        assert lost.decision is decision and lost.lost and lost.reason == "large was lost: killed by signal 9"
        rig.carry_out(to("medium"))
        assert rig.switcher.rung == "medium"


def test_the_last_rung_is_tried_again_at_once_unless_it_was_lost_within_a_minute(ladder: Ladder) -> None:
    now = [0.0]
    with Rig(ladder, clock=lambda: now[0]) as rig:
        told = []
        for time in (0.0, 59.0, 120.0):
            rig.carry_out(to("small"))
            rig.fresh()
            now[0] = time
            rig.host.lose("small")
            rig.until(lambda: rig.outcomes != [])
            told.append(rig.residencies[0].failed)
        assert told == [None, "small", None]


def test_a_rung_that_is_lost_while_it_loads_has_failed_to_load(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.host.gates["large"] = threading.Event()
        rig.submit(to("large"))
        rig.host.loads("large")
        rig.host.lose("large", "killed")
        rig.host.open("large")
        rig.until(lambda: rig.outcomes != [])
        assert rig.told == ["shifting None", "empty None, large failed", "failed"]
        assert rig.outcomes[0].reason == "it was lost as soon as it was loaded: killed" and not rig.outcomes[0].lost
        rig.carry_out(to("large"))
        assert rig.switcher.rung == "large", "an old loss is not held against a new load"


LOST_ON_THE_WAY = ["shifting large", "shifting medium, large failed", "failed", "ready medium", "handed over"]


def test_a_loss_while_the_next_rung_loads_beside_it_does_not_stop_the_shift(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.host.gates["medium"] = threading.Event()
        rig.fresh()
        rig.submit(to("medium", "large"))
        rig.host.loads("medium")
        rig.host.lose("large")
        rig.host.open("medium")
        rig.until(lambda: len(rig.outcomes) == 2)
        assert rig.told == LOST_ON_THE_WAY
        assert [outcome.lost for outcome in rig.outcomes] == [True, False] and set(rig.host.models) == {"medium"}


def test_a_loss_while_a_reply_is_waited_for_does_not_stop_the_shift(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        rig.fresh()
        rig.host.external = 400
        wound = threading.Event()
        with rig.switcher.leased() as lease:
            assert lease is not None
            lease.brake.watch(lambda _: wound.set())
            rig.submit(to("medium", "large"))
            assert wound.wait(20)
            rig.host.lose("large")
            assert lease.brake.stopped
        rig.until(lambda: len(rig.outcomes) == 2)
        assert rig.told == LOST_ON_THE_WAY and rig.host.log == [("unload", "large"), ("load", "medium")]


def test_a_loss_of_what_a_reply_is_still_drained_from_is_no_failure_of_the_shift(ladder: Ladder) -> None:
    with Rig(ladder) as rig:
        rig.carry_out(to("large"))
        wound = threading.Event()
        with rig.switcher.leased() as lease:
            assert lease is not None
            lease.brake.watch(lambda _: wound.set())
            rig.submit(to("medium", "large"))
            assert wound.wait(20)
            rig.host.lose("large")
            assert lease.brake.stopped
        rig.until(lambda: len(rig.outcomes) == 2)
        assert rig.told[2:] == ["loaded", "shifting large", "ready medium", "handed over"]


def test_what_is_kept_is_loaded_beside_once_and_shifting_to_and_fro_takes_no_load_of_it(ladder: Ladder) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.carry_out(to("large"))
        assert rig.host.log == [("load", "large"), ("load", "small")] and rig.switcher.kept == "small"
        rig.fresh()
        rig.carry_out(to("small", "large", immediate=True), to("large", "small"), to("medium", "large"))
        assert rig.host.log == [("unload", "large"), ("load", "large"), ("load", "medium"), ("unload", "large")]
        assert [outcome.kind for outcome in rig.outcomes] == ["handed over"] * 3 and rig.outcomes[0].load == 0
        rig.carry_out(to(None, "medium", immediate=True))
        assert not rig.host.models and rig.switcher.kept is None


@pytest.mark.parametrize(("external", "kept"), [(350, "small"), (351, None)])
def test_what_is_kept_is_loaded_only_where_it_fits(ladder: Ladder, external: int, kept: str | None) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.host.external = external
        rig.carry_out(to("large"))
        assert rig.switcher.kept == kept


def test_growth_that_fits_only_without_what_is_kept_takes_its_place_and_a_downgrade_does_not(ladder: Ladder) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.carry_out(to("medium"))
        rig.host.external = 400
        rig.carry_out(to("large", "medium"))
        assert (rig.switcher.rung, rig.switcher.kept) == ("large", None)
        rig.host.external = 0
        rig.carry_out(to("medium", "large"))
        assert rig.switcher.kept == "small"
        rig.carry_out(to("large", "medium"))
        rig.host.external = 700  # 50 + 200 more would be critical
        rig.fresh()
        rig.carry_out(to("medium", "large", immediate=True))
        assert rig.host.log == [("unload", "large")] and rig.told[-2:] == ["ready small", "skipped"]


def test_a_reply_goes_on_with_what_is_kept_while_the_next_rung_is_loaded(ladder: Ladder) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.carry_out(to("large"))
        rig.host.gates["medium"] = threading.Event()
        rig.submit(to("medium", "large", immediate=True))
        rig.host.loads("medium")
        with rig.switcher.leased() as lease:
            assert lease is not None and lease.spec.name == "small"
            rig.host.open("medium")
            rig.until(lambda: len(rig.outcomes) == 2)
            assert rig.switcher.rung == "medium" and not lease.brake.stopped and lease.brake.left is None


def test_what_is_kept_answers_at_once_when_the_rung_that_did_is_lost_or_does_not_load(ladder: Ladder) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.carry_out(to("large"))
        rig.fresh()
        rig.host.lose("large")
        assert rig.switcher.rung == "small"
        rig.until(lambda: rig.outcomes != [])
        assert rig.told == ["ready small, large failed", "failed"] and rig.host.log == [("unload", "large")]
        rig.host.errors["medium"] = LoadError("broken")
        rig.carry_out(to("medium", "small"))
        assert rig.told[-2:] == ["ready small, medium failed", "failed"]


@pytest.mark.parametrize("how", ["lost", "failed", "out of memory"])
def test_what_is_kept_is_tried_again_at_the_next_shift(ladder: Ladder, how: str) -> None:
    with Rig(ladder, keep="small") as rig:
        if how != "lost":
            rig.host.errors["small"] = LoadError("broken", out_of_memory=how != "failed")
        rig.carry_out(to("large"))
        if how == "lost":
            rig.fresh()
            rig.host.lose("small")
            rig.rest()
            assert rig.told == [] and rig.switcher.rung == "large"
        assert rig.switcher.kept is None and rig.needs.out == (["small"] if how == "out of memory" else [])
        rig.carry_out(to("medium", "large"))
        assert rig.switcher.kept == "small"


@pytest.mark.parametrize("decision", [to("medium", "large"), to("small", "large")])
def test_a_decision_ends_the_load_of_what_is_to_be_kept_unless_it_wants_just_that(
    ladder: Ladder, decision: Decision
) -> None:
    with Rig(ladder, keep="small") as rig:
        rig.host.gates["small"] = threading.Event()
        rig.submit(to("large"))
        rig.host.loads("small")
        assert [outcome.kind for outcome in rig.outcomes] == ["loaded"] and not rig.switcher.idle
        with rig.switcher.leased() as lease:
            assert lease is not None
            assert lease.model.generate([{"role": "user", "content": "Hi"}], "", Options(max_new_tokens=1),
                                        lambda _: None, lease.brake) == Written("length", 1, 1, 0.0, 0.0)  # fmt: skip
        rig.submit(decision)
        if decision.target == "medium":
            rig.until(lambda: ("cancelled", "small") in rig.host.log)
        rig.host.open("small")
        rig.until(lambda: len(rig.outcomes) == 2)
        rig.rest()
        assert rig.outcomes[1].kind == "handed over" and rig.switcher.kept == "small"
        assert rig.host.log.count(("load", "small")) == (2 if decision.target == "medium" else 1)
