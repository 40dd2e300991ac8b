from pathlib import Path

import pytest
from gearshift.pipeline import Recorder, RecordingError, Sample, load
from gearshift.pipeline.importers import import_samples

IMPORTED = Path(__file__).parents[1] / "recordings/imported"
TOTAL = 24 << 30


def test_a_recording_says_what_it_is_and_streams_its_samples(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    samples = [Sample(t, {}) for t in (1.0, 2.5, 4.5)]
    for sample in samples:
        recorder.write(sample)
    recorder.close()
    run = load(tmp_path / "run.jsonl")
    assert repr(run) == "<Recording run.jsonl: gearshift, 3 samples over 3.5 s>"
    seen: list[Sample] = []
    run.stream().subscribe(seen.append)
    assert seen == samples == run.samples


@pytest.mark.parametrize(("name", "format"), [("vmstat/t.txt", "vmstat -t"), ("free/b.txt", "free -s")])
def test_other_formats_are_recognised_and_asked_for_what_they_lack(name: str, format: str) -> None:
    path = IMPORTED / name
    run = load(path, totals={"ram": TOTAL}, interval=1.0)
    expect = import_samples(path, totals={"ram": TOTAL}, interval=1.0)
    assert (run.format, run.samples, run.skipped, run.header) == (expect.format, expect.samples, 0, None)
    assert run.format == format and run.samples


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "poem").write_text("Shall I compare thee\nto a summer's day\n")
    with pytest.raises(RecordingError, match="empty:1: an empty file"):
        load(tmp_path / "empty")
    with pytest.raises(RecordingError, match="poem:1: no format that is known: 'Shall I compare thee'"):
        load(tmp_path / "poem")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent")
