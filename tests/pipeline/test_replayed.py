from pathlib import Path

import pytest
from gearshift.pipeline import (
    Asked,
    Header,
    Recorder,
    RecordingError,
    Residency,
    Rung,
    Sample,
    Settings,
    load,
    record,
)
from gearshift.pipeline.replayed import replayed, rungs_from
from gearshift.pipeline.testing import rungs_of, samples_of
from gearshift.pipeline.words import Performed
from reactivex import Subject, from_iterable

LADDER = rungs_of(500, 300, 100)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "run.jsonl"
    record(from_iterable(samples_of([100] * 30 + [100 + 5 * i for i in range(120)])), file)
    return file


def test_a_replay_without_residencies_calls_a_load_off_that_would_turn_critical(
    recording: Path,
) -> None:
    made = [(d.kind, d.target, d.reason.rule) for d in replayed(recording, LADDER)]
    assert made[0] == ("upgrade", "large", "fits")
    assert {rule for _, _, rule in made[1:]} <= {"critical", "soon critical", "nothing fits"} and len(made) > 1


def test_without_a_ladder_all_is_as_it_was_recorded(tmp_path: Path) -> None:
    samples = samples_of([100] * 30 + [100 + 5 * i for i in range(120)])
    loaded = [Residency(0.0, "ready", "large"), Residency(80.0, "ready", "medium")]
    settings = Settings(high=0.65, hysteresis=0.05)
    residencies, source = Subject[Residency](), Subject[Sample]()
    with record(source, tmp_path / "run.jsonl", residencies=residencies, ladder=LADDER, settings=settings):
        for sample in samples:
            for residency in loaded:
                if residency.time == sample.time:
                    residencies.on_next(residency)
            source.on_next(sample)
    made = replayed(tmp_path / "run.jsonl")
    assert made == replayed(load(tmp_path / "run.jsonl"), LADDER, settings, loaded) != []
    assert replayed(tmp_path / "run.jsonl", settings=Settings()) == replayed(
        tmp_path / "run.jsonl", LADDER, Settings(), loaded
    )


def test_a_recording_is_replayed_in_the_order_in_which_it_was_written(tmp_path: Path) -> None:
    settings, at_once = Settings(confirm=0, patience=0), Residency(10.0, "shifting", "large")
    recorder = Recorder(tmp_path / "run.jsonl", header=Header(1, ladder=tuple(LADDER), settings=settings))
    for line in [Residency(0.0, "ready", "large"), *samples_of([100] * 10 + [350], own=500), at_once]:
        recorder.write(line)
    recorder.close()
    found = load(tmp_path / "run.jsonl")
    assert [d.time for d in replayed(found)] == [10.0]
    assert replayed(found, residencies=found.residencies) == [], "by its time alone, the shift would come first"


def test_what_was_asked_for_comes_after_the_sample_of_its_time(recording: Path) -> None:
    loaded = [Residency(0.0, "ready", "large")]
    requests = [Asked(7.0, "a game"), Asked(7.0, "another"), Asked(3.0, "a call")]
    made = replayed(recording, LADDER, None, loaded, requests)
    assert [(d.time, d.target, d.reason.detail) for d in made if d.reason.rule == "asked"] == [
        (3.0, "medium", "a call"), (7.0, "small", "a game"),
    ]  # fmt: skip
    with_reports = [Performed(5.0, "generate", 1.0, False, "large")] * 5
    first = replayed(recording, LADDER, None, loaded, with_reports)[0]
    assert (first.time, first.reason.rule) == (5.0, "failing")


def test_a_recording_that_names_no_ladder_asks_for_one(recording: Path) -> None:
    with pytest.raises(ValueError, match="run.jsonl names no ladder; pass ladder="):
        replayed(recording)


def test_recordings_of_other_programs_are_decided_on_too() -> None:
    path = Path(__file__).parents[1] / "recordings/imported/vmstat/t.txt"
    run = load(path, totals={"ram": 24 << 30})
    assert [d.target for d in replayed(run, [Rung("small", {"ram": 1 << 20})])] == ["small"]


def test_residencies_come_at_their_times_in_whatever_order_they_are_given(recording: Path) -> None:
    loaded = [Residency(80.0, "ready", "medium"), Residency(0.0, "ready", "large")]
    made = replayed(recording, LADDER, Settings(), loaded)
    assert [(d.source, d.target, d.urgency) for d in made] == [
        ("large", "medium", "planned"),
        ("medium", "small", "planned"),
        ("medium", "small", "immediate"),
    ]
    assert made[0].time < 80 < made[1].time
    assert replayed(recording, LADDER, Settings(), reversed(loaded)) == made


def test_a_residency_counts_for_the_sample_of_its_own_time(recording: Path) -> None:
    assert replayed(recording, LADDER, residencies=[Residency(0.0, "ready", "large")])[0].source == "large"


def test_settings_are_not_those_of_this_machine(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEARSHIFT_TIERS", "/nowhere")
    loaded = [Residency(0.0, "ready", "large")]
    assert replayed(recording, LADDER, residencies=loaded) == replayed(recording, LADDER, Settings(), loaded)
    assert (
        replayed(recording, LADDER, Settings(high=0.65), loaded)[0].time
        < replayed(recording, LADDER, None, loaded)[0].time
    )


def test_rungs_are_read_from_a_file(recording: Path, tmp_path: Path) -> None:
    file = tmp_path / "rungs.toml"
    file.write_text(
        '[[rung]]\nname = "large"\nneed = { ram = 500, "cuda:0" = 1_000 }\nquality = 2\n'
        '[[rung]]\nname = "small"\nneed = { ram = 100 }\n'
    )
    assert rungs_from(file) == [Rung("large", {"ram": 500, "cuda:0": 1000}, 2.0), Rung("small", {"ram": 100})]
    file.write_text('[[rung]]\nname = "only"\nneed = { ram = 500 }')
    assert [d.target for d in replayed(recording, file)] == ["only", None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no rung"),
        ("rung = 3", "holds no rung"),
        ("not toml [", "not TOML"),
        ("rung = [3]", r"rung\[0\]: .*the keys of a rung"),
        ('[[rung]]\nname = "a"', r"rung\[0\]: .*need"),
        ('[[rung]]\nname = "a"\nneed = { ram = "6 GiB" }', r"rung\[0\]: .*int.*need in bytes"),
        ('[[rung]]\nname = "a"\nneed = {}\nspeed = 3', r"rung\[0\]: unknown key speed = 3"),
    ],
)
def test_a_bad_file_of_rungs_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "rungs.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"rungs.toml: {says}"):
        rungs_from(file)


def test_a_recording_that_cannot_be_read_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replayed(tmp_path / "absent.jsonl", LADDER)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(RecordingError, match="an empty file"):
        replayed(tmp_path / "empty.jsonl", LADDER)
