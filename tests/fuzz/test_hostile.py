"""Monsters by name: what claims to be, or unpacks to, far more than any machine has."""

import os
import struct
import threading
from pathlib import Path

import pytest
from gearshift.models.ladders.ladder import Ladder, LadderError
from gearshift.models.needs.checkpoint import CheckpointError, read_checkpoint
from gearshift.pipeline import load
from gearshift.pipeline.configuring import SettingsError
from gearshift.pipeline.importers import import_samples
from gearshift.pipeline.lines import RecordingError
from gearshift.pipeline.replaying import read_recording
from gearshift.pipeline.settings_sources import in_file
from gearshift.pipeline.toml_file import parsed

from .inside import checkpoint, gguf
from .outside import zstd

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("limited")]

HEADER = b'{"gearshift_recording":1}\n'
MARK = b'{"record":"mark","time":1.0,"text":"a"}\n'
MIB = 1 << 20


def of_frames(file: Path, *frames: tuple[bytes, int]) -> Path:
    """A Zstandard file of frames, each so many times."""
    file.write_bytes(b"".join(zstd(content) * times for content, times in frames))
    return file


def test_a_megabyte_that_unpacks_to_ten_gigabytes_of_lines_is_refused(tmp_path: Path) -> None:
    lines = MARK * (64 * MIB // len(MARK))
    file = of_frames(tmp_path / "a.jsonl.zst", (HEADER, 1), (lines, 160))
    assert file.stat().st_size < 2 * MIB
    with pytest.raises(RecordingError, match="holds more than 100 times its size"):
        for _ in read_recording(file)[1]:
            pass


def test_a_megabyte_that_unpacks_to_ten_gigabytes_of_one_line_is_refused(tmp_path: Path) -> None:
    file = of_frames(tmp_path / "a.jsonl.zst", (HEADER, 1), (bytes(64 * MIB), 160))
    with pytest.raises(RecordingError, match="a line of more than 1024 KiB"):
        load(file, on_bad="skip")


def test_a_header_of_ten_million_rungs_is_refused(tmp_path: Path) -> None:
    rungs = b'{"name":"a","need":{}},' * 100_000
    file = of_frames(tmp_path / "a.jsonl.zst", (b'{"gearshift_recording":1,"ladder":[', 1), (rungs, 100), (b"]}\n", 1))
    with pytest.raises(RecordingError, match="a line of more than 1024 KiB"):
        load(file)


def test_a_frame_that_asks_for_gigabytes_of_window_is_refused(tmp_path: Path) -> None:
    """Its window is of 2 GiB; then one raw block, the last."""
    (tmp_path / "a.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes([0x00, 21 << 3]) + b"\x09\x00\x00x")
    with pytest.raises(RecordingError, match="not a Zstandard file, as its name says, or a damaged one"):
        load(tmp_path / "a.jsonl.zst")


def test_gzip_is_not_unpacked(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(bytes(64 * MIB)) * 160)
    with pytest.raises(RecordingError, match="no format that is known"):
        load(tmp_path / "a.jsonl.gz")


def test_a_line_of_a_gigabyte_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as sparse:
        sparse.write(HEADER + MARK)
        sparse.truncate(1 << 30)
    with pytest.raises(RecordingError, match=r"a\.jsonl:3: a line of more than 1024 KiB"):
        load(tmp_path / "a.jsonl", on_bad="skip")


def test_a_recording_that_shrinks_or_vanishes_while_it_is_read_ends_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(HEADER + MARK * 100_000)
    _, lines = read_recording(file)
    next(lines)
    os.truncate(file, len(HEADER))
    file.unlink()
    assert 1 <= len(list(lines)) < 100_000


def test_a_checkpoint_that_shrinks_while_it_is_read_is_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    """Cut off in mid-read again and again; a mapped file would end it by SIGBUS."""
    file, ended = tmp_path / "a.gguf", threading.Event()
    whole = gguf_with_words(200_000)
    file.write_bytes(whole)

    def shrink() -> None:
        while not ended.is_set():
            os.truncate(file, 100)
            file.write_bytes(whole)

    thread = threading.Thread(target=shrink)
    thread.start()
    try:
        for _ in range(40):
            try:
                read_checkpoint(file)
            except CheckpointError as error:
                assert str(file) in str(error)
    finally:
        ended.set()
        thread.join()


def gguf_with_words(count: int) -> bytes:
    def text(word: bytes) -> bytes:
        return struct.pack("<Q", len(word)) + word

    words = struct.pack("<IIQ", 9, 8, count) + text(b"word") * count
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"tokenizer.ggml.tokens") + words


@pytest.mark.parametrize("claimed", [2**63, 2**64 - 1, 99_000_000, 1])
def test_a_safetensors_header_that_claims_more_than_there_is_is_refused(tmp_path: Path, claimed: int) -> None:
    file = checkpoint(tmp_path) / "model.safetensors"
    with file.open("r+b") as opened:
        opened.write(claimed.to_bytes(8, "little"))
        opened.truncate(1 << 40)
    with pytest.raises(CheckpointError, match="has no safetensors header"):
        read_checkpoint(tmp_path)


def test_a_tensor_whose_shape_is_not_that_of_its_bytes_is_refused(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}'
    file = checkpoint(tmp_path) / "model.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match=r"a is F32 of the shape \[9223372036854775807\] in 4 bytes"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("at", [8, 16], ids=["tensors", "keys"])
def test_a_gguf_file_of_countless_tensors_or_keys_is_refused(tmp_path: Path, at: int) -> None:
    content = bytearray(gguf())
    content[at : at + 8] = (2**60).to_bytes(8, "little")
    file = tmp_path / "a.gguf"
    with file.open("wb") as sparse:
        sparse.write(content)
        sparse.truncate(1 << 40)
    with pytest.raises(CheckpointError, match=f"tells of {2**60} (tensors|keys)"):
        read_checkpoint(file)


@pytest.mark.parametrize("kind", [4, 8], ids=["numbers", "texts"])
def test_a_gguf_array_of_countless_values_is_refused(tmp_path: Path, kind: int) -> None:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, kind, 2**60)
    with (tmp_path / "a.gguf").open("wb") as sparse:
        sparse.write(head)
        sparse.truncate(1 << 40)
    with pytest.raises(CheckpointError, match="a header that is cut short or damaged"):
        read_checkpoint(tmp_path / "a.gguf")


def test_a_settings_file_of_a_million_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("".join(f"key{i} = {i}\n" for i in range(1_000_000)))
    with pytest.raises(SettingsError, match="it is longer than 256 KiB"):
        in_file(tmp_path / "a.toml")


def test_a_key_of_a_hundred_thousand_parts_is_refused_before_it_is_read() -> None:
    """The time that it would take grows with the square of them: hours."""
    with pytest.raises(ValueError, match="more than 256 dots"):
        parsed(b"a." * 100_000 + b"a = 1")


def test_a_key_that_comes_twice_is_refused_in_toml_and_the_last_one_counts_in_json(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("high = 0.8\nhigh = 0.9\n")
    with pytest.raises(SettingsError, match="not TOML: Cannot overwrite a value"):
        in_file(tmp_path / "a.toml")
    (tmp_path / "a.jsonl").write_bytes(HEADER + MARK.replace(b'"text":"a"', b'"text":"a","text":"b"'))
    assert [mark.text for mark in load(tmp_path / "a.jsonl").marks] == ["b"]


@pytest.mark.parametrize("source", ["a" * 1000, "a/" * 3000, "\\u0000", "~\\u0000", "~" + "x" * 300])
@pytest.mark.parametrize("need", ["", "need = {ram = 1}\nquality = 1.0\n"])
def test_a_source_that_no_path_can_be_is_told_of_as_one_that_is_missing(tmp_path: Path, source: str, need: str) -> None:
    file = tmp_path / "ladder.toml"
    file.write_text(f'[[rung]]\nname = "a"\nsource = "{source}"\n{need}')
    if need:
        assert Ladder.from_toml(file)[0].need == {"ram": 1}
    else:
        with pytest.raises(LadderError, match=r"rung\[0\]\.source"):
            Ladder.from_toml(file)


def test_an_answer_on_one_line_with_many_series_takes_no_memory_for_each(tmp_path: Path) -> None:
    """Every series once kept the whole line that it stood on."""
    series = b'{"metric":{"__name__":"x%d"},"values":[[1,"1"]]}'
    found = b",".join(series % i for i in range(20_000))
    (tmp_path / "a.json").write_bytes(b'{"status":"success",\n"data":{"result":[' + found + b"]}}")
    with pytest.raises(RecordingError, match="no metric that is known"):
        import_samples(tmp_path / "a.json")


def test_a_parquet_file_that_unpacks_to_more_than_any_text_that_is_read_is_refused(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    file = tmp_path / "a.parquet"
    polars.DataFrame({"time": list(range(300)), "note": ["a" * MIB] * 300}).write_parquet(file)
    assert file.stat().st_size < MIB
    with pytest.raises(RecordingError, match=r"a\.parquet:1: (more than 128 MiB once unpacked|damaged Parquet)"):
        load(file)


def test_a_parquet_file_with_a_hostile_end_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    file = tmp_path / "a.parquet"
    for length in (0, 8, 2**31 - 1, 2**32 - 1):
        file.write_bytes(b"PAR1" + b"\x15\xfc" * 40 + struct.pack("<I", length) + b"PAR1")
        with pytest.raises(RecordingError, match=r"a\.parquet:1: damaged Parquet"):
            load(file)
