"""Whole files and private folders: what a writer that is killed, a full disk or another user can do to them."""

import logging
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gearshift.pipeline.replacing import private_folder, replace_file

ROOT = os.geteuid() == 0


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> int:
    before = os.umask(request.param)
    request.addfinalizer(lambda: os.umask(before))
    return request.param


def test_a_writer_that_is_killed_at_any_moment_leaves_the_old_file_or_the_new_one_whole(tmp_path: Path) -> None:
    path, moments, torn = tmp_path / "file", random.Random(5), 0
    for _ in range(50):
        begun, begin = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(begin, b"!")
            while True:
                for letter in b"abc":
                    replace_file(path, bytes([letter]) * 1_000_000)
        os.read(begun, 1)  # a process that holds much takes its time to fork
        os.close(begun)
        os.close(begin)
        time.sleep(moments.uniform(0.0, 0.01))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if path.exists():
            found = path.read_bytes()
            assert len(found) == 1_000_000 and len(set(found)) == 1
        torn = max(torn, len(list(tmp_path.iterdir())) - path.exists())
    assert torn > 0  # some were killed in the middle of it


def test_what_a_killed_writer_left_is_swept_by_a_later_one(tmp_path: Path) -> None:
    left, young, other = (tmp_path / name for name in (".file.0123abcd.new", ".file.4567abcd.new", ".else.new"))
    for each in (left, young, other):
        each.write_bytes(b"torn")
    for each in (left, other):
        os.utime(each, (1, 1))
    replace_file(tmp_path / "file", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, young.name, "file"]


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from gearshift.pipeline.replacing import replace_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "replace_file(Path(sys.argv[1]), b'x' * 5000)"
    )
    (tmp_path / "file").write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "file")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "File too large" in done.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_folder_in_place_of_the_file_is_told_and_left(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "file", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0], indirect=True)
def test_a_new_file_has_the_usual_rights_and_a_private_one_is_the_user_s_alone(tmp_path: Path, umask: int) -> None:
    replace_file(tmp_path / "plain", b"x")
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "secret").chmod(0o644)
    replace_file(tmp_path / "secret", b"x", private=True, lasting=True)
    assert (rights(tmp_path / "plain"), rights(tmp_path / "secret")) == (0o666 & ~umask, 0o600)


def test_a_file_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o640)
    replace_file(tmp_path / "file", b"new")
    assert (rights(tmp_path / "file"), (tmp_path / "file").read_bytes()) == (0o640, b"new")


def test_a_link_is_replaced_and_what_it_leads_to_is_left(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    replace_file(tmp_path / "file", b"x")
    assert (tmp_path / "victim").read_bytes() == b"precious" and not (tmp_path / "file").is_symlink()


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0, 0o777], indirect=True)
def test_a_folder_and_all_that_was_missing_above_it_are_the_user_s_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "cache" / "gearshift" / "needs")
    folders = [tmp_path / "cache", tmp_path / "cache/gearshift", tmp_path / "cache/gearshift/needs"]
    assert [rights(folder) for folder in folders] == [0o700] * 3


def test_a_folder_that_is_shared_on_purpose_stays_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "team").mkdir(mode=0o750)
    private_folder(tmp_path / "team")
    assert rights(tmp_path / "team") == 0o750 and not caplog.records


def test_a_folder_that_everyone_may_write_to_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with caplog.at_level(logging.WARNING):
        private_folder(tmp_path / "open")
        private_folder(tmp_path / "open")
    assert [record.getMessage() for record in caplog.records] == [
        f"others can change what is remembered in {tmp_path / 'open'}, as everyone may write to it; run: chmod 700, "
        "or name another"
    ]


@pytest.mark.skipif(not ROOT, reason="only root can make a folder another user's")
def test_another_user_s_folder_is_told_of_and_another_user_s_link_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 4321, -1)
    private_folder(tmp_path / "theirs")
    assert [record.getMessage().partition(" as ")[2] for record in caplog.records] == [
        "it belongs to user 4321; run: chmod 700, or name another"
    ]
    (tmp_path / "ours").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    os.lchown(tmp_path / "link", 4321, -1)
    with pytest.raises(PermissionError, match="is a link made by user 4321; remove it"):
        private_folder(tmp_path / "link")


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "cache")
    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "cache" / "needs")
