"""`python -m tests.clusters.kills`: nodes are killed at random under conversations, and what is lost is counted."""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from gearshift.models import Options

from tests.clusters.town import PATIENCE, Town
from tests.survival.soak.tiny import tiny_ladder
from tests.waiting import until

CLIENTS = 3


@dataclass
class Found:
    """What came of it.

    lost: replies that failed, or lack a word, or have one twice, in words. forgotten: conversations that are not kept
    as they were. gap: the longest silence within a reply, seconds.
    """

    requests: int = 0
    kills: int = 0
    lost: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    gap: float = 0.0
    seconds: float = 0.0


class Talks:
    """Conversations that go on by turns, each with what was asked and answered in it."""

    def __init__(self, town: Town, found: Found, rng: random.Random) -> None:
        self._town, self._found, self._rng = town, found, rng
        self._said: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def turn(self, client: int, number: int) -> None:
        """Ask, and compare what is answered with what came piece by piece."""
        conversation = f"talk-{client}-{number // 8}"
        question, tokens = f"Question {number} of {client}", self._rng.randint(8, 80)
        pieces: list[str] = []
        times: list[float] = []

        def take(piece: str) -> None:
            pieces.append(piece)
            times.append(time.monotonic())

        try:
            reply = self._town.fleet.respond(
                question, conversation, options=Options(max_new_tokens=tokens), on_text=take, timeout=PATIENCE
            )
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            self._found.lost.append(f"{question}: {type(error).__name__}: {error}")
            return
        # a planned shift brings a reply to its end; any other has all that was asked for
        whole = len(reply) == reply.tokens and (reply.tokens == tokens or reply.end == "wound up")
        if "".join(pieces) != str(reply) or not whole:
            self._found.lost.append(f"{question}: {len(pieces)} pieces, {reply.tokens} of {tokens}: {reply.end}")
        with self._lock:
            self._said.setdefault(conversation, []).extend((question, str(reply)))
            self._found.requests += 1
            self._found.gap = max([self._found.gap, *(b - a for a, b in zip(times, times[1:], strict=False))])

    def compare(self) -> None:
        """Each with what the fleet has kept of it."""
        for conversation, said in self._said.items():
            kept = [message["content"] for message in self._town.fleet.history(conversation)]
            if kept != said:
                self._found.forgotten.append(conversation)


def kill_at_random(town: Town, *, requests: int, kills: int, seed: int) -> Found:
    """Conversations in as many parts as there are kills and one more; in each but the last a node is killed."""
    found, rng, began = Found(), random.Random(seed), time.monotonic()
    talks = Talks(town, found, rng)
    parts = [requests * part // (kills + 1) for part in range(kills + 2)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for part, (first, last) in enumerate(zip(parts, parts[1:], strict=False)):
            turns = [pool.submit(_turns, talks, client, range(first, last)) for client in range(CLIENTS)]
            if part < kills:
                town.busy()
                time.sleep(rng.uniform(0, 0.5))
                until(lambda: town.able, PATIENCE)
                town.kill(rng.choice(sorted(town.able)))
                found.kills += 1
                town.add()
            for turn in turns:
                turn.result()
            town.ready()
    talks.compare()
    found.seconds = time.monotonic() - began
    return found


def _turns(talks: Talks, client: int, numbers: Sequence[int]) -> None:
    for number in numbers:
        if number % CLIENTS == client:
            talks.turn(client, number)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder), tiny_ladder(Path(folder), context=2048, large=256, small=32))
        try:
            town.ready()
            found = kill_at_random(town, requests=asked.requests, kills=asked.kills, seed=asked.seed)
        finally:
            town.close()
    print(
        f"{'requests':>9}{'kills':>7}{'lost replies':>14}{'lost conversations':>20}{'longest gap s':>15}{'seconds':>9}"
    )
    print(
        f"{found.requests:>9,}{found.kills:>7}{len(found.lost):>14}{len(found.forgotten):>20}"
        f"{found.gap:>15.1f}{found.seconds:>9.0f}"
    )
    for lost in (*found.lost, *found.forgotten):
        print(lost)
    return int(bool(found.lost or found.forgotten))


if __name__ == "__main__":
    sys.exit(main())
