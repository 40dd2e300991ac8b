import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gearshift.pipeline import (
    Asked,
    Decision,
    Device,
    Mark,
    Pool,
    Pressure,
    Reason,
    Recorder,
    Residency,
    Rung,
    Sample,
    Settings,
    load,
    record,
)
from gearshift.pipeline.lines import decode, encode
from gearshift.pipeline.testing import samples_of
from gearshift.pipeline.words import Performed
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject

FULL = Sample(
    time=12.5,
    pools={"ram": Pool(100, 60, 20), "cuda:0": None, "cuda:1": Pool(50, 5)},
    devices={"cuda:1": Device(0.5, 61.0, 120.5, 7, ("thermal",), 0)},
    cpu=0.25,
    load=1.5,
    swap_used=0,
    swap_in=10.0,
    pressure={"memory": Pressure(0.1, 0.0), "io": Pressure(0.0, 0.0)},
    alarm=True,
    interval=0.1,
    wall=1.7e9,
    missing=("cuda:0",),
)
DECISION = Decision("downgrade", "large", None, "planned", 13.0, Reason("forecast", "ram", 100, seconds_left=4.5))
RESIDENCY = Residency(14.0, "ready", "small", "large", 2.5)
MARK = Mark(15.0, "the build begins")
ASKED = Asked(16.0, "a game", immediate=True)
PERFORMED = Performed(17.0, "generate", 2.5, False, "small")

both = pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])


@pytest.mark.parametrize("line", [FULL, DECISION, RESIDENCY, MARK, ASKED, PERFORMED, Sample(0.0, {})])
def test_every_kind_of_line_comes_back_as_it_was(line: Sample) -> None:
    assert decode(encode(line)) == line


numbers = st.floats(allow_nan=False, allow_infinity=False)
pools = st.builds(Pool, st.integers(1, 1 << 50), st.integers(0, 1 << 50), st.integers(0, 1 << 50))


@given(
    st.builds(
        Sample,
        time=numbers,
        pools=st.dictionaries(st.text(), st.none() | pools),
        cpu=st.none() | numbers,
        alarm=st.none() | st.booleans(),
        missing=st.lists(st.text()).map(tuple),
    )
)
def test_any_sample_comes_back_as_it_was(sample: Sample) -> None:
    assert decode(encode(sample)) == sample
    assert encode(sample).count(b"\n") == 1


@both
def test_all_that_is_told_of_stands_in_one_file_in_order(tmp_path: Path, name: str) -> None:
    samples, decisions, residencies = Subject[Sample](), Subject[Decision](), Subject[Residency]()
    marks, asked = Subject[Mark](), Subject[Asked | Performed]()
    ladder = [Rung("large", {"ram": 60}), Rung("small", {"ram": 20})]
    wire = record(
        samples, tmp_path / name, decisions=decisions, residencies=residencies, marks=marks, asked=asked,
        ladder=ladder, settings=Settings(high=0.7),
    )  # fmt: skip
    samples.on_next(FULL)
    decisions.on_next(DECISION)
    residencies.on_next(RESIDENCY)
    marks.on_next(MARK)
    asked.on_next(ASKED)
    asked.on_next(PERFORMED)
    samples.on_next(FULL)
    wire.dispose()
    samples.on_next(FULL)
    found = load(tmp_path / name)
    assert found.lines == [FULL, DECISION, RESIDENCY, MARK, ASKED, PERFORMED, FULL]
    assert (found.samples, found.decisions, found.residencies, found.marks, found.asked) == (
        [FULL, FULL], [DECISION], [RESIDENCY], [MARK], [ASKED, PERFORMED],
    )  # fmt: skip
    assert found.header is not None and found.header.machine is not None
    assert (list(found.header.ladder), found.header.settings) == (ladder, Settings(high=0.7))
    assert found.header.machine.memory > 0 and found.header.tier
    if name == "run.jsonl":
        kinds = [json.loads(line).get("record") for line in (tmp_path / name).read_text().splitlines()]
        assert kinds == [None, "sample", "decision", "residency", "mark", "asked", "performed", "sample"]


def test_ends_with_its_samples_and_lets_go_of_all_streams(tmp_path: Path) -> None:
    samples, decisions = Subject[Sample](), Subject[Decision]()
    record(samples, tmp_path / "run.jsonl", decisions=decisions)
    samples.on_next(FULL)
    samples.on_completed()
    assert not decisions.observers
    assert load(tmp_path / "run.jsonl").samples == [FULL]


def test_a_stream_that_fails_ends_the_recording_and_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples, decisions = Subject[Sample](), Subject[Decision]()
    record(samples, tmp_path / "run.jsonl", decisions=decisions)
    with caplog.at_level(logging.ERROR):
        decisions.on_error(OSError("lost"))
    assert "run.jsonl ends here: lost" in caplog.text and not samples.observers


@both
def test_a_file_that_is_there_is_kept_under_another_name(tmp_path: Path, name: str) -> None:
    for i in range(4):
        recorder = Recorder(tmp_path / name, keep=2)
        recorder.write(Sample(float(i), {}))
        recorder.close()
    found = {path.name: load(path).samples[0].time for path in tmp_path.iterdir()}
    first, _, ending = name.partition(".")
    assert found == {name: 3.0, f"{first}.1.{ending}": 2.0, f"{first}.2.{ending}": 1.0}


@both
def test_a_file_that_grows_too_large_is_followed_by_another(tmp_path: Path, name: str) -> None:
    recorder = Recorder(tmp_path / name, max_bytes=2000, keep=100)
    samples = samples_of(range(500))
    for sample in samples:
        recorder.write(sample)
    recorder.close()
    files = sorted(tmp_path.iterdir(), key=lambda path: load(path).samples[0].time)
    assert len(files) > 5 and all(path.stat().st_size <= 2100 for path in files)
    assert [sample for path in files for sample in load(path).samples] == samples
    assert all(load(path).header is not None for path in files)


def test_a_folder_and_a_file_that_is_no_recording_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(IsADirectoryError, match="folder is a folder; name a file in it"):
        Recorder(tmp_path / "folder")
    with pytest.raises(FileExistsError, match="notes.txt is there and no recording; with keep=0 it would be lost"):
        Recorder(tmp_path / "notes.txt", keep=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "precious"


def test_a_time_that_is_no_number_is_refused(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    with pytest.raises(ValueError, match="time must be a finite number"):
        recorder.write(Sample(float("nan"), {}))
    recorder.write(FULL)
    recorder.close()
    assert load(tmp_path / "run.jsonl").samples == [FULL]


def test_with_keep_0_only_the_newest_part_remains(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl", max_bytes=2000, keep=0)
    for sample in samples_of(range(500)):
        recorder.write(sample)
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]
    assert load(tmp_path / "run.jsonl").samples[-1].time == 499.0


def test_lines_from_several_threads_do_not_mix(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl", max_bytes=50_000, keep=1000)
    start = threading.Barrier(4)

    def write(thread: int) -> None:
        start.wait()
        for i in range(500):
            recorder.write(Mark(float(i), f"{thread}" * 50))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    recorder.close()
    marks = [m for path in tmp_path.iterdir() for m in load(path).marks]
    assert len(marks) == 2000 and all(len(set(m.text)) == 1 for m in marks)


WRITER = """
import sys
from gearshift.pipeline import Recorder, Sample
recorder = Recorder(sys.argv[1])
for i in range(10**9):
    recorder.write(Sample(float(i), {}))
    if i >= 1000:
        print(i, flush=True)
"""


@both
def test_what_was_written_survives_the_killing_of_the_writer(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    written = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    written = max([written, *(int(line) for line in writer.communicate(timeout=30)[0].splitlines() if line)])
    times = [sample.time for sample in load(path).samples]
    assert times == [float(i) for i in range(len(times))]
    assert len(times) >= written + 1


def test_a_closed_recorder_says_so(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    recorder.close()
    recorder.close()
    with pytest.raises(ValueError, match="this recorder is closed"):
        recorder.write(FULL)


@pytest.mark.parametrize(("arguments", "message"), [({"max_bytes": 0}, "max_bytes=0"), ({"keep": -1}, "keep=-1")])
def test_a_bad_argument_is_named(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recorder(tmp_path / "run.jsonl", **arguments)
    assert not list(tmp_path.iterdir())
