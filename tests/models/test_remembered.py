"""What loads have shown is kept by what it holds for, whole at every moment, and forgotten when it no longer holds."""

import logging
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from gearshift.models import Ladder, ModelSpec
from gearshift.models.needs import remembered
from gearshift.models.needs.need import MIB, weight_bytes
from gearshift.models.needs.remembered import CALM, FACTOR, LEAST, Needs


@pytest.fixture
def spec(checkpoints: dict[str, Path]) -> ModelSpec:
    return ModelSpec(name="a", source=str(checkpoints["large"]), context=512)


def held(spec: ModelSpec, more: int = 50 * MIB) -> dict[str, int]:
    return {"ram": weight_bytes(spec.source) + more}


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.iterdir()}


def test_a_load_replaces_the_estimate_and_the_next_run_knows_it(tmp_path: Path, spec: ModelSpec) -> None:
    needs = Needs(tmp_path / "needs")
    before = needs.of(spec)
    assert not before.measured and before == needs.estimated(spec)
    after = needs.learn(spec, held(spec, 70 * MIB))
    assert after.measured
    assert after.need["ram"] == held(spec, 70 * MIB)["ram"] + before.parts["cache"] + before.parts["working"]
    assert Needs(tmp_path / "needs").of(spec) == needs.of(spec) == after


def test_rungs_of_a_ladder_carry_what_was_measured(tmp_path: Path, spec: ModelSpec) -> None:
    needs, ladder = Needs(tmp_path), Ladder([spec])
    assert ladder.rungs(needs)[0].need == ladder.rungs()[0].need
    assert ladder.rungs(needs)[0].need != {"ram": needs.learn(spec, held(spec)).need["ram"]}
    assert ladder.rungs(needs)[0].need == needs.of(spec).need


@pytest.mark.parametrize(
    "changes", [{"dtype": "bfloat16"}, {"context": 256}, {"quantisation": "torchao-int8"}, {"device": "cuda:0"}]
)
def test_another_way_to_run_it_is_estimated_anew(tmp_path: Path, spec: ModelSpec, changes: dict[str, object]) -> None:
    needs = Needs(tmp_path)
    needs.learn(spec, held(spec))
    other = msgspec.structs.replace(spec, **changes)
    assert not needs.of(other).measured and needs.of(spec).measured


def test_other_weights_in_the_same_place_are_estimated_anew(tmp_path: Path, spec: ModelSpec) -> None:
    copy = shutil.copytree(spec.source, tmp_path / "copy")
    needs, there = Needs(tmp_path / "needs"), msgspec.structs.replace(spec, source=str(copy))
    needs.learn(there, held(there))
    assert needs.of(there).measured
    os.utime(copy / "model.safetensors", ns=(1, 1))
    assert not needs.of(there).measured


def test_other_versions_of_the_libraries_are_estimated_anew(
    tmp_path: Path, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    Needs(tmp_path).learn(spec, held(spec))
    monkeypatch.setattr(remembered, "_version", lambda package: f"{package} of another day")
    assert not Needs(tmp_path).of(spec).measured


def test_what_a_process_takes_for_itself_is_learned_for_other_rungs_too(
    tmp_path: Path, spec: ModelSpec, checkpoints: dict[str, Path]
) -> None:
    other = msgspec.structs.replace(spec, source=str(checkpoints["small"]))
    needs = Needs(tmp_path)
    before = needs.of(other)
    known = needs.of(spec)
    needs.learn(spec, {"ram": known.parts["weights"] + known.parts["base"] + 25 * MIB})
    assert needs.of(other).need["ram"] - before.need["ram"] == 25 * MIB and not needs.of(other).measured
    assert needs.estimated(other) == before


def test_an_unlikely_reading_is_not_taken_for_the_process_of_every_rung(
    tmp_path: Path, spec: ModelSpec, checkpoints: dict[str, Path]
) -> None:
    other = msgspec.structs.replace(spec, source=str(checkpoints["small"]))
    needs = Needs(tmp_path)
    before = needs.of(other)
    assert needs.learn(spec, held(spec, 4000 * MIB)).need["ram"] > 4000 * MIB
    assert needs.of(other) == before


def test_memory_that_ran_out_raises_the_need_by_a_fifth_and_at_least_100_mb(tmp_path: Path, spec: ModelSpec) -> None:
    needs = Needs(tmp_path)
    first = needs.of(spec).need["ram"]
    assert needs.ran_out(spec).need["ram"] == first + LEAST
    large = needs.learn(spec, held(spec, 2000 * MIB)).need["ram"]
    assert needs.ran_out(spec).need["ram"] == int(FACTOR * large)
    assert Needs(tmp_path).of(spec).need["ram"] == int(FACTOR * large)
    assert needs.ran_out(spec).need["ram"] == int(FACTOR * int(FACTOR * large))


def test_the_addition_is_forgotten_after_five_loads_in_a_row(tmp_path: Path, spec: ModelSpec) -> None:
    needs = Needs(tmp_path)
    usual = needs.learn(spec, held(spec)).need["ram"]
    raised = needs.ran_out(spec).need["ram"]
    for _ in range(CALM - 1):
        assert needs.learn(spec, held(spec)).need["ram"] == raised
    needs.ran_out(spec)
    for _ in range(CALM - 1):
        assert needs.learn(spec, held(spec)).need["ram"] > raised
    assert needs.learn(spec, held(spec)).need["ram"] == usual


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path, spec: ModelSpec) -> None:
    needs = Needs(tmp_path)
    needs.learn(spec, held(spec))
    before = files(tmp_path)
    assert len(before) == 2
    needs.learn(spec, held(spec, 50 * MIB + 8192))  # a page or two
    needs.of(spec)
    assert files(tmp_path) == before


def test_what_no_loaded_rung_can_hold_is_no_measurement(tmp_path: Path, spec: ModelSpec) -> None:
    needs = Needs(tmp_path / "needs")
    assert needs.learn(spec, {"ram": 0}) == needs.of(spec) and not needs.of(spec).measured
    assert needs.learn(spec, {}) == needs.of(spec)
    assert not (tmp_path / "needs").exists()


@pytest.mark.parametrize("damage", [b"", b"{", b'{"rung": 3}', b"\xff\xfe"])
def test_a_damaged_file_is_told_once_and_made_anew(
    tmp_path: Path, spec: ModelSpec, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    Needs(tmp_path).learn(spec, held(spec))
    (file,) = tmp_path.glob("known-*")
    file.write_bytes(damage)
    needs = Needs(tmp_path)
    assert not needs.of(spec).measured and not needs.of(spec).measured
    assert [str(file) in record.getMessage() for record in caplog.records] == [True]
    needs.learn(spec, held(spec))
    assert Needs(tmp_path).of(spec).measured


def test_a_folder_that_cannot_be_written_is_one_warning(
    tmp_path: Path, spec: ModelSpec, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "needs").write_text("a file where the folder should be")
    needs = Needs(tmp_path / "needs")
    with caplog.at_level(logging.WARNING):
        needs.learn(spec, held(spec))
        needs.ran_out(spec)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and told[0].startswith(f"{tmp_path / 'needs'} can't be used")
    assert needs.of(spec).measured, "it is known to this run"


def test_two_apps_at_once_leave_whole_files(tmp_path: Path, spec: ModelSpec) -> None:
    code = (
        "import sys, msgspec; from gearshift.models import ModelSpec\n"
        "from gearshift.models.needs.remembered import Needs\n"
        "spec, needs = msgspec.json.decode(sys.argv[1], type=ModelSpec), Needs(sys.argv[2])\n"
        "for i in range(40): needs.learn(spec, {'ram': (200 + 5 * i) << 20}); needs.ran_out(spec)"
    )
    command = [sys.executable, "-c", code, msgspec.json.encode(spec).decode(), str(tmp_path)]
    apps = [subprocess.Popen(command) for _ in range(2)]
    needs = Needs(tmp_path)
    while any(app.poll() is None for app in apps):
        needs.of(spec)
    assert [app.returncode for app in apps] == [0, 0]
    assert Needs(tmp_path).of(spec).measured and not list(tmp_path.glob("*.partial"))


def test_threads_share_one(tmp_path: Path, spec: ModelSpec) -> None:
    needs, first = Needs(tmp_path), Needs(tmp_path).of(spec).need["ram"]
    threads = [threading.Thread(target=needs.ran_out, args=[spec]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert needs.of(spec).need["ram"] == first + 4 * LEAST


def test_room_is_asked_only_for_rungs_on_auto(tmp_path: Path, spec: ModelSpec) -> None:
    asked: list[int] = []

    def free() -> dict[str, int]:
        asked.append(1)
        return {"cuda:0": 1 << 40, "ram": 1 << 40}

    needs = Needs(tmp_path, free=free)
    assert set(needs.of(spec).need) == {"ram"} and not asked
    spread = needs.of(msgspec.structs.replace(spec, device="auto"))
    assert asked and spread.need["cuda:0"] > weight_bytes(spec.source)


def test_needs_are_told_without_torch(spec: ModelSpec, tmp_path: Path) -> None:
    code = (
        "import sys; from gearshift.models import ModelSpec; from gearshift.models.needs.remembered import Needs\n"
        f"spec = ModelSpec(name='a', source={spec.source!r})\n"
        f"Needs({str(tmp_path)!r}).learn(spec, {{'ram': 1 << 30}}); Needs({str(tmp_path)!r}).of(spec)\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
