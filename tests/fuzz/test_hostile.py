"""Monsters by name: what claims to be, or unpacks to, far more than any machine has, and numbers that no format holds."""

import asyncio
import os
import stat
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gearshift.models.hosts.channel import LONGEST, Channel, socket_pair
from gearshift.models.hosts.forkserver import ForkServer
from gearshift.models.hosts.wire import FromWorker
from gearshift.models.ladders.ladder import Ladder, LadderError, ModelSpec
from gearshift.models.needs.checkpoint import CheckpointError, read_checkpoint
from gearshift.models.needs.need import estimate
from gearshift.pipeline import load
from gearshift.pipeline.configuring import SettingsError, changes
from gearshift.pipeline.importers import import_samples
from gearshift.pipeline.lines import RecordingError, encode
from gearshift.pipeline.replaying import read_recording
from gearshift.pipeline.settings import ABOUT
from gearshift.pipeline.settings_sources import in_file
from gearshift.pipeline.toml_file import parsed

from .inside import CONFIG, checkpoint, gguf
from .mutating import HUGE
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


@pytest.mark.parametrize("value", [*HUGE, b"[" * 100_000], ids=lambda value: value[:12].decode())
@pytest.mark.parametrize("key", [key for key, value in CONFIG.items() if isinstance(value, int)])
def test_a_config_holds_numbers_that_a_model_can_have_or_is_refused(tmp_path: Path, key: str, value: bytes) -> None:
    told = msgspec.json.encode({**CONFIG, key: "HERE"}).replace(b'"HERE"', value)
    (checkpoint(tmp_path) / "config.json").write_bytes(told)
    try:
        need = estimate(ModelSpec(name="a", source=str(tmp_path), context=16)).total()
    except CheckpointError as error:
        assert str(error).isprintable()
    else:
        assert all(0 <= size < 2**63 for size in need.need.values())


@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:12].decode())
@pytest.mark.parametrize("place", ["time", "total", "used", "own", "cpu", "load", "swap_used", "interval", "wall"])
def test_a_sample_holds_numbers_that_can_be_written_again_or_is_refused(
    tmp_path: Path, place: str, value: bytes
) -> None:
    pool = {"total": 9, "used": 3, "own": 1}
    sample = {"record": "sample", "time": 1.5, "pools": {"ram": pool}, "cpu": 0.5, "load": 1.0, "swap_used": 3}
    (pool if place in pool else sample)[place] = "HERE"  # type: ignore[assignment, index]
    (tmp_path / "a.jsonl").write_bytes(HEADER + msgspec.json.encode(sample).replace(b'"HERE"', value) + b"\n")
    try:
        (line,) = load(tmp_path / "a.jsonl").lines
    except RecordingError as error:
        assert f"{tmp_path / 'a.jsonl'}:2: " in str(error)
    else:
        encode(line)


@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:12].decode())
def test_every_setting_takes_a_number_that_it_can_have_or_refuses_it(tmp_path: Path, value: bytes) -> None:
    for key in ABOUT:
        (tmp_path / "a.toml").write_bytes(key.encode() + b" = " + value)
        for read in (lambda: in_file(tmp_path / "a.toml"), lambda key=key: changes([f"{key}={value.decode()}"])):
            try:
                read()
            except SettingsError as error:
                assert len(str(error)) < 1100 and str(error).isprintable()


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
    (tmp_path / "a.json").write_bytes(b'{"status":"success","data":{"result":[' + found + b"]}}")
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


@pytest.mark.parametrize("claimed", [LONGEST + 1, 2**63, 2**64 - 1])
def test_a_worker_that_claims_a_message_without_end_is_not_listened_to(claimed: int) -> None:
    ours, theirs = socket_pair(1)
    channel: Channel[Any] = Channel(ours, msgspec.msgpack.Decoder(FromWorker))
    theirs.send(struct.pack("<Q", claimed) + b"x" * 100)
    try:
        with pytest.raises(msgspec.DecodeError, match=f"claims {claimed} bytes"):
            channel.receive()
    finally:
        theirs.close()
        channel.close()


def test_a_fork_server_that_says_what_cant_be_read_is_ended_and_its_workers_are_told_of(tmp_path: Path) -> None:
    """Its interpreter is one that says something else."""
    python, told, came = tmp_path / "python", threading.Event(), []
    python.write_text(
        f"#!{sys.executable} -S\nimport os, sys, time\nos.read(int(sys.argv[4]), 9)\n"
        "os.write(int(sys.argv[4]), b'\\xff\\xff')\ntime.sleep(600)\n"
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)

    def ended(worker: int, status: int | None, reason: str) -> None:
        came.append((worker, status, reason))
        told.set()

    server = ForkServer(ended, python=str(python))
    ours, theirs = socket_pair(1)
    try:
        server.fork(7, theirs)
        assert told.wait(60)
        assert [(worker, status) for worker, status, _ in came] == [(7, None)]
        assert "lost its fork server" in came[0][2]
    finally:
        server.close()
        ours.close()


def test_a_request_that_claims_a_length_of_thousands_of_digits_is_too_large() -> None:
    pytest.importorskip("starlette")
    from gearshift.models.serving.bodies import json_body
    from gearshift.models.serving.errors import ApiError
    from starlette.requests import Request

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"content-length", b"9" * 5000)]
    with pytest.raises(ApiError, match="longer than 1000 bytes"):
        asyncio.run(json_body(Request({"type": "http", "headers": headers}, receive), 1000))
