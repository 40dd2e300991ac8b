"""What a path may lead to instead of a file of the right kind, for everything that reads one."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from gearshift.models.ladders.ladder import Ladder, LadderError, ModelSpec
from gearshift.models.needs.checkpoint import CheckpointError, read_checkpoint
from gearshift.models.needs.remembered import Known
from gearshift.models.needs.store import Store
from gearshift.models.replies import saved_conversations
from gearshift.models.switching.crash_marker import CrashMarker
from gearshift.models.telling.wording import Wording, WordingError
from gearshift.pipeline import load
from gearshift.pipeline.configuring import SettingsError
from gearshift.pipeline.golden import GoldenError, read_golden
from gearshift.pipeline.lines import RecordingError
from gearshift.pipeline.replayed import rungs_from
from gearshift.pipeline.replaying import read_recording
from gearshift.pipeline.settings_sources import in_file
from gearshift.pipeline.tier_file import TierError, read_tiers
from gearshift.pipeline.views.report.report import check_target

from .inside import checkpoint

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("limited")]


def _part(name: str) -> Callable[[Path], object]:
    """A checkpoint, one of whose files is the one."""

    def read(file: Path) -> object:
        folder = checkpoint(file.parent / "model")
        (folder / name).unlink(missing_ok=True)
        file.rename(folder / name)
        return read_checkpoint(folder)

    return read


def _stored(file: Path) -> object:
    file.rename(file.with_name("known-a.json"))
    return Store(file.parent).get(Known, "a")


def _marked(file: Path) -> object:
    ladder = Ladder([ModelSpec(name="a", source="x", need={"ram": 1}, quality=1.0)])
    return CrashMarker(ladder, file.parent).previous()


READERS: dict[str, tuple[str, Callable[[Path], object], tuple[type[Exception], ...]]] = {
    "recording": ("a.jsonl", load, (RecordingError, OSError)),
    "recording by lines": ("a.jsonl", lambda file: list(read_recording(file)[1]), (RecordingError, OSError)),
    "recording, zst": ("a.jsonl.zst", load, (RecordingError, OSError)),
    "ladder of rungs": ("a.toml", rungs_from, (ValueError, OSError)),
    "ladder of models": ("a.toml", Ladder.from_toml, (LadderError,)),
    "settings": ("a.toml", in_file, (SettingsError,)),
    "tiers": ("a.toml", read_tiers, (TierError,)),
    "words": ("a.toml", Wording, (WordingError,)),
    "conversations": ("a.json", saved_conversations.read, (saved_conversations.ConversationError,)),
    "golden": ("a.json", read_golden, (GoldenError, OSError)),
    "config.json": ("a.json", _part("config.json"), (CheckpointError,)),
    "safetensors": ("a.safetensors", _part("model.safetensors"), (CheckpointError,)),
    "index": ("a.json", _part("model.safetensors.index.json"), (CheckpointError,)),
    "tokenizer_config.json": ("a.json", _part("tokenizer_config.json"), (CheckpointError,)),
    "GGUF": ("a.gguf", read_checkpoint, (CheckpointError,)),
    "report": ("a.html", check_target, (OSError,)),
}
NOTES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "measured needs": ("a.json", _stored),
    "crash marker": ("a.json", _marked),
}
"""Small files of our own, which count as absent."""


def a_folder(file: Path) -> None:
    file.mkdir()


def a_pipe_that_nobody_writes_to(file: Path) -> None:
    os.mkfifo(file)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(file.parent)  # the path of a socket may be no longer than 100 bytes
        try:
            bound.bind(file.name)
        finally:
            os.chdir(here)


def a_device_without_an_end(file: Path) -> None:
    file.symlink_to("/dev/zero")


def a_loop_of_links(file: Path) -> None:
    file.symlink_to(file.with_name("other"))
    file.with_name("other").symlink_to(file)


def a_link_to_nothing(file: Path) -> None:
    file.symlink_to("nowhere")


def a_terabyte_of_nothing(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)


def text_in_utf_16(file: Path) -> None:
    file.write_bytes("[]\n".encode("utf-16"))


def nothing_but_brackets(file: Path) -> None:
    file.write_bytes(b"[" * 100_000)


def nothing_but_braces(file: Path) -> None:
    file.write_bytes(b'{"a":' * 100_000)


KINDS = [
    a_folder, a_pipe_that_nobody_writes_to, a_socket, a_device_without_an_end, a_loop_of_links, a_link_to_nothing,
    a_terabyte_of_nothing, text_in_utf_16, nothing_but_brackets, nothing_but_braces,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_such_file_is_refused_in_one_line_that_names_it(
    tmp_path: Path, reader: str, kind: Callable[[Path], None]
) -> None:
    name, read, errors = READERS[reader]
    if reader == "report" and kind is a_link_to_nothing:
        pytest.skip("a report may be written where there is nothing")
    if reader == "tokenizer_config.json" and kind is a_link_to_nothing:
        pytest.skip("a cache whose file was deleted: the checkpoint is told of as unreadable or without a template")
    kind(tmp_path / name)
    with pytest.raises(errors) as raised:
        read(tmp_path / name)
    assert str(raised.value).isprintable() and str(tmp_path) in str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("note", NOTES)
def test_a_note_of_ours_that_is_no_file_counts_as_absent(
    tmp_path: Path, note: str, kind: Callable[[Path], None]
) -> None:
    name, read = NOTES[note]
    kind(tmp_path / name)
    assert read(tmp_path / name) is None


@pytest.mark.parametrize("reader", READERS)
def test_a_file_without_permission_is_refused(tmp_path: Path, reader: str) -> None:
    name, read, errors = READERS[reader]
    (tmp_path / name).write_bytes(b"")
    (tmp_path / name).chmod(0)
    user = os.geteuid()
    if user == 0:
        if "." in reader or reader in ("safetensors", "index"):
            pytest.skip("makes its checkpoint first, which nobody may not")
        os.seteuid(65534)  # for whom the folder is closed as well
    try:
        with pytest.raises(errors):
            read(tmp_path / name)
    finally:
        os.seteuid(user)


def test_the_null_device_is_an_empty_file() -> None:
    assert in_file("/dev/null") == {}
