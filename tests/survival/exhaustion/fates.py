"""What becomes of an app without gearshift under the same faults."""

import sys
from collections.abc import Callable

from .group import MIB, group
from .running import PATIENCE, Watched, forget, neighbour
from .scenarios import ROOMY, Ground


def _killed(ground: Ground, rate: int) -> bool:
    """Does the kernel kill it? The neighbour takes what ours meets too, `rate` bytes a second, at once for 0.

    What grows is four times as fast as where ours lives: an app that never looks has no use for the time.
    """
    forget(ground.own.parent)
    with group("naive", ROOMY) as inside:
        command = [sys.executable, "-m", f"{__package__}.naive", str(ground.own.parent / "large")]
        watched = Watched(inside.inside(command))
        try:
            watched.until("reply")
            held = inside.resident
            assert inside.limit(int(held / 0.6))
            with neighbour(inside, int(held / 0.6) - held + 200 * MIB, rate=rate):
                return watched.ends_within(PATIENCE / 3) and inside.kills > 0
        finally:
            watched.end()


FATES: dict[str, Callable[[Ground], bool]] = {
    "gradual growth": lambda ground: _killed(ground, 128 * MIB),
    "a block at once": lambda ground: _killed(ground, 0),
}
