import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from gearshift.pipeline import Header, Pool, Rung, Sample, Settings, load, simulate
from gearshift.pipeline.replayed import rungs_from

from .command import gearshift, imported, said

LEAK = Path(__file__).parents[2] / "recordings" / "leak.jsonl"
# the leak passes 82 % of the machine's 23.5 GiB with the large rung there, and leaves room for the medium one
LADDER = """
[[rung]]
name = "large"
quality = 3.0
need = { ram = 18_926_796_800 }

[[rung]]
name = "medium"
quality = 2.0
need = { ram = 17_825_792_000 }

[[rung]]
name = "small"
need = { ram = 9_437_184_000 }
"""
CLOSE = ["--set", "ceiling.high=0.82", "--set", "hysteresis=0.01", "--load-time", "2"]


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    file = tmp_path / "ladder.toml"
    file.write_text(LADDER)
    return file


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    file = tmp_path / "plain.csv"
    file.write_text("time,used_mib,total_mib\n" + "".join(f"{t},{200 + t},1000\n" for t in range(40)))
    return file


def test_simulate_tells_of_a_real_leak(ladder: Path) -> None:
    done = gearshift("simulate", LEAK, "--ladder", ladder, *CLOSE)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert text.startswith("leak.jsonl: 97 samples over 48.0 s Ladder: 3 rungs, loaded in 2 s Ceilings: high 0.82,")
    parts = ("1 large 3", "2 medium 2", "3 small 1", "- nothing", "Quality: ", "models killed: 0")
    shifts = ("Shift up from nothing to large, planned", "Shift down from large to medium, planned")
    for part in parts + shifts:
        assert part in text, part
    rows = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert set(rows["answered by"][11:].strip()) == set("-12")
    assert len(rows["ram all"]) == len(rows["answered by"]) <= 80
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_holds_what_simulate_gives(ladder: Path) -> None:
    done = gearshift("simulate", LEAK, "--ladder", ladder, *CLOSE, "--json")
    told = json.loads(done.stdout)
    settings = Settings(high=0.82, hysteresis=0.01)
    found = simulate(load(LEAK), rungs_from(ladder), settings, load_time=2.0)
    assert Settings(**told["settings"]) == settings
    assert told["ladder"] == tomllib.loads(LADDER)["rung"][:2] + [{"name": "small", "need": {"ram": 9_437_184_000}}]
    assert {row["rung"]: row["seconds"] for row in told["time_by_rung"]} == found.time_by_rung
    assert told["mean_quality"] == found.mean_quality and told["kills"] == 0
    assert [d["explain"] for d in told["decisions"]] == [d.explain() for d in found.decisions]
    assert [(s["source"], s["target"]) for s in told["shifts"]] == [("large", "medium")]
    assert told["leads"] == [shift["lead"] for shift in told["shifts"] if shift["lead"] is not None]


def test_without_torch_and_in_plain_ascii(ladder: Path) -> None:
    done = gearshift("simulate", LEAK, "--ladder", ladder, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii()
    assert {"torch", "transformers"} & set(imported(done)) == set()


def test_ladder_and_settings_of_the_recording_count_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    header = Header(1, ladder=(Rung("only", {"ram": 100}),), settings=Settings(high=0.5, window=7.0))
    samples = [Sample(float(t), {"ram": Pool(1000, 100)}) for t in range(5)]
    file.write_bytes(b"\n".join(msgspec.json.encode(line) for line in (header, *samples)) + b"\n")
    told = json.loads(gearshift("simulate", file, "--set", "high=0.6", "--json").stdout)
    assert (told["settings"]["high"], told["settings"]["window"]) == (0.6, 7.0)
    assert [rung["name"] for rung in told["ladder"]] == ["only"]


def test_settings_for_a_slow_recording_are_fitted(tmp_path: Path, ladder: Path) -> None:
    file = tmp_path / "slow.csv"
    file.write_text("time,used_mib,total_mib\n" + "".join(f"{60 * t},2000,24000\n" for t in range(9)))
    told = json.loads(gearshift("simulate", file, "--ladder", ladder, "--json").stdout)
    assert (told["settings"]["interval"], told["settings"]["window"], told["load_time"]) == (60.0, 600.0, None)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ("speed=3", ["unknown key 'speed'", "high, hysteresis, critical", "ceiling.high"]),
        ("ceiling.speed=3", ["unknown key 'ceiling.speed'"]),
        ("high", ["wants KEY=VALUE", "high, hysteresis, critical"]),
        ("high=lots", ["high can't be 'lots'", "high=0.8"]),
        ("ceiling.high=1.5", ["high must be a fraction above 0 and at most critical, got high=1.5"]),
        ("high=0.95", ["at most critical (0.92), got high=0.95", "high is from --set, critical is from recording"]),
        ("window=nan", ["window must be seconds above 0"]),
        ("budget=2.5", ["budget can't be '2.5'", "budget=8 GiB"]),
        ("stabilisation=sometimes", ["stabilisation can't be 'sometimes'", "stabilisation=300.0"]),
        ("reserve=7", ["reserve can't be '7'", "reserve={"]),
        ('reserve={"ram": "much"}', ["reserve can't be '{", "Expected `int`"]),
    ],
)
def test_a_bad_change_is_exit_code_2_and_named(ladder: Path, change: str, parts: list[str]) -> None:
    for command in ("simulate", "tune"):
        done = gearshift(command, LEAK, "--ladder", ladder, "--set", change)
        assert (done.returncode, done.stdout) == (2, "")
        assert said(done).startswith(f"gearshift {command}: --set")
        assert [part for part in parts if part not in said(done)] == []


def test_numbers_words_none_and_several_changes_are_taken_together(ladder: Path) -> None:
    changes = ["budget=none", "ceiling.high=0.95", "ceiling.critical=0.97", "ceiling.hysteresis=1e-1"]
    changes += ["stabilisation=adaptive", 'reserve={"ram": 1000}', "max_shifts_per_hour=2"]
    options = [part for change in changes for part in ("--set", change)]
    told = json.loads(gearshift("simulate", LEAK, "--ladder", ladder, *options, "--json").stdout)["settings"]
    assert (told["budget"], told["high"], told["critical"], told["hysteresis"]) == (None, 0.95, 0.97, 0.1)
    assert (told["stabilisation"], told["reserve"], told["max_shifts_per_hour"]) == ("adaptive", {"ram": 1000}, 2)


def test_a_ladder_that_tells_no_qualities_counts_by_its_places(tmp_path: Path) -> None:
    file = tmp_path / "plain.toml"
    file.write_text("\n".join(line for line in LADDER.splitlines() if "quality" not in line))
    told = json.loads(gearshift("simulate", LEAK, "--ladder", file, "--json").stdout)
    assert [rung["quality"] for rung in told["ladder"]] == [3.0, 2.0, 1.0]


def test_a_recording_that_cannot_be_read_is_one_line_and_exit_code_1(tmp_path: Path, ladder: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"gearshift_recording": 1}\n{"record": "sample"}\n')
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"gearshift_recording": 1}\n')
    for file, part in ((bad, f"{bad}:2: "), (empty, "holds no sample"), (tmp_path / "absent", "No such file"),
                       (tmp_path, "Is a directory")):  # fmt: skip
        done = gearshift("simulate", file, "--ladder", ladder)
        assert (done.returncode, done.stdout) == (1, "") and part in said(done)


def test_a_ladder_that_cannot_be_used_is_named(tmp_path: Path, plain: Path) -> None:
    done = gearshift("simulate", LEAK)
    assert done.returncode == 2 and "leak.jsonl names no ladder; pass --ladder FILE" in said(done)
    file = tmp_path / "odd.toml"
    for text, part in (
        ("", "holds no rung"),
        ("[[rung]", "not TOML"),
        ('[[rung]]\nname = "a"\nneed = { vram = 1 }', "rung 'a' needs vram, which"),
        ('[[rung]]\nname = "a"\nneed = { ram = 1 }\n' * 2, "rung names must differ"),
        ('[[rung]]\nname = "a"\nneed = { ram = -5 }', "need must be bytes of at least 0, got ram = -5"),
    ):
        file.write_text(text)
        done = gearshift("simulate", plain, "--ladder", file)
        assert (done.returncode, done.stdout) == (1, "")
        assert said(done).startswith(f"gearshift simulate: {file}: ") and part in said(done)
    assert gearshift("simulate", LEAK, "--ladder", tmp_path / "absent").returncode == 1


def test_a_bad_load_time_is_exit_code_2(ladder: Path) -> None:
    for seconds in ("-1", "nan", "soon"):
        assert gearshift("simulate", LEAK, "--ladder", ladder, "--load-time", seconds).returncode == 2


def test_tune_shows_what_nothing_beats_and_marks_the_present(ladder: Path) -> None:
    done = gearshift("tune", LEAK, "--ladder", ladder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "Of 45 settings" in done.stdout and max(map(len, lines)) <= 80
    assert len([line for line in lines if line.startswith("  > ")]) == 1
    assert lines[-1].startswith("The best: --set high=0.")


def test_tune_as_json_keeps_what_set_fixes(ladder: Path) -> None:
    done = gearshift("tune", LEAK, "--ladder", ladder, "--set", "ceiling.high=0.82", "--json")
    told = json.loads(done.stdout)
    assert told["fixed"] == ["high"] and told["runs"] == 9
    assert {trial["settings"]["high"] for trial in told["best"]} == {0.82}
    assert told["present"]["set"] == ""
