"""An app whose disk fails under it: replies go on, each thing is told once, and what is there stays whole."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gearshift.models import Ladder
from gearshift.pipeline import Recording, load, record
from gearshift.pipeline.views.report.report import write_report

from tests.disks import fill, open_files, small_disk
from tests.models.machine import FOUR, Machine
from tests.waiting import until


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "size=64k") as folder:
        yield folder


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelname in ("WARNING", "ERROR")]


def shift_down(machine: Machine) -> None:
    """It marks another rung, and remembers what that one takes."""
    machine.manager.scaler.initiate_graceful_degradation("a game begins", immediate=True)
    machine.until(lambda: len(machine.outcomes) == 2)


def full(folder: Path) -> None:
    fill(folder)


def gone(folder: Path) -> None:
    for each in folder.iterdir():
        shutil.rmtree(each)


def taken(folder: Path) -> None:
    """Files stand where the folders should."""
    gone(folder)
    for name in ("needs", "running"):
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize("harm", [full, taken])
def test_replies_go_on_where_nothing_can_be_remembered_and_each_thing_is_told_once(
    ladder: Ladder, disk: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(disk)
    machine = Machine(ladder, more={"cache": disk})
    try:
        machine.load()
        assert machine.manager.respond("Hello", options=FOUR)
        shift_down(machine)
        assert machine.manager.respond("Hello again", options=FOUR)
    finally:
        machine.manager.shutdown()
    told = warnings(caplog)
    assert len([text for text in told if text.startswith("no crash marker: ")]) == 1
    assert len([text for text in told if "what rungs need is measured anew in each run" in text]) <= 1
    assert not [path for path in disk.rglob(".*")] and open_files(disk) == []


def test_a_cache_that_vanishes_meanwhile_is_made_anew(
    ladder: Ladder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(ladder, more={"cache": tmp_path / "cache"})
    try:
        machine.load()
        gone(tmp_path / "cache")
        shift_down(machine)
        assert machine.manager.respond("Hello", options=FOUR)
        assert list((tmp_path / "cache" / "running").glob("*.json"))
    finally:
        machine.manager.shutdown()
    assert not [text for text in warnings(caplog) if "marker" in text]
    assert list((tmp_path / "cache" / "running").iterdir()) == []


def test_conversations_that_find_no_room_leave_those_that_were_saved_before(ladder: Ladder, disk: Path) -> None:
    machine = Machine(ladder)
    with machine.manager as manager:
        machine.load()
        manager.respond("Hello", options=FOUR)
        manager.save(disk / "saved.json")
        before = (disk / "saved.json").read_bytes()
        filler = fill(disk)
        with pytest.raises(OSError, match="No space left"):
            manager.save(disk / "saved.json")
        assert (disk / "saved.json").read_bytes() == before
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "saved.json"]
        assert manager.respond("And now?", options=FOUR)
        filler.unlink()
        manager.save(disk / "saved.json")
        assert len(json.loads((disk / "saved.json").read_bytes())["conversations"]["default"]) == 4


def test_where_nothing_may_be_written_saving_is_refused_and_the_app_answers_on(ladder: Ladder, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=16k,ro") as disk:
        machine = Machine(ladder, more={"cache": disk})
        with machine.manager as manager:
            machine.load()
            assert manager.respond("Hello", options=FOUR)
            with pytest.raises(OSError, match="Read-only"):
                manager.save(disk / "saved.json")


def test_a_recording_beside_a_manager_ends_on_a_full_disk_and_the_replies_do_not(
    ladder: Ladder, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(ladder)
    with machine.manager as manager:
        wire = record(manager.scaler.samples, disk / "run.jsonl", residencies=manager.residencies)
        machine.load()
        fill(disk)
        machine.push(0, seconds=300)
        until(lambda: wire.is_disposed)
        assert manager.respond("Hello", options=FOUR)
    assert len([text for text in warnings(caplog) if "run.jsonl" in text]) == 1
    assert len(load(disk / "run.jsonl")) > 0


def test_a_report_that_finds_no_room_leaves_the_one_before(disk: Path) -> None:
    before = '<meta name="generator" content="gearshift report">'
    (disk / "report.html").write_text(before)
    found: Recording = load(Path(__file__).parent.parent / "recordings" / "leak.jsonl")
    with pytest.raises(OSError, match="No space left"):
        write_report(found, disk / "report.html")
    assert [(path.name, path.read_text()) for path in disk.iterdir()] == [("report.html", before)]
    assert open_files(disk) == []


def test_a_manager_does_not_begin_in_a_folder_that_another_user_s_link_leads_to(
    ladder: Ladder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if os.geteuid():
        pytest.skip("only root can make a link another user's")
    (tmp_path / "cache").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "cache" / "running").symlink_to(tmp_path / "victim")
    os.lchown(tmp_path / "cache" / "running", 4321, -1)
    machine = Machine(ladder, more={"cache": tmp_path / "cache"})
    with machine.manager as manager:
        machine.load()
        assert manager.respond("Hello", options=FOUR)
    assert list((tmp_path / "victim").iterdir()) == []
    assert "is a link made by user 4321" in caplog.text
