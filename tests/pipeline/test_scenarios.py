"""The four scenarios that gearshift exists for, replayed in a closed loop."""

import random
from pathlib import Path

from gearshift.pipeline import Settings, decision_stream, record, replay
from gearshift.pipeline.testing import rungs_of, samples_of

from tests.pipeline.closed import play, shifts

LADDER = rungs_of(500, 300, 100)
SETTINGS = Settings()


def test_gradual_relief_upgrades_after_the_stabilisation_and_not_before() -> None:
    relief = 200
    external = [400] * relief + [400 - i for i in range(300)] + [100] * 600
    made = play(external, LADDER, SETTINGS)
    ups = [(t, target) for t, kind, target in shifts(made) if kind == "upgrade"]
    assert [target for _, target in ups] == ["large"]
    fits_since = next(i for i, used in enumerate(external) if used + 500 <= SETTINGS.low * 1000)
    assert ups[0][0] >= fits_since + SETTINGS.stabilisation
    assert ups[0][0] <= fits_since + SETTINGS.stabilisation + 5


def test_relief_that_is_interrupted_starts_the_window_again() -> None:
    external = [400] * 100 + [100] * 290 + [400] * 5 + [100] * 700
    ups = [t for t, kind, _ in shifts(play(external, LADDER, SETTINGS)) if kind == "upgrade"]
    assert len(ups) == 1 and ups[0] >= 395 + SETTINGS.stabilisation


def test_sudden_shortage_downgrades_at_once() -> None:
    made = play([100] * 60 + [450] * 60, LADDER, SETTINGS)
    down = [d for d in made if d.kind == "downgrade"]
    assert [(d.time, d.urgency, d.target) for d in down] == [(60.0, "immediate", "medium")]
    assert down[0].reason.rule == "critical"


def test_a_leak_is_foreseen_before_the_ceiling() -> None:
    external = [100] * 60 + [100 + 5 * i for i in range(60)]
    made = play(external, LADDER, SETTINGS)
    first = next(d for d in made if d.kind == "downgrade")
    crossing = next(i for i, used in enumerate(external) if used + 500 > SETTINGS.high * 1000)
    assert (first.urgency, first.target) == ("planned", "medium")
    assert crossing - first.time >= 5


def test_steady_use_never_shifts_in_hours() -> None:
    noise = random.Random(1)
    external = [100 + noise.randint(-10, 10) for _ in range(6 * 3600)]
    assert shifts(play(external, LADDER, SETTINGS)) == []


def test_noise_around_the_ceiling_shifts_little_and_never_flaps() -> None:
    noise = random.Random(2)
    external = [100] * 60 + [int(300 + noise.gauss(0, 30)) for _ in range(4 * 3600)]
    seen = shifts(play(external, LADDER, SETTINGS))
    assert 1 <= len(seen) <= 3
    for (before, kind, _), (after, other, _) in zip(seen, seen[1:], strict=False):
        assert kind == other or after - before >= SETTINGS.stabilisation


def test_waves_of_load_shift_no_more_than_twice_a_wave() -> None:
    noise = random.Random(3)
    external = [int((430 if (i // 900) % 2 else 100) + noise.gauss(0, 5)) for i in range(4 * 3600)]
    assert 8 <= len(shifts(play(external, LADDER, SETTINGS))) <= 16


def test_a_replay_decides_what_was_decided_live(tmp_path: Path) -> None:
    from reactivex import Subject, from_iterable, never

    samples = samples_of([100] * 30 + [100 + 4 * i for i in range(200)] + [None] * 5 + [200] * 400, own=0)
    file = tmp_path / "run.jsonl"
    source: Subject = Subject()
    live: list = []
    decision_stream(source, never(), LADDER, SETTINGS).subscribe(live.append)
    record(source, file)
    for sample in samples:
        source.on_next(sample)
    source.on_completed()
    again: list = []
    decision_stream(replay(file), never(), LADDER, SETTINGS).subscribe(again.append)
    direct: list = []
    decision_stream(from_iterable(samples), never(), LADDER, SETTINGS).subscribe(direct.append)
    assert live == again == direct and live
