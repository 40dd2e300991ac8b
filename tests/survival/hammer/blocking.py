"""On every stream a subscriber that does not return for a minute, while all else goes on."""

import threading
import time
from collections import Counter
from pathlib import Path

from gearshift.models import ModelManager, Options
from gearshift.models.testing import FakeHost, FakeModels, fake_ladder

from .listeners import STREAMS
from .managers import SETTINGS, Count

_ASKS = 100


def block(folder: Path, count: Count, *, seconds: float) -> int:
    """For so many seconds. Returns how many subscribers blocked."""
    ladder, released = fake_ladder(folder / "blocked", large=2 << 20, small=1 << 20), threading.Event()
    blocked, told = set[str](), Counter[str]()
    with ModelManager(ladder, SETTINGS, host=FakeHost(FakeModels()), cache=folder / "blocked cache") as manager:

        def hold(name: str) -> None:
            if name not in blocked:
                blocked.add(name)
                released.wait(seconds)

        def take(name: str) -> None:
            told[name] += 1

        for name in STREAMS:
            stream = getattr(manager if hasattr(manager, name) else manager.scaler, name)
            stream.subscribe(lambda _, name=name: hold(name))
            stream.subscribe(lambda _, name=name: take(name))
        end, replies = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            count.add("asks")
            if manager.respond("Hello?", options=Options(max_new_tokens=2)) == "word0 word1 ":
                replies += 1
                count.add("ended: replied")
            if replies == 1:
                manager.scaler.initiate_graceful_degradation("a test", immediate=True)
            time.sleep(seconds / _ASKS)
        silent = [name for name in STREAMS if not told[name]]
        if silent or told["samples"] < _ASKS or told["replies"] < replies // 2:
            count.breach(f"others were told only {dict(told)} while {sorted(blocked)} blocked, after {replies} replies")
        released.set()
    return len(blocked)
