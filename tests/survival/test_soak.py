"""A long time in small: what `make soak` does for millions of samples, a thousand shifts and half an hour."""

import sys
from pathlib import Path

import pytest
from gearshift.models import Ladder

from tests.survival.soak.living import soak
from tests.survival.soak.logs import logged_to
from tests.survival.soak.shifting import shift
from tests.survival.soak.streaming import stream
from tests.survival.soak.tiny import tiny_ladder

real_workers = pytest.mark.skipif(sys.platform != "linux", reason="worker processes need Linux")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    return tiny_ladder(tmp_path_factory.mktemp("models"), large=256, medium=96, small=64)


def test_samples_through_the_whole_stream_leave_nothing_behind_and_sums_stay_right(tmp_path: Path) -> None:
    with logged_to(tmp_path / "log"):
        seen = stream(40_000, 2, tmp_path, book=tmp_path / "readings.jsonl")
    assert seen.broken == 0, (seen.wrong, seen.growths)
    assert seen.outlooks == seen.samples == 40_000 and seen.faults > 0 and seen.decisions > 20


@real_workers
def test_shifts_of_real_models_lose_no_reply_and_leave_nothing_behind(tiny: Ladder, tmp_path: Path) -> None:
    with logged_to(tmp_path / "log"):
        done = shift(20, tiny, tmp_path / "cache", book=tmp_path / "readings.jsonl")
    assert done.lost == [] and done.broken == 0, (done.lost, done.wrong, done.growths)
    assert done.shifts >= 20 and done.replies >= 20 and done.killed > 0


@real_workers
def test_a_soak_on_this_machine_shifts_and_loses_no_reply(tiny: Ladder, tmp_path: Path) -> None:
    said: list[str] = []
    with logged_to(tmp_path / "log"):
        done = soak(0.2, 3, tiny, tmp_path / "cache", book=tmp_path / "readings.jsonl", say=said.append)
    assert done.lost == [] and done.broken == 0, (done.lost, done.wrong, done.growths)
    assert done.hogs > 0 and done.replies > 0 and len(said) == 1 and "0 lost" in said[0]
