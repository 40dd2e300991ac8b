"""The demo: a conversation goes on while two programs take memory and give it back."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from reactivex import abc

from ...pipeline.probes.processes import ProcessTree
from ...pipeline.recording import record
from ...pipeline.settings import Settings
from ...pipeline.words import Decision
from ..hosts import Host
from ..hosts.choosing import default_host
from ..ladders.ladder import Ladder
from ..manager import ModelManager, NoRungFits
from ..needs.remembered import Needs
from ..replies.generation import Options
from ..switching.switcher import Outcome
from . import hog
from .checkpoint import demo_ladder
from .report import Log, remedy, table, verdict
from .screen import Screen

MIB = 2**20
RATE = 20  # MiB/s of the program that grows
_QUESTIONS = (
    "What is gravity?", "Who discovered it?", "Why do apples fall down?", "What is the Moon?", "How far away is it?",
    "Why does it shine?", "What are tides?", "What is a planet?", "Which planet is the largest?", "What is the Sun?",
)  # fmt: skip


class _Conversation(threading.Thread):
    """Asks one question after another until told to stop."""

    def __init__(self, manager: ModelManager, log: Log, screen: Screen) -> None:
        super().__init__(name="gearshift-demo-conversation")
        self._manager, self._log, self._screen = manager, log, screen
        self.stop = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            question = _QUESTIONS[number % len(_QUESTIONS)]
            number += 1
            self._screen.typing("")
            try:
                reply = self._manager.respond(question, options=Options(max_new_tokens=32), on_text=self._screen.typing)
            except (NoRungFits, RuntimeError, ValueError) as error:
                self._log.lost.append(f"{question} ({error})")
                self._screen.say(f"you        {question}\n          LOST       {error}", "bold red")
                self.stop.wait(1)
                continue
            self._log.replies.append(reply)
            if not reply.strip():
                self._log.lost.append(f"{question} (an empty reply)")
            by = " then ".join(reply.rungs)
            words = " ".join(reply.split())
            self._screen.say(f"you        {question}\n          {by:<10} {words}  ({reply.seconds:.1f} s)", "green")
            self.stop.wait(0.3)


def _spawn(mib: int, rate: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-I", "-S", hog.__file__, str(mib), str(rate)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def demo_settings(need: Mapping[str, int], base: int) -> Settings:
    """A budget in which the best rung fits with room for a growing neighbour, and the two others beside it.

    need: bytes of each rung. base: bytes of the app and of what its host keeps beside models.
    """
    growing = 0.70 - 0.02
    budget = int((base + 230 * MIB + max(need.values())) / growing)
    return Settings(
        budget=budget, high=0.80, hysteresis=0.10, critical=0.90, interval=0.25, window=6, horizon=7, confirm=0.5,
        stabilisation=15, recovery=5, settle=1, gap=5,
    )  # fmt: skip


def run_demo(recording: Path | None = None) -> int:
    """Play the story. Returns the exit code: 0 when everything that it is to show was shown."""
    print_now = lambda text: print(text, flush=True)  # noqa: E731 - before there is a screen
    ladder = demo_ladder(print_now)
    host = default_host(ladder)
    try:
        print_now("Importing torch and transformers …")
        return _run(ladder, host, recording, print_now)
    finally:
        host.close()


def _run(ladder: Ladder, host: Host, recording: Path | None, print_now: Callable[[str], None]) -> int:
    need = {rung.name: rung.need["ram"] for rung in ladder.rungs(Needs())}
    settings = demo_settings(need, base_of(host, ladder))
    free = psutil.virtual_memory().available
    assert settings.budget is not None
    if free < settings.budget * 1.2:
        print_now(
            f"The demo needs {settings.budget * 1.2 / 2**30:.1f} GiB of free memory; {free / 2**30:.1f} are free."
        )
        return 1
    log = Log(settings, need)
    screen = Screen(settings)
    with screen, ModelManager(ladder, settings, host=host) as manager:
        _play(manager, log, screen, recording)
    screen.console.print(table(log))
    wrong = verdict(log)
    for line in wrong:
        screen.console.print(f"NOT SHOWN: {line}", style="bold red")
    if wrong:
        screen.console.print(remedy(log))
    else:
        screen.console.print(
            "A shortage was foreseen, a sudden one survived, and a better rung is back. No reply was lost."
        )
    return 1 if wrong else 0


def base_of(host: Host, ladder: Ladder) -> int:
    """What this process and its children hold without a model, once all that loads need is imported."""
    smallest = ladder[-1]
    host.unload(smallest.name, host.load(smallest))
    return ProcessTree().used()


def _watch(manager: ModelManager, log: Log, screen: Screen, recording: Path | None) -> list[abc.DisposableBase]:
    def decided(decision: Decision) -> None:
        log.decisions.append(decision)
        screen.say(f"decision   {decision.explain()}", "yellow")

    def ended(outcome: Outcome) -> None:
        if outcome.kind in ("handed over", "loaded"):
            log.handed_over.append((outcome.decision, outcome.time, outcome.seconds))
        freed = f", {outcome.freed.got / MIB:.0f} MiB given back" if outcome.freed.got > 0 else ""
        why = f": {outcome.reason}" if outcome.reason else ""
        screen.say(
            f"outcome    {outcome.kind} ({outcome.decision.target}) in {outcome.seconds:.1f} s{freed}{why}", "blue"
        )

    watching = [
        manager.decisions.subscribe(decided),
        manager.outcomes.subscribe(ended),
        manager.notices.subscribe(lambda notice: screen.say(f"notice     {notice}", "bold magenta")),
        manager.scaler.samples.subscribe(log.samples.append),
        manager.scaler.outlooks.subscribe(
            lambda seen: screen.usage(seen, manager.rung, log.need.get(manager.rung or "", 0))
        ),
    ]
    return [*watching, record(manager.scaler.samples, recording)] if recording is not None else watching


def _play(manager: ModelManager, log: Log, screen: Screen, recording: Path | None) -> None:
    settings, budget = log.settings, log.settings.budget or 0
    watching = _watch(manager, log, screen, recording)
    top = manager.ladder[0].name
    screen.say(f"A budget of {budget / 2**30:.2f} GiB for this process and its children; ceiling {settings.high:.0%}.")
    screen.say(f"Stabilisation is {settings.stabilisation:.0f} s here; the default is 300 s.")
    talk = _Conversation(manager, log, screen)
    children: list[subprocess.Popen[bytes]] = []
    try:
        talk.start()
        if not _wait(lambda: manager.rung is not None, 60):
            screen.say("no rung was loaded within a minute", "bold red")
            return
        _wait(lambda: len(log.replies) >= 2, 60)

        recent = [p for s in log.samples[-20:] if (p := s.pools["ram"]) is not None]
        to_ceiling = int(settings.high * budget) - max(p.external for p in recent) - log.need[top]
        grow = to_ceiling // MIB + 24
        screen.say(f"A program next door starts to take {grow} MiB, {RATE} MiB/s.", "bold")
        children.append(_spawn(grow, RATE))
        _wait(lambda: bool(log.shifts("downgrade", "planned")), 45)
        _wait(lambda: log.samples[-1].time - log.handed_over[-1][1] > grow / RATE, 45)
        before = len(log.replies)
        _wait(lambda: len(log.replies) >= before + 2, 30)

        recent = [p for s in log.samples[-4:] if (p := s.pools["ram"]) is not None]
        block = (int((settings.critical + 0.005) * budget) - min(p.used for p in recent)) // MIB
        screen.say(f"Another program takes {block} MiB at once.", "bold")
        children.append(_spawn(block, 0))
        _wait(lambda: bool(log.shifts("downgrade", "immediate")), 20)
        before = len(log.replies)
        _wait(lambda: len(log.replies) >= before + 2, 30)
        screen.say("Both programs end.", "bold")
        _end(children)
        _wait(lambda: bool(log.shifts("upgrade")) and manager.rung == top, 60)
        before = len(log.replies)
        _wait(lambda: len(log.replies) >= before + 2, 30)
    finally:
        talk.stop.set()
        _end(children)
        if talk.ident is not None:
            talk.join()
        for subscription in watching:
            subscription.dispose()


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in children:
        if child.stdin is not None:
            child.stdin.close()
        child.wait(timeout=10)
    children.clear()
