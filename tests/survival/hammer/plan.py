"""What each thread and each task will do: the same for the same seed, however it interleaves then."""

from random import Random
from typing import NamedTuple

SLOTS = 4
"""Managers at a time; the first keeps real models in worker processes, where there are any."""

_ANYWHERE = {
    "start": 6, "stop": 4, "preflight": 10, "trends": 4, "upgradable": 4, "degrade": 6, "record": 6, "counts": 2,
    "history": 6, "forget": 2, "save": 2, "listen": 8, "leave": 6, "lose": 2, "shut_down": 2,
}  # fmt: skip
_IN_THREADS = _ANYWHERE | {"respond": 16, "respond_called_off": 6, "respond_late": 4}
_IN_TASKS = _ANYWHERE | {"generate": 10, "generate_cancelled": 6, "stream": 8, "stream_left": 6, "stream_cancelled": 6}
_REAL = 0.04
"""The share of the steps that real models take: they are a thousand times slower."""
_RARE = {"shut_down": 0.15, "lose": 0.3}
"""How many of these deeds a real manager gets, as it takes seconds to start another."""


class Step(NamedTuple):
    """deed: a method of `World`. slot: of which manager. draw: decides the rest."""

    deed: str
    slot: int
    draw: int


def steps(seed: str, count: int, *, task: bool, real: bool) -> list[Step]:
    """What one thread, or one task, does."""
    random = Random(seed)
    deeds = _IN_TASKS if task else _IN_THREADS
    made = []
    for deed in random.choices(list(deeds), list(deeds.values()), k=count):
        slot = 0 if real and random.random() < _REAL else random.randrange(1, SLOTS)
        calm = slot == 0 and random.random() > _RARE.get(deed, 1.0)
        made.append(Step("preflight" if calm else deed, slot, random.getrandbits(32)))
    return made
