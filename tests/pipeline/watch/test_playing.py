"""Recordings and simulations as stories."""

from pathlib import Path

from gearshift.pipeline import (
    Decision,
    Header,
    Pool,
    Reason,
    Recorder,
    Recording,
    Residency,
    Rung,
    Sample,
    Settings,
    load,
    simulate,
)
from gearshift.pipeline.simulation.fitting import own_settings
from gearshift.pipeline.watch.playing import recorded, simulated

from .pictures import GIB, LADDER, RECORDINGS


def test_what_was_decided_and_loaded_while_it_was_recorded_is_told(tmp_path: Path) -> None:
    ladder, settings = (Rung("large", {"ram": GIB}), Rung("small", {"ram": 1})), Settings(high=0.7)
    recorder = Recorder(tmp_path / "run.jsonl", header=Header(1, ladder=ladder, settings=settings))
    for line in (
        Sample(1.0, {"ram": Pool(10 * GIB, GIB)}),
        Decision("upgrade", None, "large", "planned", 1.0, Reason("fits", pool="ram", total=GIB, ceiling=0.7)),
        Residency(1.5, "shifting"),
        Residency(3.0, "ready", "large", seconds=1.5),
        Sample(4.0, {"ram": Pool(10 * GIB, 2 * GIB, GIB)}),
    ):
        recorder.write(line)
    recorder.close()
    recording = load(tmp_path / "run.jsonl")
    assert own_settings(recording) == settings
    story = recorded(recording, settings)
    assert story.ladder == ladder and [entry.kind for entry in story.entries] == ["up"]
    at = [story.loaded_at(time) for time in (1.2, 2.0, 3.5)]
    assert at[0] is None
    assert at[1] is not None and (at[1].rung, at[1].state) == (None, "shifting")
    assert at[2] is not None and (at[2].rung, at[2].state, at[2].time) == ("large", "ready", 3.0)


def test_decisions_of_a_dry_run_count_as_carried_out_at_once() -> None:
    up = Decision("upgrade", None, "large", "planned", 1.0, Reason("fits", pool="ram", total=GIB, ceiling=0.7))
    lines = [Sample(1.0, {"ram": Pool(10 * GIB, GIB)}), up, Sample(4.0, {"ram": Pool(10 * GIB, GIB)})]
    header = Header(1, ladder=(Rung("large", {"ram": 2 * GIB}),))
    recording = Recording(Path("run.jsonl"), "gearshift", lines, header=header, skipped=0)
    story = recorded(recording, Settings())
    loaded, seen = story.loaded_at(4.0), story.outlooks[-1].pools["ram"]
    assert story.title == "run.jsonl, a dry run" and story.pretended
    assert loaded is not None and (loaded.rung, loaded.time) == ("large", 1.0)
    assert seen is not None and (seen.pool.own, seen.external) == (2 * GIB, GIB)


def test_simulated_it_tells_the_decisions_of_the_simulation_and_keeps_marks_and_readings() -> None:
    recording = load(RECORDINGS / "leak.jsonl")
    settings = own_settings(recording)
    found = simulate(recording, LADDER, settings)
    story = simulated(recording, LADDER, settings)
    explained = [entry.text for entry in story.entries if entry.kind in ("up", "down", "shed")]
    assert explained == [decision.explain() for decision in found.decisions] and len(explained) > 1
    marks = [entry.text for entry in story.entries if entry.kind == "mark"]
    assert marks == [mark.text for mark in recording.marks] and marks
    last = story.outlooks[-1]
    assert last.sample.cpu == recording.samples[-1].cpu is not None
    seen = last.pools["ram"]
    assert seen is not None and seen.pool.own == found.timeline[-1].pools["ram"].own > 0


def test_each_decision_stands_at_its_time() -> None:
    story = simulated(load(RECORDINGS / "leak.jsonl"), LADDER, Settings())
    assert [entry.time for entry in story.entries] == sorted(entry.time for entry in story.entries)
