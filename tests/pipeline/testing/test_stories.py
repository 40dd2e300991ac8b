"""Scripted stories as files, and decisions as lines."""

from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Asked, Decision, Mark, Reason, Settings, load, replayed
from gearshift.pipeline.testing import FakeLoader, marble_of, residency, rungs_of, samples_of, write_recording

LADDER = rungs_of(500, 300, 100)
STORY = [residency("large"), *samples_of([100] * 20 + [450] * 20, own=500), Mark(40.0, "over")]


def test_a_story_is_read_back_as_it_was_told(tmp_path: Path) -> None:
    settings = Settings(high=0.7)
    path = write_recording(tmp_path / "story.jsonl", iter(STORY), ladder=LADDER, settings=settings)
    found = load(path)
    assert found.lines == STORY and found.header is not None
    assert (list(found.header.ladder), found.header.settings) == (LADDER, settings)


def test_a_story_with_a_ladder_replays_by_itself(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "story.jsonl", STORY, ladder=LADDER)
    assert marble_of(replayed(path), 40) == "-" * 20 + "D" + "-" * 19


def test_the_same_story_is_the_same_file_wherever_it_is_written(tmp_path: Path) -> None:
    first, second = (write_recording(tmp_path / name, STORY, ladder=LADDER) for name in ("a.jsonl", "b.jsonl"))
    assert first.read_bytes() == second.read_bytes()
    write_recording(first, STORY[:5])
    write_recording(first, STORY, ladder=LADDER)
    assert sorted(tmp_path.iterdir()) == [first, second] and first.read_bytes() == second.read_bytes()


def test_a_file_that_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "thesis.txt"
    file.write_text("years of work")
    with pytest.raises(FileExistsError, match="is there and no recording"):
        write_recording(file, STORY)
    assert file.read_text() == "years of work"


def test_settings_that_are_none_are_refused_as_no_reader_would_take_the_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="settings must be Settings or None, got settings=5"):
        write_recording(tmp_path / "story.jsonl", STORY, settings=5)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "ladder", "error", "says"),
    [
        ([*STORY, "the end"], (), TypeError, "a recording holds Sample, Decision, .*, got 'the end'"),
        ([residency("large"), Asked(0.0, "a game")], (), ValueError, "at least one sample, got 2 lines without one"),
        (STORY, [*LADDER[:1], *LADDER[:1]], ValueError, "rung names must differ"),
    ],
)
def test_what_is_no_story_is_refused_and_nothing_is_written(
    lines: Any, ladder: Any, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        write_recording(tmp_path / "story.jsonl", lines, ladder=ladder)
    assert list(tmp_path.iterdir()) == []


def decision(kind: str, time: float, urgency: str = "planned") -> Decision:
    return Decision(kind, "a", "b", urgency, time, Reason("asked"))


def test_decisions_are_signs_on_a_line_and_capitals_where_they_are_immediate() -> None:
    made = [decision("upgrade", 100.0), decision("downgrade", 103.9, "immediate"), decision("shed", 105.0)]
    assert marble_of(made, 8, since=100.0) == "u--D-s--"
    assert marble_of(reversed(made), since=100.0, frame=2.5) == "uDs"
    assert marble_of([], 3) == "---"


def test_a_decision_outside_the_line_or_two_in_one_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="'u' at 5 s is outside a line of 3 frames of 1 s"):
        marble_of([decision("upgrade", 5.0)], 3)
    with pytest.raises(ValueError, match="'u' and 'd' are both in frame 0; take a shorter frame"):
        marble_of([decision("upgrade", 1.0), decision("downgrade", 2.0)], 3, frame=10.0)


def test_a_closed_loop_can_be_kept_as_a_recording_and_replays_alike(tmp_path: Path) -> None:
    loader = FakeLoader(LADDER)
    lines: list[Any] = []
    loader.residencies.subscribe(lines.append)
    loader.samples.subscribe(lines.append)
    made = loader.play(samples_of([100] * 20 + [450] * 40 + [100] * 400))
    path = write_recording(tmp_path / "run.jsonl", lines, ladder=LADDER)
    assert [d.kind for d in made] == ["upgrade", "downgrade", "upgrade"] and replayed(path) == made
