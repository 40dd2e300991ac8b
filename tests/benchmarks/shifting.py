"""Loading, answering, handing over and giving back, as ratios to plain transformers in the same run.

The rungs are those of `gearshift demo`: SmolLM2-135M-Instruct in float32, bfloat16 and int8.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from gearshift.models import Ladder, ModelManager, Options, Outcome
from gearshift.models.demo.checkpoint import demo_ladder
from gearshift.models.hosts import Host
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.needs.remembered import Needs
from gearshift.models.replies.generation import Brake
from gearshift.models.switching.switcher import Switcher
from gearshift.pipeline import Decision, Pool, Reason, Sample, Settings, event_time
from reactivex import Subject

from tests.benchmarks.plain import QUESTION

MIB = 2**20
TOKENS, TURNS = 64, 3
SHIFTS = 200
ROOMY = 1 << 44  # bytes of a machine on which everything fits


def plain(source: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.plain", source, str(TOKENS)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(told)


def loads(ladder: Ladder, host: ProcessHost, base: dict[str, dict[str, float]]) -> None:
    print(f"{'':10} load, s   plain   ratio   tokens/s   plain   ratio   given back of it   within, s")
    for spec in ladder:
        options = Options(max_new_tokens=TOKENS, sampling={"min_new_tokens": TOKENS})
        load = rate = 0.0
        share, within = 1.0, 0.0
        for turn in range(TURNS):
            began = time.perf_counter()
            model = host.load(spec)
            took = time.perf_counter() - began
            load = took if not turn else min(load, took)
            written = model.generate(QUESTION, "", options, lambda _: None, Brake())
            rate = max(rate, written.tokens / written.seconds)
            held = _pages()
            began = time.perf_counter()
            host.unload(spec.name, model)
            within = max(within, time.perf_counter() - began)
            share = min(share, 1 - _pages() / held)
        p = base[spec.name]
        print(
            f"{spec.name:10} {load:7.2f} {p['load']:7.2f} {load / p['load']:7.2f} {rate:10.1f} {p['rate']:7.1f} "
            f"{rate / p['rate']:7.2f} {share:18.1%} {within:11.3f}"
        )


def _pages() -> int:
    """Private bytes of all workers, by the kernel's own count."""
    server = psutil.Process().children(recursive=True)
    workers = [p for p in server if p.ppid() != psutil.Process().pid]
    return sum(worker.memory_full_info().uss for worker in workers)


class Bench:
    """A manager on a scripted machine, with real models in workers."""

    def __init__(self, ladder: Ladder, folder: str) -> None:
        self.source: Subject[Sample] = Subject()
        self.outcomes: list[Outcome] = []
        self.changed = threading.Condition()
        settings = Settings(interval=0.5, settle=0.0)
        self.manager = ModelManager(ladder, settings, source=self.source, host=ProcessHost(rungs=ladder), cache=folder)
        self.manager.outcomes.subscribe(self._ended)

    def _ended(self, outcome: Outcome) -> None:
        with self.changed:
            self.outcomes.append(outcome)
            self.changed.notify_all()

    def until(self, count: int) -> Outcome:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.outcomes) >= count, timeout=120), self.outcomes
            return self.outcomes[count - 1]

    def push(self) -> None:
        self.source.on_next(Sample(event_time(), {"ram": Pool(ROOMY, 0, 0)}))


def continued(ladder: Ladder, base: dict[str, dict[str, float]]) -> None:
    """From an immediate decision in mid-reply to the first text of the next rung; the least of some."""
    took, rungs, handed = min((_continued(ladder) for _ in range(TURNS)), key=lambda each: each[0])
    p = base[ladder[1].name]
    print(
        f"immediate, {' then '.join(rungs)}: decision to next text {took:.2f} s (waited {handed.waited:.2f}, unload "
        f"{handed.unload:.2f}, load {handed.load:.2f}); plain load and first token {p['load'] + p['first']:.2f} s; "
        f"ratio {took / (p['load'] + p['first']):.2f}"
    )


def _continued(ladder: Ladder) -> tuple[float, tuple[str, ...], Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(ladder, folder)
        with bench.manager as manager:
            bench.push()
            first = bench.until(1)
            assert first.decision.target == ladder[0].name, first
            pieces: list[float] = []
            decided: list[float] = []

            def take(_: str) -> None:
                pieces.append(time.perf_counter())
                if len(pieces) == 12:
                    bench.push()
                    decided.append(time.perf_counter())
                    manager.scaler.initiate_graceful_degradation("the benchmark asks", immediate=True)

            reply = manager.respond(QUESTION[0]["content"], options=Options(max_new_tokens=48), on_text=take)
            handed = bench.until(2)
            last = max(t for t in pieces if t < decided[0] + handed.waited + 0.001)
            return next(t for t in pieces if t > last) - decided[0], reply.rungs, handed


def to(target: str, source: str | None) -> Decision:
    kind = "upgrade" if source is None else "downgrade"
    return Decision(kind, source, target, "planned", event_time(), Reason("asked"))


@contextmanager
def switching(ladder: Ladder, host: Host, folder: str) -> Iterator[tuple[Switcher, Callable[[str], Outcome]]]:
    """A switcher, and a shift that returns when it has ended."""
    everything = Pool(ROOMY, 0, 0)
    switcher = Switcher(
        ladder, host, Needs(Path(folder)), lambda names: dict.fromkeys(names, everything), Settings(settle=0.0)
    )
    ended: list[Outcome] = []
    changed = threading.Condition()

    def note(outcome: Outcome) -> None:
        with changed:
            ended.append(outcome)
            changed.notify_all()

    switcher.outcomes.subscribe(note)

    def shift(target: str) -> Outcome:
        count = len(ended)
        switcher.submit(to(target, switcher.rung))
        with changed:
            assert changed.wait_for(lambda: len(ended) > count, timeout=120)
        return ended[-1]

    try:
        yield switcher, shift
    finally:
        switcher.close()
        host.close()


def no_gap(ladder: Ladder) -> None:
    """How long whoever wants to begin a reply waits while a planned shift loads beside what answers."""
    with tempfile.TemporaryDirectory() as folder, switching(ladder, ProcessHost(), folder) as (switcher, shift):
        shift(ladder[0].name)
        waits: list[float] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                began = time.perf_counter()
                with switcher.leased() as lease:
                    waits.append(time.perf_counter() - began)
                    assert lease is not None
                over.wait(0.001)

        asking = threading.Thread(target=ask)
        asking.start()
        outcome = shift(ladder[1].name)
        over.set()
        asking.join()
        print(
            f"planned, both fit: {outcome.kind} in {outcome.seconds:.2f} s, {len(waits):,} leases meanwhile, the "
            f"longest waited {max(waits) * 1e3:.1f} ms"
        )


def peaks(ladder: Ladder) -> None:
    """What workers hold at most while they load, of what was reserved for it."""
    host = ProcessHost()
    with tempfile.TemporaryDirectory() as folder, switching(ladder, host, folder) as (_, shift):
        needs = Needs(Path(folder))
        for spec in reversed(ladder):
            reserved = needs.of(spec)
            limit = max(reserved.peak["ram"], reserved.need["ram"])
            before = host.own().used
            most = _most(host, lambda spec=spec: shift(spec.name)) - before
            print(
                f"{spec.name:10} at most {most / MIB:6.0f} MiB while it loads, {limit / MIB:6.0f} MiB reserved, share "
                f"{most / limit:.2f}"
            )


def _most(host: Host, act: Callable[[], object]) -> int:
    """Bytes that the host's rungs hold at most while this is done."""
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.005):
            most = max(most, host.own().used)

    watching = threading.Thread(target=watch)
    watching.start()
    act()
    over.set()
    watching.join()
    return most


def many(ladder: Ladder, make: Callable[[], Host], shifts: int) -> None:
    """What an app's own process keeps after so many shifts over all rungs."""
    host, here, held = make(), psutil.Process(), 0
    with tempfile.TemporaryDirectory() as folder, switching(ladder, host, folder) as (_, shift):
        names = [spec.name for spec in ladder]
        rss: list[int] = []
        for i in range(shifts + 2 * len(names)):
            outcome = shift(names[i % len(names)])
            assert outcome.kind in ("loaded", "handed over"), outcome
            held = max(held, outcome.held["ram"])
            if i % len(names) == len(names) - 1:
                rss.append(here.memory_info().rss)
        warm, end = rss[1], rss[-1]
    print(
        f"{type(host).__name__:12} {shifts} shifts over {len(names)} rungs: the app's process {warm / MIB:.1f} MiB, "
        f"then {end / MIB:.1f} MiB ({(end - warm) / MIB:+.1f} MiB, {(end - warm) / held:+.1%} of the top rung's)"
    )


def main(shifts: int = SHIFTS) -> None:
    ladder = demo_ladder(print)
    base = {spec.name: plain(spec.source) for spec in ladder}
    host = ProcessHost()
    loads(ladder, host, base)
    host.close()
    continued(ladder, base)
    no_gap(ladder)
    peaks(ladder)
    many(ladder, ProcessHost, shifts)
    command = [sys.executable, "-m", "tests.benchmarks.shifting", "inline", str(shifts)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["inline"]:
        many(demo_ladder(print), InlineHost, int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
