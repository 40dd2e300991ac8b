"""Each rival's rule, with its published numbers, on a pool of 1,000 bytes: large 450, medium 200, small 90."""

from collections.abc import Sequence

import pytest
from gearshift.pipeline import Decision, Pool, Residency, Rung, Sample, Settings
from gearshift.pipeline.simulation.policies import Policy
from gearshift.pipeline.simulation.rivals import (
    RIVALS,
    AlwaysLargest,
    AlwaysSmallest,
    HorizontalPodAutoscaler,
    Lemonade,
    LoadTimeOnly,
    LocalAI,
    PlainThreshold,
    RayServe,
)

LARGE, MEDIUM, SMALL = (
    Rung("large", {"ram": 450}, 1.0),
    Rung("medium", {"ram": 200}, 0.8),
    Rung("small", {"ram": 90}, 0.6),
)
LADDER = [LARGE, MEDIUM, SMALL]
NEED = {rung.name: rung.need["ram"] for rung in LADDER}


class Obedient:
    """A machine that shifts at once, and notes when and to what."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.rung = policy, None
        self.shifts: list[tuple[float, str | None]] = []
        self.decisions: list[Decision] = []

    def obey(self, decision: Decision | None, time: float) -> None:
        if decision is not None:
            self.decisions.append(decision)
            self.shifts.append((time, decision.target))
            self.hold(decision.target, time)

    def hold(self, rung: str | None, time: float) -> None:
        self.rung = rung
        self.policy.residency(Residency(time, "empty" if rung is None else "ready", rung))

    def sample(self, external: int | None, time: float) -> None:
        own = NEED.get(self.rung or "", 0)
        pool = None if external is None else Pool(1000, external + own, own)
        self.obey(self.policy.sample(Sample(time, {"ram": pool})), time)

    def request(self, time: float) -> None:
        self.obey(self.policy.request(time), time)

    def samples(self, externals: Sequence[int | None], *, since: float = 0.0, every: float = 1.0) -> None:
        for i, external in enumerate(externals):
            self.sample(external, since + i * every)


def on(policy: type, **parameters: float) -> Obedient:
    return Obedient(policy(LADDER, Settings(), **parameters))


@pytest.mark.parametrize(("policy", "rung"), [(AlwaysLargest, "large"), (AlwaysSmallest, "small")])
def test_a_fixed_choice_loads_at_once_and_again_after_a_kill(policy: type, rung: str) -> None:
    machine = on(policy)
    machine.samples([990] * 3)
    machine.policy.residency(Residency(3.0, "empty", failed=rung))
    machine.samples([990] * 3, since=3)
    assert machine.shifts == [(0, rung), (3, rung)]


def test_every_rival_is_silent_while_a_shift_is_under_way_or_a_pool_is_unknown() -> None:
    for name, make in RIVALS.items():
        policy = make(LADDER, Settings())
        policy.residency(Residency(0.0, "shifting"))
        machine = Obedient(policy)
        machine.samples([100] * 30)
        machine.request(30)
        assert machine.shifts == [], name
        machine = Obedient(make(LADDER, Settings()))
        machine.samples([None] * 30)
        assert machine.shifts == [], name


def test_decisions_name_the_rival_and_tell_the_direction() -> None:
    machine = on(HorizontalPodAutoscaler)
    machine.samples([100] * 20 + [500] * 400 + [100] * 400)
    assert [(d.kind, d.source, d.target, d.urgency) for d in machine.decisions] == [
        ("upgrade", None, "large", "planned"),
        ("downgrade", "large", "medium", "planned"),
        ("upgrade", "medium", "large", "planned"),
    ]
    assert {d.reason.rule for d in machine.decisions} == {"kubernetes hpa"}


def test_the_threshold_starts_with_the_best_rung_under_80_percent_and_waits_for_one() -> None:
    machine = on(PlainThreshold)
    machine.samples([740] * 10 + [700] * 10, every=2)
    assert machine.shifts == [(20, "small")]


def test_the_threshold_goes_one_step_down_above_90_percent_but_not_within_five_minutes() -> None:
    machine = on(PlainThreshold)
    machine.samples([300] * 5 + [720] * 400, every=2)
    assert machine.shifts == [(0, "large"), (300, "medium"), (600, "small")]


def test_the_threshold_keeps_the_smallest_rung_whatever_happens() -> None:
    machine = on(PlainThreshold)
    machine.hold("small", 0)
    machine.samples([905] * 500, every=2)
    assert machine.shifts == []


def test_the_threshold_shrinks_under_one_gib_of_sixteen() -> None:
    machine = on(PlainThreshold, high=0.99)
    machine.hold("large", 0)
    machine.samples([487, 488], every=2)  # 63 bytes of 1,000 are free, then 62: 1/16 is 62.5
    assert machine.shifts == [(2, "medium")]


def test_the_threshold_grows_a_step_with_four_gib_free_and_no_rise_over_twenty_readings() -> None:
    machine = on(PlainThreshold)
    machine.hold("small", 0)
    machine.samples([661] * 40, every=2)  # 0.751 used: below 0.80, and less than 4 GiB of 16 free
    assert machine.shifts == []
    rising = on(PlainThreshold)
    rising.hold("small", 0)
    rising.samples([400 + 2 * i for i in range(100)], every=2)  # 0.2 points a reading
    assert rising.shifts == []
    flat = on(PlainThreshold)
    flat.hold("small", 0)
    flat.samples([400] * 100, every=2)
    assert flat.shifts == [(38, "medium")]


def test_hpa_shrinks_at_its_next_sync_to_the_rung_at_the_target() -> None:
    machine = on(HorizontalPodAutoscaler)
    machine.samples([100] * 20 + [650] * 40)
    assert machine.shifts == [(0, "large"), (30, "small")]


def test_hpa_tolerates_a_tenth_around_its_target() -> None:
    machine = on(HorizontalPodAutoscaler)
    machine.hold("large", 0)
    machine.samples([430] * 100)  # 0.88 used, 1.1 of the target
    assert machine.shifts == []
    machine.samples([431] * 20, since=100)
    assert machine.shifts == [(105, "medium")]


def test_hpa_grows_to_the_smallest_recommendation_of_five_minutes() -> None:
    machine = on(HorizontalPodAutoscaler)
    machine.samples([650] + [500] * 149 + [100] * 700)
    # small at 0; medium is recommended from 15 on and large from 150 on
    assert machine.shifts == [(0, "small"), (315, "medium"), (450, "large")]


def test_ray_serve_shrinks_after_30_seconds_and_grows_after_600() -> None:
    machine = on(RayServe, look_back=0)
    machine.samples([100] * 10 + [650] * 100 + [100] * 700)
    assert machine.shifts == [(0, "large"), (40, "small"), (710, "large")]


def test_ray_serve_starts_to_wait_anew_when_the_signal_breaks() -> None:
    machine = on(RayServe, look_back=0)
    machine.samples([100] * 10 + [650] * 25 + [100] + [650] * 40)
    assert machine.shifts == [(0, "large"), (66, "small")]


def test_ray_serve_looks_at_the_mean_of_30_seconds() -> None:
    machine = on(RayServe)
    machine.samples([100] * 60 + [1000] * 5 + [100] * 60)  # a spike of 5 s lifts the mean to 0.245
    assert machine.shifts == [(0, "large")]


def test_ollama_loads_at_a_request_what_needs_80_percent_of_the_free_memory() -> None:
    for external, rung in [(437, "large"), (438, "medium"), (750, "medium"), (751, "small"), (910, "small")]:
        machine = on(LoadTimeOnly)
        machine.sample(external, 0)
        assert machine.shifts == []
        machine.request(1)
        assert machine.shifts == [(1, rung)]
    machine = on(LoadTimeOnly)
    machine.sample(911, 0)
    machine.request(1)
    assert machine.shifts == []


def test_ollama_looks_at_nothing_afterwards_and_unloads_after_five_idle_minutes() -> None:
    machine = on(LoadTimeOnly)
    machine.sample(100, 0)
    machine.request(0)
    machine.samples([900] * 200, since=1)
    machine.request(200)
    machine.samples([900] * 400, since=201)
    assert machine.shifts == [(0, "large"), (500, None)]


def test_lemonade_loads_its_model_unasked_of_memory_and_unloads_it_at_90_percent() -> None:
    machine = on(Lemonade)
    machine.sample(800, 0)
    machine.request(0.5)
    assert machine.shifts == [(0.5, "large")]
    machine.samples([449, 449, 450, 450], since=1)
    assert machine.shifts[1:] == [(4, None)]  # it looks every 2 s: at 0, 2 and 4
    machine.request(5)
    assert machine.shifts[2:] == [(5, "large")]


def test_lemonade_unloads_after_five_idle_minutes() -> None:
    machine = on(Lemonade)
    machine.sample(100, 0)
    machine.request(0)
    machine.samples([100] * 400, since=1)
    assert machine.shifts[1:] == [(300, None)]


@pytest.mark.parametrize("threshold", [0.95, 0.80])
def test_localai_unloads_above_its_threshold_and_never_for_idleness(threshold: float) -> None:
    machine = on(LocalAI, threshold=threshold)
    machine.sample(100, 0)
    machine.request(0)
    at = int(threshold * 1000) - NEED["large"]
    machine.samples([at] * 1000, since=1, every=0.5)
    assert machine.shifts == [(0, "large")]
    machine.sample(at + 1, 501)
    assert machine.shifts[1:] == [(501, None)]
