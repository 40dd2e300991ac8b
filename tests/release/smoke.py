"""Everything that gearshift promises without extras, once: `python smoke.py RECORDING`.

Run by an environment that holds gearshift alone, in a folder that holds this file, `trying.py` and `checkpoints.py`.
"""

import asyncio
import importlib
import json
import os
import pkgutil
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import psutil
import reactivex
from checkpoints import make_checkpoint
from trying import gearshift, tried

RECORDING = Path(sys.argv[1])
OF_EXTRAS = {"anywidget", "fastapi", "opentelemetry", "prometheus_client", "pytest", "starlette", "uvicorn"}
SIZES = """
[[rung]]
name = "large"
need = {ram = 18_500_000_000}

[[rung]]
name = "small"
need = {ram = 4_000_000_000}
"""


def the_version_is_that_of_the_metadata() -> str:
    assert gearshift("--version").strip() == f"gearshift {version('gearshift')}"
    return version("gearshift")


def every_file_of_the_distribution_is_on_disk() -> str:
    files = distribution("gearshift").files or []
    missing = [str(file) for file in files if not Path(str(file.locate())).is_file()]
    assert files and not missing, missing
    return f"{len(files)}, {sum(not file.name.endswith('.py') for file in files)} of them no Python"


def every_module_can_be_imported_from_here_alone() -> str:
    """One that an extra is for may ask for that extra's packages."""
    import gearshift

    names = [module.name for module in pkgutil.walk_packages(gearshift.__path__, "gearshift.")]
    waiting = {}
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            waiting[name] = (error.name or "").partition(".")[0]
    assert set(waiting.values()) <= OF_EXTRAS, waiting
    loaded = [module for name, module in sys.modules.items() if name.startswith("gearshift.")]
    outside = [m.__name__ for m in loaded if m.__file__ and not Path(m.__file__).is_relative_to(sys.prefix)]
    assert loaded and not outside, outside
    told = ", ".join(f"{name} for {package}" for name, package in waiting.items())
    return f"{len(names)}; waiting for extras: {told or 'none'}"


def help_names_the_commands() -> str:
    told = gearshift("--help")
    assert all(name in told for name in ("demo", "chat", "watch", "report", "doctor"))
    return f"{len(told.splitlines())} lines"


def tiers_are_read_from_their_file() -> str:
    return json.loads(gearshift("tiers", "--json"))["tier"]


def doctor_finds_all_that_is_needed() -> str:
    found = json.loads(gearshift("doctor", "--json"))
    assert found["broken"] == []
    remedies = {wanting["remedy"] for wanting in found["missing"]}
    return "not there: " + ", ".join(sorted(r.removeprefix("pip install ") for r in remedies if "pip install" in r))


def operators_work_on_a_stream() -> str:
    from gearshift import operators as gs

    seen: list[bool] = []
    warming = reactivex.of(*[gs.Stamped(60.0 * minute, 20 + 0.25 * minute) for minute in range(30)])
    warming.pipe(gs.trend(600), gs.calibrated(180, alpha=0.2, window=3600), gs.hysteresis(low=22, high=25)).subscribe(
        lambda state: seen.append(state.value)
    )
    assert seen[0] is False and seen[-1] is True
    return f"{len(seen)} items, opened at item {seen.index(True)}"


def a_replay_decides() -> str:
    from gearshift.pipeline import Residency, Rung, replayed

    ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000})]
    decisions = replayed(RECORDING, ladder, residencies=[Residency(0.0, "ready", "large")])
    assert [decision.target for decision in decisions][:1] == ["small"]
    return decisions[0].explain().split(":")[0]


def a_simulation_shifts_in_time() -> str:
    Path("sizes.toml").write_text(SIZES)
    told = json.loads(gearshift("simulate", RECORDING, "--ladder", "sizes.toml", "--load-time", "3", "--json"))
    assert told["effective_quality"] > 0
    return f"quality {told['effective_quality']:.3f}"


def a_report_is_one_page() -> str:
    gearshift("report", RECORDING, "--ladder", "sizes.toml", "--load-time", "3", "-o", "report.html")
    page = Path("report.html").read_text("utf-8")
    assert "plotly-basic" in page or "plotly.js" in page
    assert 'src="http' not in page and "<style" in page
    return f"{len(page.encode()) >> 10} KiB"


def a_real_model_answers_in_a_worker_process() -> str:
    from gearshift.models import ModelManager, Options

    ladder = _ladder()
    with ModelManager(ladder, cache=Path("cache").resolve(), system="Be brief.") as manager:
        reply = manager.respond("Hello", options=Options(max_new_tokens=12), timeout=400)
        workers = [process.pid for process in psutil.Process().children(recursive=True)]
        assert reply and reply.rungs == ("large",), repr(reply)
        assert len(workers) >= 2, "there is no fork server with a worker"
        streamed = asyncio.run(_streamed(manager))
    gone = [pid for pid in workers if psutil.pid_exists(pid) and psutil.Process(pid).ppid() == os.getpid()]
    assert streamed and not gone, gone
    told = f"{len(reply)} letters and {len(streamed)} in a stream, by {' and '.join(reply.rungs)}"
    return f"{told}; its {len(workers)} processes have ended"


def _ladder() -> Path:
    tables = []
    for name, hidden in (("large", 128), ("small", 64)):
        folder = make_checkpoint(Path(name).resolve(), hidden)
        tables.append(f'[[rung]]\nname = "{name}"\nsource = "{folder}"\ncontext = 512\n')
    Path("ladder.toml").write_text("\n".join(tables))
    return Path("ladder.toml")


async def _streamed(manager) -> str:
    from gearshift.models import Options

    stream = manager.stream_response("And again", options=Options(max_new_tokens=8), timeout=400)
    return "".join([piece async for piece in stream])


if __name__ == "__main__":
    checks = [
        the_version_is_that_of_the_metadata, every_file_of_the_distribution_is_on_disk, help_names_the_commands,
        tiers_are_read_from_their_file, doctor_finds_all_that_is_needed, operators_work_on_a_stream, a_replay_decides,
        a_simulation_shifts_in_time, a_report_is_one_page, a_real_model_answers_in_a_worker_process,
        every_module_can_be_imported_from_here_alone,
    ]  # fmt: skip
    sys.exit(tried(checks))
