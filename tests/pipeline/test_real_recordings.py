"""What would have been decided beside real programs, recorded on a machine with 23.5 GiB (tests/recordings/make.py)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Decision, Residency, Rung, Settings, load

from tests.recordings.make import PROGRAMS

RECORDINGS = Path(__file__).parents[1] / "recordings"
MIB = 2**20
LADDER = [
    Rung("large", {"ram": 18_050 * MIB}),
    Rung("medium", {"ram": 17_000 * MIB}),
    Rung("small", {"ram": 9_000 * MIB}),
]
LOADED = [Residency(0.0, "ready", "large")]

Replay = Callable[..., list[Decision]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_beside_a_real_program_the_same_is_decided_as_before(
    name: str, replay_decisions: Replay, assert_golden: Any
) -> None:
    decisions = replay_decisions(RECORDINGS / f"{name}.jsonl", LADDER, Settings(patience=2), LOADED)
    assert_golden(decisions, RECORDINGS.parent / f"golden/{name}.json")


def crossing(name: str) -> float:
    """When others first held more than the large rung leaves them under the ceiling."""
    samples = load(RECORDINGS / f"{name}.jsonl").samples
    pools = [(s.time, pool) for s in samples if (pool := s.pools["ram"]) is not None]
    return next(time for time, pool in pools if pool.external + LADDER[0].need["ram"] > 0.8 * pool.total)


def test_a_leak_is_foreseen(replay_decisions: Replay) -> None:
    first = replay_decisions(RECORDINGS / "leak.jsonl", ladder=LADDER, residencies=LOADED)[0]
    assert (first.kind, first.urgency, first.reason.rule) == ("downgrade", "planned", "forecast")
    assert crossing("leak") - first.time > 2


def test_a_build_and_a_model_next_door_that_fit_change_nothing(replay_decisions: Replay) -> None:
    for name in ("build", "model"):
        assert replay_decisions(RECORDINGS / f"{name}.jsonl", ladder=LADDER, residencies=LOADED) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_recordings_are_whole(name: str) -> None:
    recording = load(RECORDINGS / f"{name}.jsonl")
    assert recording.header is not None and recording.header.machine is not None
    assert len(recording) >= 40 and len(recording.marks) >= 2 and recording.skipped == 0
    times = [sample.time for sample in recording.samples]
    assert times == sorted(times) and all(sample.missing == () for sample in recording.samples)
