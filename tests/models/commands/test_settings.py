import json
from pathlib import Path

import pytest
from gearshift.pipeline import Settings
from gearshift.pipeline.settings import ABOUT

from .command import gearshift, imported, said


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "mine.toml"
    made.write_text("alpha = 0.2\n[reserve]\nram = '4 GiB'\n")
    return made


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    made = tmp_path / "tiers.toml"
    made.write_text('[[tier]]\nname = "only"\nhigh = 0.6\n')
    return made


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    return {line[0]: line[1].split() for line in lines if line and line[0] in ABOUT}


def test_it_shows_each_setting_with_its_value_unit_and_where_it_is_from(file: Path, tiers: Path) -> None:
    done = gearshift(
        "settings", "--set", "ceiling.critical=0.7", "--file", file,
        tiers=tiers, GEARSHIFT_GAP="20", GEARSHIFT_PORT="tcp://10.0.0.1:80",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = rows(done.stdout)
    assert list(shown) == list(ABOUT)
    assert shown["critical"] == ["70%", "--set"]
    assert shown["alpha"] == ["20%", "file"] and shown["reserve"] == ["ram", "4.00", "GiB", "file"]
    assert shown["gap"] == ["20", "s", "environment", "GEARSHIFT_GAP"]
    assert shown["high"] == ["60%", "tier", "only"] and shown["retry"] == ["60", "s", "default"]
    assert done.stdout.splitlines()[-2:] == [
        f"The settings file is {file}", "Left alone, as they are no settings: GEARSHIFT_PORT",
    ]  # fmt: skip
    assert {"torch", "transformers"} & set(imported(done)) == set()


def test_a_variable_that_a_stronger_place_silences_is_told(file: Path, tiers: Path) -> None:
    def run(*args: str) -> str:
        return gearshift("settings", *args, tiers=tiers, GEARSHIFT_SETTINGS=str(file), GEARSHIFT_ALPHA="0.1").stdout

    told = f"GEARSHIFT_ALPHA is set too, but doesn't count: file {file} is stronger"
    assert run().splitlines()[-1] == told and told in run("alpha") and "is set too" not in run("gap")
    assert json.loads(run("--json"))["unheard"] == {"alpha": "GEARSHIFT_ALPHA"}
    assert "doesn't count: --set is stronger" in run("--set", "alpha=0.3")


def test_without_a_file_it_tells_where_one_would_be(tmp_path: Path) -> None:
    last = gearshift("settings", XDG_CONFIG_HOME=str(tmp_path)).stdout.splitlines()[-1]
    assert last == f"There is no settings file; one would be {tmp_path}/gearshift/settings.toml"


def test_the_usual_file_and_the_variables_count_in_commands_that_use_this_machines_settings(
    file: Path, tiers: Path
) -> None:
    done = gearshift("settings", "--json", tiers=tiers, GEARSHIFT_SETTINGS=str(file))
    assert json.loads(done.stdout)["settings"]["alpha"]["source"] == f"file {file}"
    for command in ("plan", "settings"):
        refused = gearshift(command, tiers=tiers, GEARSHIFT_HIHG="1")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert said(refused).startswith(
            f"gearshift {command}: GEARSHIFT_HIHG: no such setting; did you mean GEARSHIFT_HIGH"
        )
    broken = json.loads(gearshift("doctor", "--json", GEARSHIFT_HIGH="3").stdout)["broken"]
    assert [one["what"].startswith("GEARSHIFT_HIGH: high must be a fraction") for one in broken] == [True]


def test_one_key_is_explained_with_the_ways_to_set_it(tiers: Path) -> None:
    told = gearshift("settings", "ceiling.high", tiers=tiers).stdout
    assert told.startswith("high: 60%, from tier only\n  Shrink when use would pass it. ")
    assert told.splitlines()[-3:] == ["    --set high=0.8", "    GEARSHIFT_HIGH=0.8", "    in the file: high = 0.8"]


def test_all_are_explained_within_80_columns_in_plain_ascii() -> None:
    done = gearshift("settings", "--describe", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii() and max(map(len, done.stdout.splitlines())) <= 80
    told = " ".join(done.stdout.split())
    assert [name for name, about in ABOUT.items() if f"{about.what} " not in told or about.why not in told] == []


def test_json_is_one_object_of_which_settings_can_be_made(file: Path, tiers: Path) -> None:
    told = json.loads(gearshift("settings", "--json", "--file", file, tiers=tiers).stdout)["settings"]
    made = Settings(**{name: one["value"] for name, one in told.items()})
    assert made == Settings(high=0.6, alpha=0.2, reserve={"ram": 4 << 30})
    assert {name: one["default"] for name, one in told.items()} == {n: getattr(Settings(), n) for n in ABOUT}
    assert list(told["high"]) == ["value", "source", "unit", "allowed", "default", "what", "why"]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["hihg"], 2, "unknown key 'hihg'; did you mean high? The keys are high, "),
        (["--set", "hihg=1"], 2, "--set hihg=1: unknown key 'hihg'; did you mean high?"),
        (
            ["--set", "high=0.99"],
            2,
            "--set: high must be a fraction above 0 and at most critical (0.92), got high=0.99; ",
        ),
        (["--file", "absent.toml"], 1, "absent.toml: can't be read: No such file or directory; "),
    ],
)
def test_what_cannot_be_is_one_line(tiers: Path, args: list[str], code: int, told: str) -> None:
    done = gearshift("settings", *args, tiers=tiers)
    assert (done.returncode, done.stdout) == (code, "")
    assert said(done).startswith(f"gearshift settings: {told}")


def test_a_recording_means_what_it_says_whatever_its_reader_has_set(file: Path) -> None:
    leak = Path(__file__).parents[2] / "recordings" / "leak.jsonl"
    ladder = file.with_name("ladder.toml")
    ladder.write_text('[[rung]]\nname = "small"\nneed = {ram = 4_000_000_000}\n')
    plain, beside = (
        gearshift("simulate", leak, "--ladder", ladder, "--json", **more).stdout
        for more in ({}, {"GEARSHIFT_SETTINGS": str(file), "GEARSHIFT_HIGH": "0.3"})
    )
    assert json.loads(plain) == json.loads(beside)
