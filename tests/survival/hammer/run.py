"""Threads and tasks with their plans, a watch over them, and what is left when they have ended."""

import asyncio
import faulthandler
import gc
import logging
import sys
import threading
import time
from pathlib import Path

import psutil
from gearshift.models import Ladder

from .managers import Count, Managers
from .plan import SLOTS, Step, steps
from .world import World

TASKS = 4
_SHARPEST = 1e-5  # seconds between two changes of thread, in the first third of the steps
_LEAVING = 30.0  # seconds for what has ended to be gone


def hammer(
    folder: Path, *, count: int, threads: int, seed: int, real: Ladder | None = None, limit: float = 900.0
) -> Count:
    """`count` steps by so many threads and `TASKS` tasks of one event loop. limit: seconds, then it hangs."""
    logging.getLogger("gearshift").setLevel(logging.CRITICAL)  # what subscribers raise on purpose
    counted, before = Count(), _there()
    world = World(Managers(folder, SLOTS, real, counted), folder, counted)
    each = count // (threads + TASKS)
    plans = [steps(f"{seed} thread {i}", each, task=False, real=real is not None) for i in range(threads)]
    shares = [each] * (TASKS - 1) + [count - each * (threads + TASKS - 1)]
    tasks = [steps(f"{seed} task {i}", n, task=True, real=real is not None) for i, n in enumerate(shares)]
    workers = [
        threading.Thread(target=_follow, args=(world, f"thread {i}", plan), name=f"hammer {i}", daemon=True)
        for i, plan in enumerate(plans)
    ]
    workers.append(threading.Thread(target=asyncio.run, args=(_follow_all(world, tasks),), name="loop", daemon=True))
    patience = sys.getswitchinterval()
    sys.setswitchinterval(_SHARPEST)
    try:
        _run(world, workers, limit, lambda: counted.of["steps"] > count / 3 and sys.setswitchinterval(patience))
    finally:
        sys.setswitchinterval(patience)
        logging.getLogger("gearshift").setLevel(logging.NOTSET)
    if not any(worker.is_alive() for worker in workers):
        _end(world, counted, before)
    return counted


def _run(world: World, workers: list[threading.Thread], limit: float, meanwhile: object) -> None:
    end = time.monotonic() + limit
    for worker in workers:
        worker.start()
    for worker in workers:
        while worker.is_alive() and time.monotonic() < end:
            worker.join(0.2)
            if callable(meanwhile):
                meanwhile()
    _watch(world, workers)


def _watch(world: World, workers: list[threading.Thread]) -> None:
    hung = [worker.name for worker in workers if worker.is_alive()]
    if hung:
        faulthandler.dump_traceback(all_threads=True)
        world.breach(f"these hang: {hung}, of {world.now}")


def _follow(world: World, who: str, plan: list[Step]) -> None:
    for step in plan:
        world.do(who, step)


async def _follow_all(world: World, plans: list[list[Step]]) -> None:
    async def follow(who: str, plan: list[Step]) -> None:
        for step in plan:
            await world.do_in_task(who, step)

    await asyncio.gather(*(follow(f"task {i}", plan) for i, plan in enumerate(plans)))
    left = asyncio.all_tasks() - {asyncio.current_task()}  # pyright: ignore[reportArgumentType]
    if left:
        world.breach(f"tasks are left: {left}")


def _end(world: World, counted: Count, before: tuple[set[threading.Thread], set[psutil.Process], int]) -> None:
    ending = threading.Thread(target=world.end, daemon=True)
    ending.start()
    ending.join(120)
    if ending.is_alive():
        faulthandler.dump_traceback(all_threads=True)
        counted.breach("the last shutdown hangs")
        return
    end, threads, children, files = time.monotonic() + _LEAVING, *before
    while True:
        gc.collect()
        now = _there()
        left = (now[0] - threads, now[1] - children, max(0, now[2] - files))
        if not any(left) or time.monotonic() > end:
            break
        time.sleep(0.1)
    for what, rest in zip(("threads", "processes", "descriptors"), left, strict=True):
        if rest:
            counted.breach(f"{what} are left: {rest}")


def _there() -> tuple[set[threading.Thread], set[psutil.Process], int]:
    me = psutil.Process()
    return set(threading.enumerate()), set(me.children(recursive=True)), me.num_fds()
