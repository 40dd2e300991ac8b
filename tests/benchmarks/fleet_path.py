"""What Ray's path costs a reply, beside a manager in the app itself; and how many reports the view of a fleet takes."""

import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import openai
from gearshift.models import ModelManager, Options
from gearshift.pipeline.fleet import Standing
from ray import serve

from tests.clusters.served import serving
from tests.clusters.town import Town
from tests.models.serving.served import HELLO
from tests.survival.soak.tiny import tiny_ladder

TOKENS, ROUNDS = 200, 12
REPORTERS, SECONDS = 8, 4.0


class Took(NamedTuple):
    """Seconds to the first token, and for each further one."""

    first: float
    token: float


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"  # as Ray sets it where a replica has one CPU
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ladder = tiny_ladder(home, context=1024, large=256, small=32)
        town = Town(home, ladder, nodes=1)
        (home / "served").mkdir()
        try:
            with (
                ModelManager(ladder, name_rung=False, cache=home / "local") as local,
                serving(ladder, home / "served") as url,
            ):
                town.ready(1)
                local.respond("Hello", options=Options(max_new_tokens=4))
                ways = {
                    "ModelManager, in the app": lambda: _asked(local),
                    "Fleet, by Ray Serve": lambda: _asked(town.fleet),
                    "gearshift serve, by HTTP": lambda: _over_http(url),
                    "Ray Serve, by HTTP": lambda: _over_http(town.url),
                }
                _table({way: _measured(ask) for way, ask in ways.items()})
            print(
                f"\nThe view of a fleet takes {_reports():,.0f} reports a second from {REPORTERS} that report at once."
            )
        finally:
            town.close()


def _asked(assistant: Any) -> Took:
    times: list[float] = []
    began = time.perf_counter()

    async def ask() -> None:
        async for _ in assistant.stream_response(HELLO, options=Options(max_new_tokens=TOKENS)):
            times.append(time.perf_counter())

    asyncio.run(ask())
    return Took(times[0] - began, (times[-1] - times[0]) / (len(times) - 1))


def _over_http(url: str) -> Took:
    times: list[float] = []
    with openai.OpenAI(base_url=url, api_key="unused") as client:
        client.models.list()  # connected
        began = time.perf_counter()
        stream = client.chat.completions.create(model="gearshift", messages=HELLO, max_tokens=TOKENS, stream=True)
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                times.append(time.perf_counter())
    return Took(times[0] - began, (times[-1] - times[0]) / (len(times) - 1))


def _measured(ask: Callable[[], Took]) -> Took:
    ask()
    took = [ask() for _ in range(ROUNDS)]
    return Took(statistics.median(each.first for each in took), statistics.median(each.token for each in took))


def _table(found: dict[str, Took]) -> None:
    base = next(iter(found.values()))
    print(f"{'':26}{'first token ms':>16}{'more than local':>17}{'per token ms':>14}{'of local':>10}")
    for way, took in found.items():
        print(
            f"{way:26}{took.first * 1e3:>16.1f}{(took.first - base.first) * 1e3:>17.1f}"
            f"{took.token * 1e3:>14.2f}{took.token / base.token:>10.2f}"
        )


def _reports() -> float:
    """A second, by so many threads of this process, each with one at a time on its way."""
    state = serve.get_deployment_handle("State", app_name="gearshift")
    before, end = state.messages.remote().result(), time.monotonic() + SECONDS

    def report(number: int) -> None:
        told = [Standing(f"node{number}", 0.0, "large", 1.0, ready=True)]
        while time.monotonic() < end:
            state.report.remote(f"node{number}", told, assistant=False).result()

    threads = [threading.Thread(target=report, args=(number,)) for number in range(REPORTERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (state.messages.remote().result() - before) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
