"""A slice of the flood of random streams, and its checker against decisions that keep no promise."""

import msgspec
import pytest
from gearshift.pipeline import Decision, Pool, Reason, Residency, Sample, Settings
from gearshift.pipeline.testing import rungs_of

from .streams.checking import Broken, Checker
from .streams.playing import Played, play
from .streams.worlds import world

SEED = 20_261_129


def test_no_stream_of_a_slice_breaks_a_promise() -> None:
    told = [play(SEED, number) for number in range(6000)]
    played = [one for one in told if isinstance(one, Played)]
    assert [one for one in told if not isinstance(one, Played)] == []
    assert min(sum(column) for column in zip(*played, strict=True)) > 5000, "samples, decisions and faults there were"


def test_a_world_is_the_same_whenever_it_is_made() -> None:
    assert repr(world(1, 424)) == repr(world(1, 424)) != repr(world(2, 424))


NEEDS = {"large": 500, "medium": 300, "small": 100}
ROOM = Reason("room", "ram", 1000, 400, 100, 100, 500, 0.8)
UP = Decision("upgrade", "small", "large", "planned", 100.0, ROOM)


def checked(made: Decision, *, others: int = 100, seconds: int = 100, settings: Settings | None = None) -> None:
    """Checks `made` after so many seconds of samples with small loaded, of which it was told at 0."""
    checker = Checker(rungs_of(*NEEDS.values()), settings or Settings(stabilisation=50.0))
    for second in range(seconds + 1):
        checker.sample(Sample(float(second), {"ram": Pool(1000, others + 100, 100)}))
        if second == 0:
            checker.residency(Residency(0.0, "ready", "small"))
    checker.decision(made)


def changed(**fields: object) -> Decision:
    return msgspec.structs.replace(UP, **fields)


def because(**fields: object) -> Decision:
    return changed(reason=msgspec.structs.replace(ROOM, **fields))


def test_the_checker_lets_a_good_decision_pass() -> None:
    checked(UP)


@pytest.mark.parametrize(
    ("made", "how", "broken"),
    [
        (UP, {"seconds": 49}, "without a whole clean window"),
        (UP, {"seconds": 1}, "inside the settle window"),
        (changed(kind="downgrade", urgency="immediate"), {"seconds": 1}, "of which others are no cause"),
        (UP, {"others": 450}, "without a whole clean window"),
        (changed(kind="downgrade"), {"others": 450}, "does not fit$"),
        (UP, {"settings": Settings(stabilisation=50.0, max_shifts_per_hour=1)}, "beyond the budget"),
        (because(need=100), {}, "not the target's"),
        (because(external=310), {}, "does not fit beside"),
        (because(bound=310), {}, "does not fit under the bound"),
        (because(detail="x", rule="asked"), {}, "goes no rung down"),
        (because(lasted=float("nan")), {}, "can't be read"),
        (changed(target="huge"), {}, "no such step"),
        (changed(target="small"), {}, "no such step"),
    ],
)
def test_the_checker_tells_which_promise_a_decision_breaks(made: Decision, how: dict, broken: str) -> None:
    with pytest.raises(Broken, match=broken):
        checked(made, **how)


def test_the_checker_lets_nothing_be_told_twice() -> None:
    checker = Checker(rungs_of(500), Settings())
    checker.sample(Sample(0.0, {"ram": Pool(1000, 990)}))
    nothing = Decision("shed", None, None, "immediate", 0.0, Reason("nothing fits", detail="all are set aside"))
    checker.decision(nothing)
    with pytest.raises(Broken, match="told twice"):
        checker.decision(nothing)


def test_the_checker_lets_nothing_grow_while_a_pool_is_unknown() -> None:
    checker = Checker(rungs_of(500, 100), Settings(stabilisation=0.0, settle=0.0))
    checker.sample(Sample(0.0, {"ram": None}, missing=("ram",)))
    with pytest.raises(Broken, match="growth while blind"):
        checker.decision(changed(source=None))
