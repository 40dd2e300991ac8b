"""What is done to an app, and what must have come of it. Each raises AssertionError, or Late, for what did not."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.waiting import until

from .group import MIB, Group, group
from .running import Event, Watched, app, neighbour

ROOMY = 4096 * MIB
_QUICK = {"stabilisation": 5, "recovery": 3, "settle": 1}


class Ground(NamedTuple):
    """Where a scenario plays: the ladder files, and a folder for what the app remembers."""

    own: Path
    mapped: Path
    cache: Path


class Told(NamedTuple):
    """What came of a run. kernel_kills: of all that was in the group. seconds: from the fault to the smaller rung's
    being there."""

    faults: int
    replies: int
    lost: int
    refused: int
    app_kills: int
    worker_kills: int
    kernel_kills: int
    seconds: float


@contextmanager
def _talking(name: str, ground: Ground, **settings: Any) -> Iterator[tuple[Group, Watched, int, int]]:
    """An app that has answered once: its group, what holds without a model, and what the best rung holds. Bytes."""
    with group(name, ROOMY) as inside, app(inside, ground.own, ground.cache, {**_QUICK, **settings}) as watched:
        first = watched.until("reply")
        assert first["rungs"] == ["large"], first
        own = watched.until("sample", lambda e: e["own"] > 0, since=watched.now())["own"]
        yield inside, watched, inside.resident - own, own


def _verdict(inside: Group, watched: Watched, *, faults: int, began: float, reached: Event) -> Told:
    """End the app, and count. Whoever asked had an answer, whole, or was told why there is none."""
    kills = inside.kills
    alive = watched.alive
    status = watched.end()
    app_kills = int(not alive or status != 0)
    asked, refused = watched.of("asked"), watched.of("refused")
    replies = [event for event in watched.of("reply") if event["whole"]]
    lost = len(asked) - len(replies) - len(refused)
    worker_kills = sum("killed by signal 9" in event["why"] for event in watched.of("outcome"))
    seconds = max(0.0, reached["time"] - began)
    return Told(faults, len(replies), lost, len(refused), app_kills, worker_kills, kills, seconds)


def growth(ground: Ground) -> Told:
    """A program grows until the best rung would not fit beside it: the shift comes first, and nobody is killed."""
    with _talking("growth", ground, interval=0.5, window=10, horizon=5) as (inside, watched, base, own):
        size = int((base + own) / 0.6)
        assert inside.limit(size)
        since, began = watched.now(), time.monotonic()
        with neighbour(inside, size - base - own + 64 * MIB, rate=32 * MIB):
            down = watched.until("outcome", _smaller, since=since)
            after = watched.until("reply", lambda e: e["rungs"][-1] != "large", since=since)
            watched.until("reply", since=watched.events.index(after) + 1)
        told = _verdict(inside, watched, faults=1, began=began, reached=down)
    assert told.kernel_kills == told.app_kills == 0, told
    return told


def block(ground: Ground) -> Told:
    """A program takes more at once than is left: the kernel takes the worker, and a smaller rung ends its sentence."""
    with _talking("block", ground, interval=5, fastest=5) as (inside, watched, base, own):
        size = int((base + own) / 0.6)
        assert inside.limit(size)
        since = watched.now()
        watched.until("sample", since=since)  # so that the next look comes after the block
        watched.until("writing", lambda e: e["rung"] == "large", since=watched.now())
        began = time.monotonic()
        with neighbour(inside, size - inside.anonymous + 64 * MIB, rate=0):
            down = watched.until("outcome", _smaller, since=since)
            two = watched.until("reply", lambda e: len(e["rungs"]) > 1, since=since)
            assert two["rungs"][0] == "large" and two["whole"], two
            watched.until("reply", since=watched.events.index(two) + 1)
        told = _verdict(inside, watched, faults=1, began=began, reached=down)
    assert told.worker_kills >= 1 and told.app_kills == 0, told
    return told


def lowered(ground: Ground) -> Told:
    """The limit itself comes down, step by step, to where only a smaller rung fits."""
    with _talking("lowered", ground) as (inside, watched, base, own):
        since, began = watched.now(), time.monotonic()
        assert inside.limit(int((base + own) / 0.94))
        down = watched.until("outcome", _smaller, since=since)
        watched.until("reply", lambda e: e["rungs"][-1] != "large", since=since)
        until(lambda: inside.limit(int(inside.resident / 0.75)))
        watched.until("reply", since=watched.now())
        told = _verdict(inside, watched, faults=2, began=began, reached=down)
    assert told.kernel_kills == told.app_kills == 0, told
    return told


def full(ground: Ground) -> Told:
    """Others leave no room for any rung: what is asked for is refused with the reason, until there is room again."""
    with _talking("full", ground, interval=0.5, window=10, horizon=5) as (inside, watched, base, own):
        size = int((base + own) / 0.6)
        assert inside.limit(size)
        since, began = watched.now(), time.monotonic()
        block = int(0.4 * size)  # which still fits beside the smallest rung: growth alone would take long to get there
        with neighbour(inside, int(0.95 * size) - base - block, rate=48 * MIB):
            watched.until("outcome", lambda e: _smaller(e) and e["target"] == "small", since=since)
            with neighbour(inside, block, rate=0):
                down = watched.until("decision", lambda e: e["way"] == "shed", since=since)
                refused = watched.until("refused", since=since)
                assert "the smallest rung needs" in refused["why"], refused
        back = watched.until("reply", since=watched.now())
        assert back["whole"], back
        told = _verdict(inside, watched, faults=1, began=began, reached=down)
    assert told.kernel_kills == told.app_kills == 0, told
    return told


def thrash(ground: Ground) -> Told:
    """The workers' own limit comes down under their mapped weights, where the app can't see it: there is plenty to be
    had, and every token waits for its weights. What the kernel says of stalls moves the decision."""
    with group("thrash", ROOMY) as inside:
        below = inside.child("workers")
        settings = {**_QUICK, "interval": 0.5}
        with app(inside, ground.mapped, ground.cache, settings, workers=below) as watched:
            assert watched.until("reply")["rungs"] == ["large"]
            own = watched.until("sample", lambda e: e["own"] > 0, since=watched.now())["own"]
            since, began = watched.now(), time.monotonic()
            until(lambda: below.limit(int(below.resident - 0.4 * own)))
            moved = watched.until("decision", lambda e: e["source"] == "large", since=since)
            seen = watched.of("sample")[-1]
            assert moved["rule"] == "stalls" and seen["used"] < 0.5 * seen["total"], (moved, seen)
            down = watched.until("outcome", _smaller, since=since)
            watched.until("reply", lambda e: e["rungs"] == [down["target"]], since=since)
            assert below.limit(ROOMY)  # what has grown back into the stalls meanwhile would take long to end
            told = _verdict(inside, watched, faults=1, began=began, reached=down)
    assert told.kernel_kills == told.app_kills == 0, told
    return told


def _smaller(event: Event) -> bool:
    return event["how"] in ("loaded", "handed over") and event["target"] != "large"


SCENARIOS: dict[str, Callable[[Ground], Told]] = {
    "gradual growth": growth,
    "a block at once": block,
    "the limit lowered": lowered,
    "no rung fits": full,
    "thrash of mapped weights": thrash,
}
