"""A long time: python -m tests.survival.soak [--samples N] [--shifts N] [--minutes N] [--seed N]; 0 leaves a part out.

An interrupt (Ctrl-C) ends the part that runs, and the run, with a verdict on what there was by then, where that is
enough for one.
"""

import argparse
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.survival.tally import KEPT, Tally

from .curve import curve
from .flatness import Growth, TooFew, told
from .living import soak
from .logs import logged_to
from .measuring import Book
from .shifting import shift
from .streaming import stream
from .tiny import tiny_ladder

_console = Console(width=120)


def _streamed(args: argparse.Namespace, folder: Path, stop: threading.Event) -> Tally:
    seen = stream(args.samples, args.seed, folder, stop=stop, book=KEPT / "stream.jsonl")
    print(f"{seen.samples:,} samples ({seen.faults:,} blind), {seen.decisions:,} decisions in {seen.seconds:,.0f} s")
    _report(seen.growths, "million samples", seen.wrong)
    return Tally("samples through the stream", seen.samples, seen.faults, 0, 0, seen.broken, seen.seconds)


def _shifted(args: argparse.Namespace, folder: Path, stop: threading.Event) -> Tally:
    ladder = tiny_ladder(folder / "models", large=128, medium=96, small=64)
    done = shift(args.shifts, ladder, folder / "cache", stop=stop, book=KEPT / "shifts.jsonl")
    print(f"{done.shifts:,} shifts, {done.replies:,} replies, {done.killed} workers killed in {done.seconds:,.0f} s")
    _report(done.growths, "1,000 shifts", [*done.lost, *done.wrong])
    return Tally("shifts of real models", done.shifts, done.killed, len(done.lost), 0, done.broken, done.seconds)


def _soaked(args: argparse.Namespace, folder: Path, stop: threading.Event) -> Tally:
    ladder = tiny_ladder(folder / "models", large=512, medium=256, small=64)
    path = KEPT / "soak.jsonl"
    done = soak(args.minutes, args.seed, ladder, folder / "cache", stop=stop, book=path,
                say=lambda line: print(line, flush=True))  # fmt: skip
    print(
        f"{done.replies:,} replies, {done.refused:,} times refused, {done.shifts:,} shifts, {done.hogs:,} hogs in "
        f"{done.seconds:,.0f} s"
    )
    readings = Book.read(path)
    if readings:
        alone = [(each.at, each.rss, each.rss) for each in readings]
        whole = [(each.at, each.rss, each.rss + each.workers + (each.server or 0)) for each in readings]
        print(curve("MiB of the app, over seconds", alone))
        print(curve("MiB of the app (full) and of its workers and its neighbour (grey), over seconds", whole))
    _report(done.growths, "hour", [*done.lost, *done.wrong])
    return Tally("soak on this machine", done.shifts, done.hogs, len(done.lost), 0, done.broken, done.seconds)


def _report(found: Sequence[Growth], per: str, wrong: Sequence[str]) -> None:
    _console.print(told(found, per))
    for line in wrong:
        print(f"BROKEN: {line}")


_Part = Callable[[argparse.Namespace, Path, threading.Event], Tally]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.survival.soak", description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000, help="through the whole stream")
    parser.add_argument("--shifts", type=int, default=1_000, help="of real tiny models")
    parser.add_argument("--minutes", type=float, default=30.0, help="on this machine's own probes")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    parts: list[tuple[Any, _Part]] = [(args.samples, _streamed), (args.shifts, _shifted), (args.minutes, _soaked)]
    stop, tallies = threading.Event(), list[Tally]()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        for size, part in parts:
            if size and not stop.is_set():
                with tempfile.TemporaryDirectory() as folder, logged_to(KEPT / "soak.log"):
                    tallies.append(part(args, Path(folder), stop))
                    tallies[-1].keep()
    except TooFew as error:
        print(f"no verdict: {error}")
        return 1
    finally:
        signal.signal(signal.SIGINT, before)
    return 0 if tallies and all(each.held for each in tallies) else 1


if __name__ == "__main__":
    raise SystemExit(main())
