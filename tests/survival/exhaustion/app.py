"""An app inside the group: asks one thing after another, and prints what happens as lines of JSON.

python -m tests.survival.exhaustion.app LADDER CACHE SETTINGS [GROUP]; it ends with its standard input. With a GROUP,
workers live in that control group.
"""

import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from gearshift.models import Ladder, ModelManager, NoRungFits, Options
from gearshift.models.hosts.process import ProcessHost
from gearshift.pipeline import Settings

LONG = Options(max_new_tokens=48)
_printing = threading.Lock()


def say(kind: str, **fields: Any) -> None:
    with _printing:
        print(json.dumps({"kind": kind, "time": time.monotonic(), **fields}), flush=True)


def host_in(folder: Path | None) -> ProcessHost:
    """A host whose fork server, and so every worker, lives in this control group."""
    host = ProcessHost()
    if folder is not None:
        host.warm()
        servers = [child.pid for child in psutil.Process().children()]
        for pid in servers:
            (folder / "cgroup.procs").write_text(str(pid))
    return host


def talk(manager: ModelManager, over: threading.Event) -> None:
    for number in itertools.count():
        if over.is_set():
            return
        begun: list[str] = []

        def heard(text: str, number: int = number, begun: list[str] = begun) -> None:
            if not begun:
                say("writing", number=number, rung=manager.rung)
            begun.append(text)

        say("asked", number=number)
        try:
            reply = manager.respond("Go on.", f"talk {number}", options=LONG, on_text=heard)
        except NoRungFits as error:
            say("refused", number=number, why=str(error), partial=error.partial)
            over.wait(0.5)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a reply that never came
            say("lost", number=number, why=repr(error))
        else:
            whole = "".join(begun) == str(reply)
            say("reply", number=number, rungs=reply.rungs, end=reply.end, whole=whole, seconds=reply.seconds)


def main() -> None:
    ladder, cache, settings, *folder = sys.argv[1:]
    over = threading.Event()
    host = host_in(Path(folder[0]) if folder else None)
    manager = ModelManager(Ladder.from_toml(ladder), Settings(**json.loads(settings)), host=host, cache=cache)
    manager.decisions.subscribe(
        lambda d: say("decision", way=d.kind, source=d.source, target=d.target, urgency=d.urgency, rule=d.reason.rule,
                      told=d.explain())
    )  # fmt: skip
    manager.outcomes.subscribe(lambda o: say("outcome", how=o.kind, target=o.decision.target, why=o.reason))
    manager.notices.subscribe(lambda notice: say("notice", text=str(notice)))
    manager.scaler.samples.subscribe(_sampled)
    talking = threading.Thread(target=talk, args=(manager, over))
    talking.start()
    sys.stdin.read()
    over.set()
    talking.join()
    manager.shutdown()
    host.close()
    say("ended")


def _sampled(sample: Any) -> None:
    pool, memory = sample.pools["ram"], (sample.pressure or {}).get("memory")
    if pool is not None:
        say("sample", total=pool.total, used=pool.used, own=pool.own, full=memory.full if memory else None)


if __name__ == "__main__":
    main()
