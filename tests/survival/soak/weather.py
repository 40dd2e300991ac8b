"""What others hold on a machine, for as long as it is asked for."""

import random
from collections.abc import Iterator

from gearshift.pipeline import Device, Pool, Pressure, Sample
from gearshift.pipeline.testing import GIB

TOTAL = 16 * GIB
BEGIN = 2.0**32
"""Seconds: past what 32 bits hold, where floats are a microsecond apart."""

_STRETCH = 900  # samples to one kind of weather


def weather(seed: int, *, begin: float = BEGIN) -> Iterator[Sample]:
    """Samples as probes give them, about one a second: plateaus, ramps and spikes, readings that are missing, stalls
    and silences. No end."""
    draw = random.Random(seed)
    time, level = begin, 3 * GIB
    gpus = {"cuda:0": Device(utilisation=0.3, temperature=50.0, power=70.0)}
    while True:
        kind = draw.choice(("plateau", "plateau", "ramp", "spikes", "blind", "stalls"))
        before, level = level, draw.randrange(GIB, 14 * GIB)
        time += draw.choice((0.0, 0.0, 0.0, 5.0, 3600.0))
        for i in range(draw.randrange(_STRETCH // 2, _STRETCH)):
            time += 1.0 + draw.random() / 1000
            held = before + (level - before) * i // _STRETCH if kind == "ramp" else level
            if kind == "spikes" and i % 50 < 3:
                held = 13 * GIB
            held += draw.randrange(64 << 20)
            blind = kind == "blind" and i % 100 < 20
            yield Sample(
                time,
                {"ram": None if blind else Pool(TOTAL, held), "cuda:0": Pool(8 * GIB, GIB + draw.randrange(GIB))},
                devices=gpus,
                cpu=draw.random(),
                load=draw.random(),
                swap_used=0,
                swap_in=0.0,
                pressure={"memory": Pressure(0.3, 0.2 if kind == "stalls" and i % 300 < 90 else 0.0)},
                interval=1.0,
                wall=time,
                missing=("ram",) if blind else (),
            )
