"""The verdict of a long run, on readings of this very process with a leak planted into it."""

import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from gearshift.operators.theil_sen import TheilSenWindow

from tests.survival.soak import shifting
from tests.survival.soak.flatness import Bound, Growth, growths
from tests.survival.soak.measuring import Book, Gauge, Reading

BOUNDS = {"held": Bound(256_000, 20_000), "blocks": Bound(1_000, 100), "objects": Bound(500, 50)}  # per 1,000 rounds

WITHOUT_WORKERS = {name: bound for name, bound in shifting.BOUNDS.items() if name not in ("server", "kept")}


def rounds(
    folder: Path, leak: Callable[[], object], *, count: int = 400, bounds: Mapping[str, Bound] = BOUNDS
) -> dict[str, Growth]:
    gauge, book = Gauge(folder), Book(folder / "readings.jsonl")
    for at in range(count):
        leak()
        if at % (count // 40) == 0:
            book.add(gauge.read(at))
    return {each.name: each for each in growths(Book.read(book.path), bounds, per=1000)}


def test_rounds_that_keep_nothing_are_flat(tmp_path: Path) -> None:
    found = rounds(tmp_path, lambda: [bytes(1000) for _ in range(100)])
    assert not any(each.broken for each in found.values()), found


def test_a_kilobyte_kept_each_round_is_found(tmp_path: Path) -> None:
    kept: list[bytes] = []
    found = rounds(tmp_path, lambda: kept.append(random.randbytes(1000)))
    assert found["held"].broken and found["held"].rate > 900_000


def test_a_kilobyte_kept_each_shift_breaks_the_verdict_of_a_thousand_shifts(tmp_path: Path) -> None:
    kept: list[bytes] = []
    found = rounds(tmp_path, lambda: kept.append(random.randbytes(1000)), count=1000, bounds=WITHOUT_WORKERS)
    assert found["held"].broken and not found["objects"].broken


def test_a_small_object_kept_each_round_is_found(tmp_path: Path) -> None:
    kept: list[list[str]] = []
    found = rounds(tmp_path, lambda: kept.append([f"{len(kept)} kept", f"{len(kept)} too", "", ""]))
    assert found["blocks"].broken and found["objects"].broken


def test_a_thread_and_a_descriptor_kept_now_and_then_are_found(tmp_path: Path) -> None:
    over, kept = threading.Event(), list[object]()

    def leak() -> None:
        if len(kept) % 80 == 0:
            threading.Thread(target=over.wait).start()
            kept.append((tmp_path / "file").open("w"))
        else:
            kept.append(None)

    try:
        found = rounds(tmp_path, leak)
    finally:
        over.set()
        for each in kept:
            if each is not None:
                each.close()  # type: ignore[attr-defined]
    assert found["threads"].broken and found["files"].broken


def test_wild_readings_neither_hide_growth_nor_make_it_up() -> None:
    draw = random.Random(1)
    for slope, broken in ((0.0, False), (2_000.0, True)):
        readings = [reading(at, 1e8 + slope * at + (draw.random() < 0.2) * draw.randrange(10**7)) for at in range(200)]
        (rss, *_) = growths(readings, {"rss": Bound(1_000_000, 0)}, per=1000)
        assert rss.broken is broken, rss


def test_too_few_readings_are_no_verdict() -> None:
    with pytest.raises(ValueError, match="rss needs 8 readings in the second half, got 5"):
        growths([reading(at, 1e8) for at in range(10)], {"rss": Bound(1, 0)}, per=1000)


def reading(at: float, rss: float) -> Reading:
    return Reading(at, int(rss), threads=1, files=3, children=0, server=None, workers=0, kept=0)


def test_the_line_is_that_of_all_pairs() -> None:
    window = TheilSenWindow(100, pairs=50)
    line = None
    for at in range(50):
        line = window.update(3.0 * at + (at % 7 == 0) * 1e6, at)
    assert line is not None and line.slope == 3.0
