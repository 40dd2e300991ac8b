"""Readings that no machine has are refused where they are made, and what is only odd permits no growth."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from gearshift.pipeline import Pool, Pressure, Reading, Sample, Sampler
from gearshift.pipeline.testing import ScriptedProbe

from tests.pipeline.feeding import TWO_POOLS, decided, ready

NO_BYTES = [math.nan, math.inf, -math.inf, -1, 1 << 60, 2**63, 2**64 - 1, "100", None, [100], 100.0, True]


@pytest.mark.parametrize("value", NO_BYTES, ids=repr)
@pytest.mark.parametrize("field", ["total", "used", "own"])
def test_what_can_be_no_bytes_is_refused(field: str, value: Any) -> None:
    fields: dict[str, Any] = {"total": 1000, "used": 500, "own": 100, field: value}
    with pytest.raises(ValueError, match="a pool needs total > 0") as refused:
        Pool(**fields)
    assert repr(value) in str(refused.value) and "None" in str(refused.value)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"time": 0.0, "pools": {"ram": fields}, "record": "sample"}, Sample)


def test_a_total_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0, 0, 0"):
        Pool(0, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, 1.1, "0.5", None], ids=repr)
@pytest.mark.parametrize("field", ["some", "full"])
def test_what_can_be_no_share_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match="stalls need some and full from 0 to 1"):
        Pressure(**{"some": 0.5, "full": 0.5, field: value})


@pytest.mark.parametrize("junk", [5, "room", {"total": 1000}, (1000, 5), math.nan], ids=repr)
@pytest.mark.parametrize("field", ["pools", "pressure"])
def test_a_probe_that_gives_something_else_is_missing_and_breaks_nothing(field: str, junk: Any) -> None:
    odd: Any = Reading(**{field: {"ram": junk}})
    sample = Sampler([ScriptedProbe([odd])]).take()
    assert (sample.pools, sample.pressure, sample.missing) == ({"ram": None}, {}, ("ram",))


@pytest.mark.parametrize("pool", ["ram", "cuda:0", "both"])
@pytest.mark.parametrize(
    "odd",
    [lambda: None, lambda: Pool(1000, 5000), lambda: Pool(1000, 100, 200), lambda: Pool(1, 1)],
    ids=["unknown", "more used than there is", "more of ours than is used", "hardly any"],
)
def test_an_odd_pool_permits_no_growth(pool: str, odd: Callable[[], Pool | None]) -> None:
    plenty = Pool(1000, 200, 100)
    pools = {name: odd() if pool in (name, "both") else plenty for name in ("ram", "cuda:0")}
    samples = [Sample(float(t), pools) for t in range(1000)]
    assert not [d for d in decided([ready("small"), *samples], TWO_POOLS) if d.kind == "upgrade"]
    assert [d.target for d in decided([ready("small"), *samples_with(plenty)], TWO_POOLS)] == ["gpu"]


def samples_with(pool: Pool) -> list[Sample]:
    return [Sample(float(t), {"ram": pool, "cuda:0": pool}) for t in range(400)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
@pytest.mark.parametrize("field", ["cpu", "load", "swap_in", "swap_used", "wall", "interval"])
def test_what_is_told_beside_memory_is_no_matter_of_decisions(field: str, value: float) -> None:
    odd = [msgspec.structs.replace(sample, **{field: value}) for sample in samples_with(Pool(1000, 200, 100))]
    assert [(d.time, d.target) for d in decided([ready("small"), *odd], TWO_POOLS)] == [(300.0, "gpu")]
