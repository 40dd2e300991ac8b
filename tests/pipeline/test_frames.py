from pathlib import Path
from typing import Any, Literal

import pytest
from gearshift.pipeline import Device, Pool, Pressure, Recorder, Sample, load, to_frame

SAMPLES = [
    Sample(1.0, {"ram": Pool(100, 60, 20), "cuda:0": None}, wall=1.7e9, missing=("cuda:0",)),
    Sample(
        2.0,
        {"ram": Pool(100, 70), "cuda:0": Pool(50, 5)},
        cpu=0.5,
        alarm=False,
        pressure={"memory": Pressure(0.25, 0.0)},
        devices={"cuda:0": Device(0.75, throttled=("sw_power_cap", "reliability"))},
    ),
]
both = pytest.mark.parametrize("library", ["polars", "pandas"])


def column(frame: Any, name: str) -> list[Any]:
    return [None if value != value else value for value in frame[name].to_list()]


@both
def test_each_sample_is_a_row_and_each_reading_a_column(library: Literal["polars", "pandas"]) -> None:
    frame = to_frame(SAMPLES, library=library)
    assert type(frame).__module__.split(".")[0] == library
    assert {name: column(frame, name) for name in frame.columns} == {
        "time": [1.0, 2.0],
        "wall": [1.7e9, None],
        "ram.total": [100, 100],
        "ram.used": [60, 70],
        "ram.own": [20, 0],
        "ram.external": [40, 70],
        "cuda:0.total": [None, 50],
        "cuda:0.used": [None, 5],
        "cuda:0.own": [None, 0],
        "cuda:0.external": [None, 5],
        "cpu": [None, 0.5],
        "alarm": [None, False],
        "interval": [0.0, 0.0],
        "memory.some": [None, 0.25],
        "memory.full": [None, 0.0],
        "cuda:0.utilisation": [None, 0.75],
        "cuda:0.throttled": [None, "sw_power_cap, reliability"],
        "missing": ["cuda:0", None],
    }


@both
def test_path_recording_and_samples_give_one_table(tmp_path: Path, library: Literal["polars", "pandas"]) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    for sample in SAMPLES:
        recorder.write(sample)
    recorder.close()
    expect = to_frame(SAMPLES, library=library)
    for source in (tmp_path / "run.jsonl", str(tmp_path / "run.jsonl"), load(tmp_path / "run.jsonl")):
        assert to_frame(source, library=library).equals(expect)


@both
def test_no_samples_are_an_empty_table(library: Literal["polars", "pandas"]) -> None:
    assert len(to_frame([], library=library)) == 0


def test_takes_a_library_that_is_installed_and_names_one_that_is_not() -> None:
    assert type(to_frame(SAMPLES)).__module__.split(".")[0] in ("polars", "pandas")
    with pytest.raises(ValueError, match="library must be 'polars', 'pandas' or None, got library='arrow'"):
        to_frame(SAMPLES, library="arrow")  # type: ignore[arg-type]
