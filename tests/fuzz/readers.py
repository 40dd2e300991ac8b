"""Hostile bytes for every reader of what comes from outside, each in a child with a limit on memory and on time.

Run it: python -m tests.fuzz.readers [--cases N] [--seed S] [--only READER:NUMBER]
A case is the same for the same seed, reader and number; `--only` reads that one again, and shows it.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from gearshift.pipeline.reading import RefusedError
from rich.console import Console
from rich.table import Table

from ..survival.tally import Tally
from . import inside, outside
from .mutating import mutated
from .outside import Reader

SECONDS = 10  # of the processor, for one case; a slow machine included
MEMORY = 1 << 30  # bytes of address space beyond what the imports take
_LONGEST_ERROR = 1100


class Counted:
    """What became of a reader's cases. broken: numbers with what they did that is promised never to happen."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.slowest = (0.0, 0)
        self.memory = 0
        self.broken: list[tuple[int, str]] = []

    def add(self, number: int, kind: str, seconds: float, memory: int, wrong: str) -> None:
        self.kinds[kind] += 1
        self.slowest = max(self.slowest, (seconds, number))
        self.memory = max(self.memory, memory)
        if wrong:
            self.broken.append((number, wrong))


def all_readers() -> list[Reader]:
    return [*outside.readers(), *inside.readers()]


def case(reader: Reader, seed: int, number: int) -> bytes:
    """The first is what is right as it is."""
    if number < len(reader.seeds):
        return reader.seeds[number]
    return mutated(Random(f"{seed} {reader.name} {number}"), reader.seeds, reader.tokens)


def judged(reader: Reader, content: bytes, within: str) -> tuple[str, str]:
    """The name of what came of it, and what of that is against the promise. within: a folder for its own."""
    with tempfile.TemporaryDirectory(dir=within) as folder:
        try:
            reader.read(Path(folder), content)
        except reader.errors as error:
            told = str(error)
            if isinstance(error, RefusedError) and (not told.isprintable() or len(told) > _LONGEST_ERROR):
                return type(error).__name__, f"an error that is not one clean line: {told[:200]!r}"
            return type(error).__name__, "" if told else f"{type(error).__name__} without a word"
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            return type(error).__name__, f"{type(error).__name__}: {str(error)[:200]}"
    return "read", ""


def _child(reader: Reader, seed: int, first: int, last: int, within: str, out: int) -> None:
    """One line a case: its number when it begins, and the rest when it has ended."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _linux() else 0
    if size:
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    before = _peak()
    for number in range(first, last):
        content = case(reader, seed, number)
        os.write(out, f"{number}\n".encode())
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        began = time.process_time()
        kind, wrong = judged(reader, content, within)
        took = time.process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(out, (json.dumps([kind, took, max(0, _peak() - before), wrong]) + "\n").encode())


def _linux() -> bool:
    return sys.platform == "linux"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if _linux() else 1)


def run(reader: Reader, seed: int, cases: int) -> Counted:
    """In children: one that dies is told with the case that did it, and the next goes on behind that."""
    counted, number = Counted(), 0
    with tempfile.TemporaryDirectory(prefix="hostile-") as within:  # here, as a child that is killed leaves its own
        while number < cases:
            number = _run_on(reader, seed, number, cases, within, counted)
    return counted


def _run_on(reader: Reader, seed: int, first: int, cases: int, within: str, counted: Counted) -> int:
    """The number to go on with."""
    come, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(come)
            _child(reader, seed, first, cases, within, out)
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - nothing of the runner may run on in the child
            os.write(2, f"{reader.name}: the child failed: {error!r}\n".encode())
            os._exit(1)
    os.close(out)
    number, told = first, False
    with os.fdopen(come) as lines:
        for line in lines:
            if told := line.startswith("["):
                kind, seconds, memory, wrong = json.loads(line)
                counted.add(number, kind, seconds, memory, wrong)
            else:
                number = int(line)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        how = "took too long" if status == -signal.SIGPROF else f"ended its process with {status}"
        counted.add(number, "hang" if status == -signal.SIGPROF else "crash", 0.0, 0, how)
    assert told or status != 0
    return number + 1


def table(found: Sequence[tuple[Reader, Counted]]) -> Table:
    shown = Table("reader", "cases", "what came of them", "slowest, s", "memory, MiB", "broken")
    for column in (1, 3, 4, 5):
        shown.columns[column].justify = "right"
    for reader, counted in found:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in counted.kinds.most_common())
        total = sum(counted.kinds.values())
        shown.add_row(
            reader.name, f"{total:,}", kinds, f"{counted.slowest[0]:.2f}", f"{counted.memory >> 20}",
            str(len(counted.broken)),
        )  # fmt: skip
    return shown


def told(found: Sequence[tuple[Reader, Counted]], seed: int) -> Iterator[str]:
    for reader, counted in found:
        for number, wrong in counted.broken[:5]:
            yield f"{reader.name}:{number} (--seed {seed}): {wrong}"


def again(readers: Sequence[Reader], seed: int, which: str) -> None:
    """Read one case here, with whatever it raises."""
    name, _, number = which.rpartition(":")
    reader = next(reader for reader in readers if reader.name == name)
    content = case(reader, seed, int(number))
    print(len(content), content[:2000])
    with tempfile.TemporaryDirectory() as folder:
        print(reader.read(Path(folder), content))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=4000, help="for each reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="READER:NUMBER", default="", help="one case, or without a number one reader")
    said: Any = parser.parse_args(arguments)
    readers, began = all_readers(), time.monotonic()
    if ":" in said.only:
        again(readers, said.seed, said.only)
        return 0
    found = [
        (reader, run(reader, said.seed, max(len(reader.seeds), int(said.cases * reader.share))))
        for reader in readers
        if said.only in ("", reader.name)
    ]
    Console(width=150).print(table(found))
    for line in told(found, said.seed):
        print(line)
    cases = sum(sum(counted.kinds.values()) for _, counted in found)
    kills = sum(counted.kinds[kind] for _, counted in found for kind in ("hang", "crash"))
    broken = sum(len(counted.broken) for _, counted in found) - kills
    seconds = time.monotonic() - began
    if not said.only:
        Tally(f"hostile bytes, {len(found)} readers", cases, cases, 0, kills, broken, seconds).keep()
    return 1 if kills or broken else 0


if __name__ == "__main__":
    sys.exit(main())
