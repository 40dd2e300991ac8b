import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from gearshift.models.commands.completing import recordings, settings_keys
from gearshift.pipeline import Settings
from gearshift.pipeline.tier_file import SHIPPED

from .command import gearshift, imported, said

ONE = '[[tier]]\nname = "only"\nhigh = 0.5\npreferred = ["*3b*"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "mine.toml"
    made.write_text(ONE)
    return made


COMMANDS = (
    "demo", "chat", "serve", "watch", "record", "replay", "simulate", "report", "tune", "plan", "tiers", "settings",
    "doctor",
)  # fmt: skip


@pytest.mark.parametrize("args", [[], *([command] for command in COMMANDS)])
def test_help_imports_no_part_of_the_machinery(args: list[str]) -> None:
    done = gearshift(*args, "--help")
    assert done.returncode == 0 and (args or ["tiers"])[0] in done.stdout
    heavy = {"torch", "transformers", "reactivex", "psutil", "msgspec", "rich", "gearshift.pipeline"}
    assert heavy & set(imported(done)) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_codes_within_80_columns(command: str) -> None:
    told = gearshift(command, "--help").stdout
    assert "Exit codes: 0 " in told
    assert f"Examples:\n    gearshift {command}" in told
    assert max(map(len, told.splitlines())) <= 80


def test_every_command_has_a_line_in_the_help_that_is_whole() -> None:
    told = gearshift("--help").stdout
    rows = [line.split()[0] for line in told.partition("Commands:")[2].splitlines() if line.strip()]
    assert set(COMMANDS) <= set(rows) and "..." not in told.partition("Commands:")[2]


def test_a_misspelt_command_gets_a_suggestion() -> None:
    done = gearshift("simulte")
    assert done.returncode == 2 and "Did you mean 'simulate'?" in done.stderr


def test_the_version_is_told() -> None:
    assert gearshift("--version").stdout == f"gearshift {version('gearshift')}\n"


@pytest.mark.parametrize("command", ["--help", "tiers", "doctor"])
def test_a_reader_that_has_gone_ends_it_quietly(command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from gearshift.models.commands.cli import main; main()"
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-c", code, command], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_the_shell_completes_keys_and_recordings(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").touch()
    (tmp_path / "notes.md").touch()
    (tmp_path / "runs").mkdir()
    assert list(recordings(f"{tmp_path}/r")) == [f"{tmp_path}/run.jsonl", f"{tmp_path}/runs/"]
    assert list(recordings(f"{tmp_path}/n")) == list(recordings(f"{tmp_path}/absent/x")) == []
    assert list(settings_keys("sta")) == ["stabilisation=", "stall="]
    shell = {"_GEARSHIFT_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    done = subprocess.run(
        [Path(sys.executable).with_name("gearshift")], capture_output=True, text=True, check=False,
        env={**os.environ, **shell, "COMP_WORDS": "gearshift sim"},
    )  # fmt: skip
    assert done.stdout.split() == ["simulate"]


def test_tiers_imports_neither_torch_nor_transformers() -> None:
    done = gearshift("tiers")
    assert done.returncode == 0
    assert {"torch", "transformers"} & set(imported(done)) == set()
    assert "gearshift.pipeline.tiers" in imported(done)


def test_tiers_tells_the_verdict_why_and_all_tiers_with_this_one_marked() -> None:
    found = json.loads(gearshift("tiers", "--json").stdout)
    lines = gearshift("tiers").stdout.splitlines()
    assert " ".join(" ".join(lines).split()).startswith(found["why"])
    names = [tier["name"] for tier in tomllib.loads(SHIPPED.read_text("utf-8"))["tier"]]
    rows = [line for line in lines if any(line[2:].startswith(name) for name in names)]
    assert [row[2:].split()[0] for row in rows] == names
    assert [row[2:].split()[0] for row in rows if row[0] == ">"] == [found["tier"]]
    assert lines[-1] == f"Tiers are from {SHIPPED}"


def test_tiers_fits_a_terminal_of_80_columns_without_cutting_a_word() -> None:
    done = gearshift("tiers")
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert "…" not in done.stdout


def test_tiers_in_plain_ascii_where_the_terminal_has_no_more() -> None:
    done = gearshift("tiers", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii()


def test_json_is_one_object_for_programs(file: Path) -> None:
    found = json.loads(gearshift("tiers", "--json", "--tiers", file).stdout)
    assert list(found) == [
        "tier", "why", "memory", "cores", "accelerators", "settings", "preferred", "file", "tiers",
    ]  # fmt: skip
    assert (found["tier"], found["preferred"], found["file"]) == ("only", ["*3b*"], str(file))
    assert Settings(**found["settings"]) == Settings(high=0.5)
    assert found["memory"] > 1 << 20 and found["cores"] > 0
    assert [(tier["name"], tier["high"]) for tier in found["tiers"]] == [("only", 0.5)]


def test_the_option_wins_over_the_variable(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(ONE.replace("only", "other"))
    assert json.loads(gearshift("tiers", "--json", tiers=other).stdout)["tier"] == "other"
    assert json.loads(gearshift("tiers", "--json", "--tiers", file, tiers=other).stdout)["tier"] == "only"


def test_tiers_that_cannot_be_used_are_one_line_and_exit_code_1(file: Path) -> None:
    file.write_text(ONE + "speed = 3")
    done = gearshift("tiers", "--tiers", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert said(done).startswith(f"gearshift tiers: {file}: tier[0] 'only': unknown key speed = 3; ")
    assert gearshift("tiers", tiers=file.parent / "absent").returncode == 1


def test_wrong_usage_is_exit_code_2() -> None:
    assert gearshift("tiers", "--speed").returncode == 2
    assert gearshift("tiers", "--tiers").returncode == 2
    assert gearshift("demo", "--recording", "/nowhere/run.jsonl").returncode == 2
