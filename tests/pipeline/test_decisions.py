"""Small cases: what the stream decides, and that it says why."""

import pytest
import reactivex
from gearshift.pipeline import Asked, Decision, Pool, Residency, Rung, Sample, Settings, decision_stream
from gearshift.pipeline.testing import rungs_of, samples_of
from reactivex import Subject

from tests.pipeline.closed import play, shifts

LADDER = rungs_of(500, 300, 100)


def test_the_first_decision_loads_the_best_rung_that_fits() -> None:
    assert [(d.source, d.target) for d in play([100] * 5, LADDER, Settings())] == [(None, "large")]
    assert [(d.source, d.target) for d in play([350] * 5, LADDER, Settings())] == [(None, "medium")]


def test_no_rung_fits_is_a_shed_once_and_recovery_after_its_window() -> None:
    settings = Settings(recovery=15)
    made = play([950] * 50 + [300] * 100, LADDER, settings)
    assert [(d.kind, d.target, d.reason.rule) for d in made] == [
        ("shed", None, "nothing fits"),
        ("upgrade", "medium", "recovered"),
    ]
    assert made[1].time >= 50 + settings.recovery


def test_a_loaded_rung_is_shed_when_not_even_the_smallest_fits() -> None:
    made = play([100] * 30 + [980] * 30, LADDER, Settings())
    assert [d.kind for d in made] == ["upgrade", "shed"]
    assert made[1].urgency == "immediate"


def test_a_full_device_that_the_rung_is_not_on_is_no_emergency() -> None:
    full = {"ram": Pool(1000, 600, 500), "cuda:1": Pool(1000, 1000)}
    source, residencies, made = Subject[Sample](), Subject[Residency](), []
    decision_stream(source, residencies, LADDER).subscribe(made.append)
    residencies.on_next(Residency(0.0, "ready", "large"))
    for t in range(30):
        source.on_next(Sample(float(t), full))
    assert made == []


@pytest.mark.parametrize("unknown", [1, 3])
def test_an_unknown_pool_restarts_growth_and_shrinks_nothing(unknown: int) -> None:
    steady = [400] * 50 + [100] * 200
    made = shifts(play(steady + [None] * unknown + [100] * 500, LADDER, Settings()))
    assert [kind for _, kind, _ in made] == ["upgrade"]
    assert made[0][0] >= 250 + unknown + 300


def test_a_pool_that_goes_dark_in_a_shortage_sheds_nothing() -> None:
    source: Subject = Subject()
    residencies: Subject = Subject()
    made: list[Decision] = []
    decision_stream(source, residencies, LADDER, Settings(confirm=1)).subscribe(made.append)
    residencies.on_next(Residency(0.0, "ready", "small"))
    for second in range(10):
        source.on_next(Sample(float(second), {"ram": Pool(1000, 850, 100)}))
    for second in range(10, 30):
        source.on_next(Sample(float(second), {"ram": None}, missing=("ram",)))
    assert made == []


def test_before_the_first_reading_nothing_is_decided() -> None:
    assert [(d.time, d.target) for d in play([None, None, 100], LADDER, Settings())] == [(2.0, "large")]


def test_a_gap_restarts_the_stabilisation() -> None:
    source: Subject = Subject()
    residencies: Subject = Subject()
    made: list[Decision] = []
    decision_stream(source, residencies, LADDER, Settings()).subscribe(made.append)
    residencies.on_next(Residency(0.0, "ready", "small"))
    times = [float(t) for t in range(200)] + [1000.0 + t for t in range(310)]
    for time in times:
        source.on_next(Sample(time, {"ram": Pool(1000, 200, 100)}))
    assert [d.time for d in made] == [1300.0]


def test_a_rung_that_failed_is_set_aside_and_the_next_is_taken() -> None:
    source: Subject = Subject()
    residencies: Subject = Subject()
    made: list[Decision] = []
    decision_stream(source, residencies, LADDER, Settings(retry=60)).subscribe(made.append)
    samples = samples_of([100] * 5)
    source.on_next(samples[0])
    residencies.on_next(Residency(0.5, "empty", None, failed="large"))
    source.on_next(samples[1])
    assert [d.target for d in made] == ["large", "medium"]


def test_what_was_asked_for_steps_down_one_rung_and_says_whose_words() -> None:
    source: Subject = Subject()
    residencies: Subject = Subject()
    asked: Subject = Subject()
    made: list[Decision] = []
    decision_stream(source, residencies, LADDER, Settings(), asked=asked).subscribe(made.append)
    residencies.on_next(Residency(0.0, "ready", "large"))
    source.on_next(samples_of([100])[0])
    asked.on_next(Asked(0.0, "the user starts a game", immediate=True))
    assert [(d.kind, d.target, d.urgency, d.reason.rule) for d in made] == [
        ("downgrade", "medium", "immediate", "asked")
    ]
    assert "the user starts a game" in made[0].explain()


def test_critical_use_turns_a_planned_shift_that_is_under_way_into_an_immediate_one() -> None:
    source: Subject = Subject()
    residencies: Subject = Subject()
    made: list[Decision] = []
    decision_stream(source, residencies, LADDER, Settings(settle=0)).subscribe(made.append)
    residencies.on_next(Residency(-10.0, "ready", "large"))
    for second, external in enumerate([350] * 32 + [440] * 3):
        source.on_next(Sample(float(second), {"ram": Pool(1000, external + 500, 500)}))
    assert [(d.target, d.urgency) for d in made] == [("medium", "planned"), ("medium", "immediate")]


def test_errors_and_completion_of_the_samples_are_forwarded() -> None:
    ended: list[str] = []
    stream = decision_stream(reactivex.throw(OSError("gone")), reactivex.never(), LADDER)
    stream.subscribe(on_error=lambda e: ended.append(str(e)))
    decision_stream(reactivex.empty(), reactivex.never(), LADDER).subscribe(
        on_completed=lambda: ended.append("completed")
    )
    assert ended == ["gone", "completed"]


@pytest.mark.parametrize(
    ("ladder", "says"),
    [
        ([], "at least one rung"),
        ([*rungs_of(1), *rungs_of(2)], "must differ"),
        ([Rung("a", {"ram": -5})], "need must be bytes of at least 0, got ram = -5 for rung 'a'"),
        ([Rung("a", {"ram": 5}, float("inf"))], "quality must be a finite number, got inf for rung 'a'"),
    ],
)
def test_a_bad_ladder_is_an_error_that_names_it(ladder: list, says: str) -> None:
    errors: list[Exception] = []
    decision_stream(reactivex.empty(), reactivex.never(), ladder).subscribe(on_error=errors.append)
    assert says in str(errors[0])


def test_every_decision_explains_itself_with_its_numbers() -> None:
    gib = 2**30
    big = rungs_of(5 * gib, 3 * gib, gib)
    external = [gib] * 400 + [gib + i * gib // 20 for i in range(100)] + [gib] * 700
    made = play(external, big, Settings(), total=10 * gib)
    assert {d.kind for d in made} == {"upgrade", "downgrade"}
    for decision in made:
        text = decision.explain()
        assert (decision.target or "nothing") in text and "GiB" in text and text.endswith(".")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"high": 1.2}, "got high=1.2"),
        ({"hysteresis": 0.9}, "hysteresis=0.9"),
        ({"critical": 0}, "critical=0"),
        ({"interval": 0}, "interval=0"),
        ({"stabilisation": -1}, "stabilisation=-1"),
        ({"budget": 0}, "budget=0"),
        ({"window": float("nan")}, "window=nan"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(changed: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Settings(**changed)
