from typing import Any

import pytest
from gearshift.pipeline import Performed, Pressure, Sample
from gearshift.pipeline.breaker import Breaker, contended
from gearshift.pipeline.performance import Performance

IDLE = Sample(0.0, {}, cpu=0.2, load=0.1)
BUSY = Sample(0.0, {}, cpu=0.95, load=2.0)


def rules(
    breaker: Breaker, *seconds: float, failed: Any = (), sample: Sample | None = IDLE, rung: str | None = "large"
) -> list[str]:
    """The rule by which each reply opens the circuit, or nothing."""
    given: list[str] = []
    for i, took in enumerate(seconds):
        why = breaker.performed(Performed(0.0, "generate", took, i not in failed, rung), sample)
        given.append(why[0] if why is not None else "")
    return given


@pytest.mark.parametrize(
    ("count", "failed", "opens"),
    [(4, range(4), None), (5, range(3), 4), (5, range(2), None), (6, range(3, 6), 5), (9, (0, 1, 7, 8), None)],
)
def test_opens_when_half_of_at_least_five_failed(count: int, failed: Any, opens: int | None) -> None:
    expected = ["failing" if i == opens else "" for i in range(count)]
    assert rules(Breaker(None, 60.0), *[1.0] * count, failed=failed) == expected


def test_only_the_last_ten_count() -> None:
    assert rules(Breaker(None, 60.0), *[1.0] * 25, failed=range(21, 25)) == [""] * 25
    assert rules(Breaker(None, 60.0), *[1.0] * 25, failed=range(20, 25)) == [""] * 24 + ["failing"]


def test_once_open_it_counts_anew() -> None:
    assert rules(Breaker(None, 60.0), *[1.0] * 10, failed=range(10)) == ([""] * 4 + ["failing"]) * 2


def test_a_reply_that_misses_the_latency_is_slow_on_an_idle_machine_too() -> None:
    assert rules(Breaker(2.0, 60.0), 3.0, 3.0, 2.0, 2.0, 2.1) == [""] * 4 + ["slow"]
    assert rules(Breaker(2.0, 60.0), *[2.0] * 9) == [""] * 9


def test_a_rung_may_have_a_latency_of_its_own() -> None:
    breaker = Breaker(2.0, 60.0, {"small": 0.5})
    assert rules(breaker, *[1.0] * 5, rung="small") == [""] * 4 + ["slow"]
    assert rules(breaker, *[1.0] * 5, rung="large") == [""] * 5


def test_a_failure_is_not_slow_too() -> None:
    assert rules(Breaker(2.0, 60.0), *[9.0] * 5, failed=(0, 1)) == [""] * 4 + ["slow"]
    assert rules(Breaker(2.0, 60.0), *[9.0] * 5, failed=range(5)) == [""] * 4 + ["failing"]


def test_without_a_latency_twice_the_usual_is_slow_only_while_the_processors_are_contended() -> None:
    slower = [2.1] * 5
    for sample, opens in ((BUSY, "slow"), (IDLE, ""), (None, "")):
        breaker = Breaker(None, 60.0)
        rules(breaker, *[1.0] * 20)
        assert rules(breaker, *slower, sample=sample) == [""] * 4 + [opens]


def test_the_usual_is_not_learned_while_they_are_contended() -> None:
    breaker = Breaker(None, 60.0)
    rules(breaker, *[9.0] * 20, sample=BUSY)
    rules(breaker, *[1.0] * 5)
    assert rules(breaker, *[2.1] * 5, sample=BUSY) == [""] * 4 + ["slow"]


def test_nor_is_what_is_not_twice_the_usual() -> None:
    breaker = Breaker(None, 60.0)
    rules(breaker, *[1.0] * 20)
    assert rules(breaker, *[2.0] * 9, sample=BUSY) == [""] * 9


def test_the_usual_is_that_of_the_operation_on_the_rung() -> None:
    breaker = Breaker(None, 60.0)
    rules(breaker, *[1.0] * 20)
    rules(breaker, *[5.0] * 20, rung="small")
    assert rules(breaker, *[5.0] * 9, rung="small", sample=BUSY) == [""] * 9
    assert rules(breaker, *[5.0] * 5, sample=BUSY)[-1] == "slow"


def test_what_ran_on_no_rung_opens_none() -> None:
    assert rules(Breaker(0.1, 60.0), *[9.0] * 9, failed=range(9), rung=None) == [""] * 9


def test_it_says_how_many_and_of_what() -> None:
    breaker = Breaker(2.0, 60.0)
    for took in (1.0, 1.0, 3.0, 3.0):
        assert breaker.performed(Performed(0.0, "embed", took, True, "large"), None) is None
    assert breaker.performed(Performed(0.0, "embed", 4.25, True, "large"), None) == (
        "slow", "3 of the last 5 of embed on large were slow, this one took 4.2 s",
    )  # fmt: skip


def test_each_opening_lasts_twice_as_long_up_to_an_hour() -> None:
    breaker = Breaker(None, 60.0)
    assert [breaker.open("large", 0.0) for _ in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert breaker.open("small", 0.0) == 60.0


def test_an_hour_after_the_last_one_it_is_forgotten() -> None:
    breaker = Breaker(None, 60.0)
    breaker.open("large", 0.0)
    assert breaker.open("large", 3599.0) == 3599.0 + 120.0
    assert breaker.open("large", 3599.0 + 3600.0) == 7199.0 + 60.0


@pytest.mark.parametrize(
    ("sample", "is_contended"),
    [
        (BUSY, True),
        (Sample(0.0, {}, cpu=0.89, load=9.0), False),
        (Sample(0.0, {}, cpu=1.0, load=1.0), False),
        (Sample(0.0, {}, cpu=1.0), False),
        (Sample(0.0, {}, load=9.0), False),
        (Sample(0.0, {}, pressure={"cpu": Pressure(0.51, 0.0)}), True),
        (Sample(0.0, {}, pressure={"cpu": Pressure(0.5, 0.5), "memory": Pressure(1.0, 1.0)}), False),
    ],
)
def test_contended_is_more_work_than_processors(sample: Sample, is_contended: bool) -> None:
    assert contended(sample) is is_contended


def test_an_app_that_makes_up_a_name_for_each_operation_fills_no_memory() -> None:
    breaker, performance = Breaker(None, 60.0), Performance()
    for i in range(5_000):
        breaker.performed(Performed(0.0, f"request {i}", 1.0, True, "large"), IDLE)
        performance.record(f"request {i}", 1.0, ok=True)
    assert len(breaker._usual) == len(performance._seen) == 100
    assert performance.summary("request 4999").total == 1 and performance.summary("request 0").total == 0


def test_an_operation_that_is_still_used_is_never_forgotten() -> None:
    performance = Performance()
    for i in range(1_000):
        performance.record(f"request {i}", 1.0, ok=True)
        performance.record("generate", 2.0, ok=True)
    assert performance.summary("generate") == (20, 0, 2.0)
