"""A dry run loads a rung, tells what a real run would do, and does nothing more."""

from typing import Any

import pytest
from gearshift.models import Ladder
from gearshift.models.switching.first_load import FirstLoad
from gearshift.models.testing import FakeModels
from gearshift.pipeline import Decision, Pool, Reason, Residency, Sample

from tests.models.machine import FOUR, TOTAL, Machine, shortage


def load(target: str | None) -> Decision:
    return Decision("upgrade" if target else "shed", None, target, "planned", 0.0, Reason("recovered"))


def test_one_load_is_carried_out_until_it_is_known_to_have_failed() -> None:
    first = FirstLoad()
    assert not first.acts_on(load(None)) and first.acts_on(load("large")) and not first.acts_on(load("medium"))
    first.saw(Residency(1.0, "shifting"))
    assert not first.acts_on(load("medium"))
    first.saw(Residency(2.0, "empty", failed="large"))
    assert first.acts_on(load("medium"))
    first.saw(Residency(3.0, "ready", "medium"))
    assert not first.acts_on(load("large"))


class Dry(Machine):
    """A dry run: samples show what is really loaded, as a machine would."""

    dry_run = True


def test_a_dry_run_loads_once_and_then_only_tells(ladder: Ladder, caplog: pytest.LogCaptureFixture) -> None:
    machine = Dry(ladder)
    made: list[Any] = []
    machine.manager.decisions.subscribe(made.append)
    with caplog.at_level("INFO", "gearshift.pipeline"):
        machine.load()
        machine.push(shortage(machine, "small") + int(0.12 * TOTAL), seconds=10)
        machine.push(int(0.99 * TOTAL), seconds=10)
        assert machine.manager.respond("Hi", options=FOUR).rungs == ("large",)
    kinds = [(d.kind, d.target) for d in made]
    assert kinds[0] == ("upgrade", "large") and kinds[-1] == ("shed", None) and len(kinds) == len(set(kinds))
    assert sum(machine.manager.scaler.counts.values()) == len(made)
    assert [record.message for record in caplog.records] == [f"dry run: {d.explain()}" for d in made]
    assert [o.kind for o in machine.outcomes] == ["loaded"] and machine.notices == []
    assert [model.spec.name for model in machine.loader.loaded] == ["large"] and machine.manager.rung == "large"
    machine.manager.shutdown()


def test_a_dry_run_tries_the_next_rung_when_the_first_does_not_load(ladder: Ladder) -> None:
    machine = Dry(ladder, FakeModels(broken=("large",)))
    machine.push(0)
    machine.until(lambda: [o.kind for o in machine.outcomes] == ["failed"])
    machine.push(0)
    machine.until(lambda: machine.outcomes[-1].kind == "loaded")
    machine.push(shortage(machine, "small") + int(0.12 * TOTAL), seconds=10)
    assert machine.manager.respond("Hi", options=FOUR).rung == "medium"
    assert sum(machine.manager.scaler.counts.values()) > 2
    machine.manager.shutdown()


def test_a_reply_of_a_dry_run_is_checked_on_the_rung_that_would_write_it(ladder: Ladder) -> None:
    machine = Dry(ladder, high=1.0, critical=1.0, confirm=60.0)
    machine.load()
    external = TOTAL - machine.needs["large"] + (1 << 20)
    machine.source.on_next(Sample(2.0, {"ram": Pool(TOTAL, external)}, interval=60.0))
    for _ in range(3):
        assert machine.manager.respond("Hi", options=FOUR).rungs == ("large",)
    downgrades = {key: count for key, count in machine.manager.scaler.counts.items() if key[0] == "downgrade"}
    assert downgrades == {("downgrade", "immediate", "asked"): 1}
    machine.manager.shutdown()


def test_a_failure_in_a_dry_run_reaches_the_caller_as_no_other_rung_takes_over(ladder: Ladder) -> None:
    def gate() -> None:
        raise RuntimeError("out of memory")

    machine = Dry(ladder, FakeModels(gate=gate))
    machine.load()
    with pytest.raises(RuntimeError, match="out of memory"):
        machine.manager.respond("Hi", options=FOUR)
    assert machine.manager.scaler.counts[("downgrade", "immediate", "asked")] == 1
    machine.manager.shutdown()
