import json
from pathlib import Path

import pytest
from gearshift.models import ModelSpec
from gearshift.models.commands.plan_report import judged
from gearshift.models.needs.need import Need
from gearshift.models.needs.remembered import Needs
from gearshift.pipeline import Pool, Settings

from .command import gearshift, imported, said


@pytest.fixture
def file(tmp_path: Path, checkpoints: dict[str, Path]) -> Path:
    made = tmp_path / "ladder.toml"
    names = ("large", "medium", "small")
    made.write_text("".join(f'[[rung]]\nname = "{n}"\nsource = "{checkpoints[n]}"\ncontext = 512\n' for n in names))
    return made


def test_the_ladder_is_told_with_estimates_and_what_fits(file: Path, tmp_path: Path) -> None:
    done = gearshift("plan", "--ladder", file, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"The ladder of {file}"
    rows = [line.split() for line in lines if line.split(" ")[0] in ("large", "medium", "small")]
    assert [row[0] for row in rows] == ["large", "medium", "small"]
    assert all(row[5] == "-" and row[-1] == "yes" for row in rows)
    assert "Nothing is measured yet" in lines[-1]
    assert max(map(len, lines[1:])) <= 80 and "…" not in done.stdout


def test_what_was_measured_stands_beside_the_estimate(file: Path, tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="large", source=str(checkpoints["large"]), context=512)
    known = Needs(tmp_path / "gearshift" / "needs").learn(spec, {"ram": 300 << 20})
    found = json.loads(gearshift("plan", "--ladder", file, "--json", XDG_CACHE_HOME=str(tmp_path)).stdout)
    rungs = {rung["name"]: rung for rung in found["rungs"]}
    assert rungs["large"]["need"]["need"] == known.need and rungs["large"]["need"]["measured"]
    assert rungs["large"]["estimated"]["need"] != known.need
    assert not rungs["medium"]["need"]["measured"] and rungs["medium"]["fits"] is True
    assert found["ladder"] == str(file)
    ram = found["pools"]["ram"]
    assert 0 < ram["used"] < ram["total"] and ram["limit"] == int(found["ceiling"] * ram["total"])
    assert set(rungs["small"]["estimated"]["parts"]) == {"weights", "cache", "working", "base"}


def test_a_rung_that_does_not_fit_says_in_which_pool_and_by_how_much(
    file: Path, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    spec = ModelSpec(name="large", source=str(checkpoints["large"]), context=512)
    Needs(tmp_path / "gearshift" / "needs").learn(spec, {"ram": 1 << 44})
    done = gearshift("plan", "--ladder", file, XDG_CACHE_HOME=str(tmp_path))
    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "large does not fit: ram: " in text and "may be in use" in text
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("large ") and " 512 " in line]
    assert row.split()[-1] == "no"


def test_the_pool_with_the_least_to_spare_decides() -> None:
    pools: dict[str, Pool | None] = {"ram": Pool(100 << 30, 10 << 30), "cuda:0": Pool(10 << 30, 5 << 30)}
    settings = Settings(high=0.8)
    fits, why = judged(Need({"ram": 1 << 30, "cuda:0": 3 << 30}, {}), pools, settings)
    assert fits is True and why == "cuda:0: 3.00 GiB left, 5.00 in use; 8.00 GiB of 10.00 may be in use"
    assert judged(Need({"ram": 1 << 30, "cuda:0": (3 << 30) + 1}, {}), pools, settings)[0] is False
    assert judged(Need({"ram": 1, "cuda:1": 1}, {}), pools, settings) == (None, "cuda:1 can't be read")


def test_plan_starts_without_torch(file: Path, tmp_path: Path) -> None:
    done = gearshift("plan", "--ladder", file, XDG_CACHE_HOME=str(tmp_path))
    assert {"torch", "transformers", "accelerate", "huggingface_hub"} & set(imported(done)) == set()


def test_a_ladder_that_can_not_be_used_is_one_line_and_exit_code_1(
    file: Path, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    file.write_text('[[rung]]\nname = "a"\nsource = "absent"\n')
    done = gearshift("plan", "--ladder", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert said(done).startswith(f"gearshift plan: {file}: rung[0].source: ")
    rung = f'[[rung]]\nname = "{{}}"\nsource = "{checkpoints["small"]}"\nquality = {{}}\n'
    file.write_text(rung.format("a", 1) + rung.format("b", 2))
    assert said(gearshift("plan", "--ladder", file)).startswith(f"gearshift plan: {file}: ladder must be best first")
    empty = {"XDG_CACHE_HOME": str(tmp_path / "empty"), "HF_HUB_CACHE": str(tmp_path / "none")}
    done = gearshift("plan", **empty)
    assert done.returncode == 1 and "hf download" in said(done)
    tiers = gearshift("plan", tiers=file)
    assert tiers.returncode == 1


def test_wrong_usage_is_exit_code_2() -> None:
    assert gearshift("plan", "--speed").returncode == 2


def test_help_imports_no_part_of_the_machinery() -> None:
    done = gearshift("plan", "--help")
    assert done.returncode == 0 and "--ladder" in done.stdout
    assert {"torch", "transformers", "reactivex", "psutil", "msgspec", "gearshift.pipeline"} & set(
        imported(done)
    ) == set()
