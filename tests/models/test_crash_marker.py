"""A marker that only an unclean end leaves behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest
from gearshift.models import Ladder
from gearshift.models.switching.crash_marker import CrashMarker
from gearshift.pipeline import Decision, Pool, Residency, Sample, decision_stream
from reactivex import Subject, of

APP = """
import sys
from pathlib import Path
from gearshift.models import Ladder
from gearshift.models.switching.crash_marker import CrashMarker

marker = CrashMarker(Ladder.from_toml(sys.argv[1]), Path(sys.argv[2]))
for rung in sys.argv[3:]:
    marker.note(rung)
print(marker.previous(), flush=True)
sys.stdin.read()
marker.close()
"""


class App:
    """Another process that marks rungs, the last of which it runs; it ends cleanly unless it is killed."""

    def __init__(self, ladder: Path, folder: Path, *rungs: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", APP, str(ladder), str(folder), *rungs],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.found = self.process.stdout.readline().strip()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture
def file(ladder: Ladder, tmp_path: Path) -> Path:
    lines = [f'[[rung]]\nname = "{spec.name}"\nsource = "{spec.source}"\ncontext = {spec.context}' for spec in ladder]
    written = tmp_path / "ladder.toml"
    written.write_text("\n".join(lines))
    return written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "running"


def test_an_app_that_was_killed_leaves_the_rung_it_ran_and_the_next_one_finds_it_once(file: Path, folder: Path) -> None:
    App(file, folder, "large", "medium").kill()
    marker = CrashMarker(Ladder.from_toml(file), folder)
    assert marker.previous() == "medium" and marker.previous() is None
    assert list(folder.iterdir()) == []


def test_an_app_that_was_killed_and_whose_parent_has_not_asked_how_has_ended(file: Path, folder: Path) -> None:
    app = App(file, folder, "large")
    os.kill(app.process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, app.process.pid, os.WEXITED | os.WNOWAIT)  # it stays, as a zombie
    assert CrashMarker(Ladder.from_toml(file), folder).previous() == "large"
    app.process.wait()


@pytest.mark.parametrize(("crashed", "first"), [(None, "large"), ("large", "medium")])
def test_a_residency_that_tells_of_it_before_the_first_sample_starts_one_rung_lower(
    ladder: Ladder, crashed: str | None, first: str
) -> None:
    samples: Subject[Sample] = Subject()
    told = Residency(0.5, failed=crashed)
    decisions: list[Decision] = []
    decision_stream(samples, of(told), ladder.rungs()).subscribe(decisions.append)
    samples.on_next(Sample(1.0, {"ram": Pool(8 << 30, 0)}))
    assert [decision.target for decision in decisions] == [first]


def test_an_app_that_ended_cleanly_leaves_nothing(file: Path, folder: Path) -> None:
    App(file, folder, "large").end()
    assert list(folder.iterdir()) == [] and CrashMarker(Ladder.from_toml(file), folder).previous() is None


def test_an_app_that_still_runs_and_one_with_another_ladder_are_left_alone(file: Path, folder: Path) -> None:
    running = App(file, folder, "large")
    ladder = Ladder.from_toml(file)
    assert CrashMarker(ladder, folder).previous() is None
    running.kill()
    other = Ladder(ladder.specs[1:])
    assert CrashMarker(other, folder).previous() is None
    second = App(file, folder, "small")
    assert second.found == "large"
    second.end()


def test_a_process_that_has_got_the_same_id_since_is_another_one(file: Path, folder: Path) -> None:
    marker = CrashMarker(Ladder.from_toml(file), folder)
    marker.note("large")
    (written,) = folder.iterdir()
    mark = msgspec.json.decode(written.read_bytes())
    written.write_bytes(msgspec.json.encode(mark | {"began": mark["began"] - 60}))
    assert marker.previous() == "large"


def test_of_several_unclean_ends_the_latest_counts(file: Path, folder: Path) -> None:
    first, second = App(file, folder, "large"), App(file, folder, "small")
    second.kill()
    first.kill()
    for name, age in (("large", 100), ("small", 1)):
        (written,) = [each for each in folder.iterdir() if name in each.read_text()]
        os.utime(written, (2e9 - age, 2e9 - age))
    assert CrashMarker(Ladder.from_toml(file), folder).previous() == "small" and list(folder.iterdir()) == []


def test_two_apps_in_one_process_have_each_their_own(ladder: Ladder, folder: Path) -> None:
    one, other = CrashMarker(ladder, folder), CrashMarker(ladder, folder)
    one.note("large")
    other.note("small")
    one.close()
    one.close()
    assert [msgspec.json.decode(file.read_bytes())["rung"] for file in folder.iterdir()] == ["small"]
    other.note(None)
    assert list(folder.iterdir()) == []


def test_a_folder_or_a_file_that_cannot_be_used_is_logged_and_stops_nothing(
    ladder: Ladder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    marker = CrashMarker(ladder, tmp_path / "file")
    marker.note("large")
    marker.note("small")
    marker.close()
    assert marker.previous() is None
    assert [record.levelname for record in caplog.records] == ["WARNING"] and "can't be written" in caplog.text
    (tmp_path / "broken.json").write_text("{")
    assert CrashMarker(ladder, tmp_path).previous() is None and "broken.json is removed" in caplog.text
    assert not (tmp_path / "broken.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"pid":1',
        b'{"pid":1,"began":0,"ladder":"\xff","rung":"large"}',
        b'{"pid":-1,"began":0,"ladder":"LADDER","rung":"large"}',
    ],
)
def test_a_damaged_marker_is_removed_and_stops_no_start(
    ladder: Ladder, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    marker = CrashMarker(ladder, tmp_path)
    marker.note("large")
    (own,) = tmp_path.iterdir()
    known = msgspec.json.decode(own.read_bytes())["ladder"].encode()
    marker.close()
    (tmp_path / "damaged.json").write_bytes(content.replace(b"LADDER", known))
    assert marker.previous() is None and list(tmp_path.iterdir()) == []
    assert "damaged.json is removed, as it can't be read" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil asks the system for when a process began")
def test_an_app_that_runs_is_not_taken_for_crashed_because_the_clock_was_set(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = App(file, folder, "large")
    booted = psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + 3600.0)
    assert CrashMarker(Ladder.from_toml(file), folder).previous() is None
    running.kill()
    assert CrashMarker(Ladder.from_toml(file), folder).previous() == "large"
