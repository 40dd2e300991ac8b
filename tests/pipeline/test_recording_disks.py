"""Recording onto disks that fail: told once, the samples go on, and what was written can be read."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gearshift.pipeline import Mark, Recorder, Sample, load, record
from gearshift.pipeline.testing import samples_of
from reactivex import Subject

from tests.disks import fill, open_files, small_disk

both = pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


class Recorded:
    """A recording among other subscribers of the same samples."""

    def __init__(self, path: Path, **options: int) -> None:
        self.samples, self.marks = Subject[Sample](), Subject[Mark]()
        self.others: list[Sample] = []
        self.wire = record(self.samples, path, marks=self.marks, **options)
        self.samples.subscribe(self.others.append)

    def push(self, first: int, last: int) -> None:
        for sample in samples_of(range(first, last)):
            self.samples.on_next(sample)


def ends_told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


@both
def test_a_disk_that_fills_up_ends_the_recording_and_not_the_samples(
    disk: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorded = Recorded(disk / name)
    recorded.push(0, 3000)
    assert len(recorded.others) == 3000 and recorded.wire.is_disposed
    (told,) = ends_told(caplog)
    assert told == f"the recording {disk / name} ends here: [Errno 28] No space left on device"
    kept = load(disk / name).samples
    assert kept == recorded.others[: len(kept)] and len(kept) > 100
    assert open_files(disk) == []


@both
def test_on_a_full_disk_it_does_not_begin_and_leaves_nothing(disk: Path, name: str) -> None:
    filler = fill(disk)
    with pytest.raises(OSError, match="No space left"):
        record(Subject[Sample](), disk / name)
    assert list(disk.iterdir()) == [filler] and open_files(disk) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_that_refuses_the_header_is_not_removed() -> None:
    with pytest.raises(OSError, match="No space left"):
        record(Subject[Sample](), "/dev/full")
    assert Path("/dev/full").is_char_device()


@both
def test_a_disk_that_has_room_again_takes_a_new_recording_beside_the_old_one(disk: Path, name: str) -> None:
    filler = disk / "filler"
    filler.write_bytes(b"x" * 8000)
    recorded = Recorded(disk / name)
    recorded.push(0, 3000)
    assert recorded.wire.is_disposed
    filler.unlink()
    again = Recorded(disk / name)
    again.push(3000, 3020)
    again.wire.dispose()
    first, _, ending = name.partition(".")
    assert load(disk / name).samples == again.others
    assert load(disk / f"{first}.1.{ending}").samples[0] == recorded.others[0]


LIMITED = """
import logging, resource, sys
from pathlib import Path
from gearshift.pipeline import Sample, record
from reactivex import Subject

logging.basicConfig(format="%(message)s")
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
samples, others = Subject(), []
wire = record(samples, Path(sys.argv[1]))
samples.subscribe(others.append)
for i in range(3000):
    samples.on_next(Sample(float(i), {}))
print(len(others), wire.is_disposed)
"""


@both
def test_a_limit_on_the_size_of_files_is_such_a_disk(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, str(tmp_path / name)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3000 True\n"
    assert done.stderr == f"the recording {tmp_path / name} ends here: [Errno 27] File too large\n"
    times = [sample.time for sample in load(tmp_path / name).samples]
    assert times == [float(i) for i in range(len(times))] and times


def test_where_nothing_may_be_written_it_does_not_begin(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=16k,ro") as disk, pytest.raises(OSError, match="Read-only"):
        record(Subject[Sample](), disk / "run.jsonl")


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.with_name("other").write_bytes(b"somebody's")
    path.with_name("other").replace(path)


def vanish(path: Path) -> None:
    shutil.rmtree(path.parent)


def cut(path: Path) -> None:
    os.truncate(path, 10)


@both
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (delete, "somebody has deleted or replaced the file"),
        (replace, "somebody has deleted or replaced the file"),
        (vanish, "somebody has deleted or replaced the file"),
        (cut, "somebody has cut the file to 10 bytes"),
    ],
)
def test_a_file_that_is_taken_away_is_told_of_once_and_left_as_it_is(
    tmp_path: Path, name: str, harm: Callable[[Path], None], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "folder" / name
    path.parent.mkdir()
    recorded = Recorded(path)
    recorded.push(0, 10)
    harm(path)
    left = path.read_bytes() if path.exists() else None
    recorded.push(10, 20)
    recorded.marks.on_next(Mark(20.0, "still here"))
    assert ends_told(caplog) == [f"the recording {path} ends here: {told}"]
    assert recorded.wire.is_disposed and len(recorded.others) == 20
    if harm is not cut:
        assert (path.read_bytes() if path.exists() else None) == left
    assert open_files(tmp_path) == []


def test_a_file_that_is_moved_is_written_on_where_it_is(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "run.jsonl")
    recorded.push(0, 10)
    (tmp_path / "run.jsonl").rename(tmp_path / "kept.jsonl")
    recorded.push(10, 20)
    recorded.wire.dispose()
    assert load(tmp_path / "kept.jsonl").samples == recorded.others


def test_a_folder_in_the_place_of_an_earlier_part_ends_it_with_all_that_was_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run.1.jsonl").mkdir()
    recorded = Recorded(tmp_path / "run.jsonl", max_bytes=2000, keep=1)
    recorded.push(0, 500)
    (told,) = ends_told(caplog)
    assert "run.1.jsonl" in told and len(recorded.others) == 500
    kept = load(tmp_path / "run.jsonl").samples
    assert kept == recorded.others[: len(kept)] and kept


@both
def test_a_disk_with_no_room_for_another_file_keeps_all_that_was_written(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "disk", "size=1m,nr_inodes=2") as disk:
        recorded = Recorded(disk / name, max_bytes=2000)
        recorded.push(0, 500)
        (told,) = ends_told(caplog)
        assert "No space left on device" in told and len(recorded.others) == 500
        (left,) = disk.iterdir()
        kept = load(left).samples
        assert kept == recorded.others[: len(kept)] and kept
        assert open_files(disk) == []


def test_two_streams_that_meet_the_same_full_disk_tell_of_it_once(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorded = Recorded(disk / "run.jsonl")
    fill(disk)
    for i in range(200):
        recorded.marks.on_next(Mark(float(i), "x" * 500))
        recorded.push(i, i + 1)
    assert len(ends_told(caplog)) == 1 and len(recorded.others) == 200


def test_a_closed_recorder_leaves_no_file_open(tmp_path: Path) -> None:
    Recorder(tmp_path / "run.jsonl").close()
    assert open_files(tmp_path) == []
