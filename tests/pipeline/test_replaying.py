import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import RecordingError, Sample, load, record, replay
from gearshift.pipeline.lines import encode
from gearshift.pipeline.testing import samples_of
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

HEADER = b'{"gearshift_recording": 1}\n'
SAMPLES = samples_of([1, None, 3])
LINES = [encode(sample) for sample in SAMPLES]


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def replayed(path: Path, **options: Any) -> tuple[list[Sample], list[Exception]]:
    samples: list[Sample] = []
    errors: list[Exception] = []
    replay(path, **options).subscribe(samples.append, errors.append)
    return samples, errors


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_what_is_recorded_is_replayed_as_often_as_asked(tmp_path: Path, name: str) -> None:
    source: Subject[Sample] = Subject()
    with record(source, tmp_path / name):
        for sample in SAMPLES:
            source.on_next(sample)
    stream = replay(tmp_path / name)
    for _ in range(2):
        again: list[Sample] = []
        stream.subscribe(again.append)
        assert again == SAMPLES


def test_a_last_line_that_was_cut_short_is_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "run.jsonl", HEADER, *LINES[:2], LINES[2][:-10])
    with caplog.at_level(logging.WARNING):
        assert replayed(path) == (SAMPLES[:2], [])
    assert "run.jsonl:4: the last line was cut short" in caplog.text


def test_a_last_line_that_lacks_only_its_end_counts(tmp_path: Path) -> None:
    assert replayed(written(tmp_path / "run.jsonl", HEADER, LINES[0], LINES[1][:-1])) == (SAMPLES[:2], [])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], ":1: an empty file"),
        ([b"nonsense\n"], ":1: not the first line of a gearshift recording"),
        ([b'{"gearshift_recording": 9}\n'], ":1: a recording of version 9, .* up to 1; update gearshift"),
        ([b'{"gearshift_recording": 1, "ladder": 5}\n'], ":1: a damaged header"),
        ([HEADER, LINES[0], b"bad\n", LINES[1]], ":3: not a line .* 'bad'; on_bad='skip'"),
        ([HEADER, b'{"record": "sample", "time": 1}\n', LINES[1]], ":2: not a line .* missing required field `pools`"),
        ([HEADER, b'{"record": "sample", "time": 1, "pools": {"ram": {"total": 0, "used": 0}}}\n'], ":2: .* total > 0"),
        ([HEADER, b'{"record": "dream"}\n'], ":2: not a line .* 'dream'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, lines: list[bytes], says: str) -> None:
    path = written(tmp_path / "run.jsonl", *lines)
    (error,) = replayed(path)[1]
    assert isinstance(error, RecordingError) and str(error).startswith(str(path))
    with pytest.raises(RecordingError, match=says):
        raise error


def test_samples_before_a_bad_line_come_before_the_error(tmp_path: Path) -> None:
    samples, errors = replayed(written(tmp_path / "run.jsonl", HEADER, LINES[0], LINES[1], b"bad\n", LINES[2]))
    assert samples == SAMPLES[:2] and len(errors) == 1


def test_bad_lines_may_be_skipped_and_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(
        tmp_path / "run.jsonl", HEADER, LINES[0], b"bad\n", LINES[1], b'{"record": "dream"}\n', b"\n", LINES[2]
    )
    with caplog.at_level(logging.WARNING):
        assert replayed(path, on_bad="skip") == (SAMPLES, [])
    assert "2 lines could not be read and were left out, the first is line 3" in caplog.text
    found = load(path, on_bad="skip")
    assert (found.samples, found.skipped) == (SAMPLES, 2)


def test_a_missing_file_is_an_error_of_the_stream(tmp_path: Path) -> None:
    samples, errors = replayed(tmp_path / "absent.jsonl")
    assert samples == [] and [type(e) for e in errors] == [FileNotFoundError]
    clock, late = TestScheduler(), []
    replay(tmp_path / "absent.jsonl", speed=1, scheduler=clock).subscribe(on_error=late.append)
    clock.advance_to(1)
    assert [type(e) for e in late] == [FileNotFoundError]


def test_a_file_that_is_not_compressed_as_it_says_is_told(tmp_path: Path) -> None:
    _, errors = replayed(written(tmp_path / "run.jsonl.zst", HEADER, *LINES))
    assert isinstance(errors[0], RecordingError) and "not a Zstandard file" in str(errors[0])


def test_a_paced_replay_ends_with_its_thread_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "run.jsonl", HEADER, *LINES)
    before, done = set(threading.enumerate()), threading.Event()
    seen: list[Sample] = []
    replay(path, speed=1000).subscribe(seen.append, on_completed=done.set)
    started = set(threading.enumerate()) - before
    assert done.wait(10) and seen == SAMPLES
    for thread in started:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_a_paced_replay_ends_by_an_error_at_a_bad_line_or_a_subscriber_that_raises(tmp_path: Path) -> None:
    def fail(_: Sample) -> None:
        raise OSError("disk full")

    bad = written(tmp_path / "bad.jsonl", HEADER, b"bad\n", *LINES)
    for path, take, says in [(bad, None, "not a line"), (written(tmp_path / "r.jsonl", HEADER, *LINES), fail, "full")]:
        told, errors = threading.Event(), []
        replay(path, speed=1000).subscribe(take, lambda e, errors=errors, told=told: (errors.append(e), told.set()))
        assert told.wait(10) and says in str(errors[0])


def test_disposing_in_the_handling_of_a_sample_is_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "run.jsonl", HEADER, *LINES)
    assert replay(path, speed=1000).pipe(ops.take(1), ops.to_list()).run() == SAMPLES[:1]
    clock = TestScheduler()
    seen: list[Sample] = []
    replay(path, speed=1, scheduler=clock).pipe(ops.take(1)).subscribe(seen.append)
    clock.advance_to(10)
    assert seen == SAMPLES[:1] and capfd.readouterr().err == ""


@pytest.mark.parametrize("line", [b'{"record":"mark","time":1.0,"text":"\xff"}\n', b"[" * 100_000 + b"\n"])
def test_a_line_that_is_no_text_is_a_bad_line_like_any_other(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path / "run.jsonl", HEADER, LINES[0], line, LINES[1])
    assert load(path, on_bad="skip").skipped == 1
    with pytest.raises(RecordingError, match=":3: not a line"):
        load(path)


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_wherever_a_file_is_cut_off_the_lines_before_are_read(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    source: Subject[Sample] = Subject()
    sizes: list[int] = []
    path = tmp_path / name
    with record(source, path):
        for sample in SAMPLES:
            source.on_next(sample)
            sizes.append(path.stat().st_size)
    whole = path.read_bytes()
    for length in range(sizes[0], sizes[2]):
        path.write_bytes(whole[:length])
        caplog.clear()
        lacks_only_its_end = name == "run.jsonl" and length + 1 in sizes
        assert load(path).samples == SAMPLES[: sum(size <= length for size in sizes) + lacks_only_its_end]
        assert bool(caplog.text) == (name == "run.jsonl.zst" or not (lacks_only_its_end or length in sizes))


def test_at_a_speed_samples_come_when_their_time_has_come(tmp_path: Path) -> None:
    times = [50.0, 51.0, 51.0, 49.0, 55.0]
    samples = [Sample(t, {}) for t in times]
    path = written(tmp_path / "run.jsonl", HEADER, *map(encode, samples))
    clock = TestScheduler()
    seen: list[tuple[float, float]] = []
    done: list[float] = []
    replay(path, speed=2, scheduler=clock).subscribe(
        lambda s: seen.append((clock.clock, s.time)), on_completed=lambda: done.append(clock.clock)
    )
    clock.advance_to(100)
    assert [time for _, time in seen] == times
    assert [at for at, _ in seen] == pytest.approx([0.0, 0.5, 0.5, 0.5, 2.5], abs=0.05) and done


def test_a_paced_replay_stops_when_disposed_and_leaves_no_thread(tmp_path: Path) -> None:
    path = written(tmp_path / "run.jsonl", HEADER, *LINES)
    before = set(threading.enumerate())
    first = threading.Event()
    seen: list[Sample] = []

    def take(sample: Sample) -> None:
        seen.append(sample)
        first.set()

    wire = replay(path, speed=0.001).subscribe(take)
    assert first.wait(10)
    started = set(threading.enumerate()) - before
    wire.dispose()
    for thread in started:
        thread.join(10)
    assert seen == SAMPLES[:1] and not any(thread.is_alive() for thread in started)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"speed": 0}, ValueError, "speed must be .* got speed=0"),
        ({"speed": "fast"}, TypeError, "speed must be a number, got speed='fast'"),
        ({"on_bad": "ignore"}, ValueError, "on_bad must be 'raise' or 'skip', got on_bad='ignore'"),
        ({"scheduler": 5}, TypeError, "scheduler must be a scheduler"),
    ],
)
def test_a_bad_argument_is_named(options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replay("run.jsonl", **options)
