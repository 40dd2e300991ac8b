"""An app that does all that gearshift can, for others to look at from outside: `python -m tests.models.private_app`.

Arguments: a ladder's file, and the folder in which it keeps `cache`, `saved` and everything that may be shown around.
On stdin comes the question, so that it is no argument of a process; on stdout one line of JSON for each step.
"""

import contextlib
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from gearshift.models import ModelManager, Options
from gearshift.pipeline import load, record
from gearshift.pipeline.telemetry import PrometheusMetrics
from gearshift.pipeline.views.live_cell import LiveCell
from gearshift.pipeline.views.report.report import write_report
from prometheus_client import CollectorRegistry


def say(**told: Any) -> None:
    print(json.dumps(told), flush=True)


def sockets() -> list[str]:
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them
            found.append(str(handle.readlink()))
    return [name for name in found if name.startswith("socket:")]


def children_see() -> list[str]:
    """Sockets in a child that was forked, and in one that was started with all handles left open."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(sockets()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        forked = json.loads(told.read())
    os.wait()
    started = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, close_fds=False, check=True)
    return forked + re.findall(r"socket:\S+", started.stdout)


def main(ladder: str, folder: Path) -> None:
    for name in ("shown", "saved"):
        (folder / name).mkdir()
    logging.basicConfig(level=logging.DEBUG, filename=folder / "shown" / "log", format="%(name)s %(message)s")
    logging.getLogger("gearshift").setLevel(logging.DEBUG)
    asked = json.loads(sys.stdin.readline())
    metrics = PrometheusMetrics(CollectorRegistry())
    notices: list[Any] = []
    outcomes: list[Any] = []
    replies: list[Any] = []
    with ModelManager(ladder, cache=folder / "cache", system=asked["system"]) as manager:
        metrics.follow(manager)
        manager.notices.subscribe(notices.append)
        manager.outcomes.subscribe(outcomes.append)
        manager.replies.subscribe(replies.append)
        recording = folder / "shown" / "run.jsonl"
        with record(
            manager.scaler.samples, recording, decisions=manager.decisions, residencies=manager.residencies,
            asked=manager.scaler.asked,
        ):  # fmt: skip
            reply = manager.respond(asked["question"], options=Options(max_new_tokens=60))
            cell = LiveCell(manager.scaler)
            refused = ""
            try:
                manager.respond(asked["refused"], "other")
            except Exception as error:  # noqa: BLE001 - the app is told, whatever it is
                refused = f"{type(error).__name__}: {error}"
            manager.scaler.initiate_graceful_degradation("the user began a game")
            preflight = manager.scaler.check_preflight_resources()
            say(reply=str(reply), refused=refused, inherited=children_see())
            sys.stdin.readline()
            manager.save(folder / "saved" / "conversations.json")
            shown = [*notices, *outcomes, *replies, cell, preflight]
            (folder / "shown" / "objects").write_text("\n".join(map(repr, shown)))
            (folder / "shown" / "metrics").write_bytes(metrics.exposition()[0])
    write_report(load(recording), folder / "shown" / "report.html")
    say(ended=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
