"""Builders give what was meant, or one clear error."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from gearshift.pipeline import Device, Pool, Pressure, Residency, Rung, Sample
from gearshift.pipeline.testing import GIB, residency, rungs_of, sample, samples_of


def test_a_sample_is_a_line_with_pools_by_keyword_or_by_name() -> None:
    assert sample(12.0, ram=(7, 16), own=4) == Sample(12.0, {"ram": Pool(16, 7, 4)})
    assert sample(0, {"cuda:0": (2, 8)}, ram=(7, 16), own={"cuda:0": 1}) == Sample(
        0.0, {"cuda:0": Pool(8, 2, 1), "ram": Pool(16, 7)}
    )
    assert sample(mps=(1, 2)).pools == {"mps": Pool(2, 1)}
    assert sample(ram=Pool(7, 16, 20)).pools == {"ram": Pool(7, 16, 20)}, "a Pool is taken as it is"


def test_without_a_pool_half_of_the_ram_is_in_use() -> None:
    assert sample(3.0) == Sample(3.0, {"ram": Pool(16 * GIB, 8 * GIB)})


def test_the_fields_of_a_sample_go_by_their_names() -> None:
    device = Device(utilisation=0.5)
    made = sample(
        1.0, ram=(1, 2), cpu=1, load=2.5, swap_used=2.0 * GIB, swap_in=0.0, pressure={"memory": (0.2, 0.1)}, alarm=True,
        devices={"cuda:0": device}, interval=1.0, wall=1.7e9, missing="nvml",
    )  # fmt: skip
    assert made == Sample(
        1.0, {"ram": Pool(2, 1)}, {"cuda:0": device}, 1.0, 2.5, 2 * GIB, 0.0, {"memory": Pressure(0.2, 0.1)}, True,
        1.0, 1.7e9, ("nvml",),
    )  # fmt: skip
    assert sample(pressure={"cpu": Pressure(0.1, 0.0)}, missing=("a", "b")).missing == ("a", "b")


def test_a_reading_that_failed_is_missing_unless_something_else_is_said() -> None:
    assert sample(ram=None, own=5) == Sample(0.0, {"ram": None}, missing=("ram",))
    assert sample(ram=None, missing=()).missing == ()
    assert [read.missing for read in samples_of([1, None], own=5)] == [(), ("ram",)]


def test_sizes_may_be_fractions_of_gib_that_are_whole_bytes() -> None:
    pool = sample(ram=(1.5 * GIB, 2.0 * GIB)).pools["ram"]
    assert pool == Pool(2 * GIB, 3 * GIB // 2) and type(pool.used) is type(pool.total) is int


def test_a_series_lasts_from_its_first_moment_in_equal_steps() -> None:
    made = samples_of([10, 20], total=100, own=5, interval=0.5, since=-1.0, cpu=0.5)
    assert made == [
        Sample(-1.0, {"ram": Pool(100, 15, 5)}, cpu=0.5),
        Sample(-0.5, {"ram": Pool(100, 25, 5)}, cpu=0.5),
    ]
    assert samples_of([]) == []
    assert samples_of(iter(range(2))) == samples_of([0, 1])


def test_series_of_several_pools_run_side_by_side() -> None:
    made = samples_of({"ram": [1, None], "cuda:0": iter([3, 4])}, total={"ram": 9, "cuda:0": 8}, own={"cuda:0": 2})
    assert [read.pools for read in made] == [
        {"ram": Pool(9, 1), "cuda:0": Pool(8, 5, 2)},
        {"ram": None, "cuda:0": Pool(8, 6, 2)},
    ]


def test_a_machine_may_be_given_more_than_it_has() -> None:
    assert samples_of([990], own=100)[0].pools["ram"] == Pool(1000, 1090, 100)


def test_a_residency_is_ready_with_a_rung_and_empty_without() -> None:
    assert residency("large", 3.0) == Residency(3.0, "ready", "large")
    assert residency() == Residency(0.0, "empty", None)
    assert residency("large", state="shifting") == Residency(0.0, "shifting", "large")
    assert residency(failed="large", seconds=2, need={"ram": 1.5 * GIB}) == Residency(
        0.0, "empty", None, "large", 2.0, {"ram": 3 * GIB // 2}
    )


def test_a_ladder_is_its_needs_with_names_or_without() -> None:
    assert rungs_of(500, 300, 100) == [
        Rung("large", {"ram": 500}, 3.0), Rung("medium", {"ram": 300}, 2.0), Rung("small", {"ram": 100}, 1.0),
    ]  # fmt: skip
    assert [rung.name for rung in rungs_of(4, 3, 2, 1)] == ["rung0", "rung1", "rung2", "rung3"]
    assert rungs_of(a={"cuda:0": 5}, b=1.0) == [Rung("a", {"cuda:0": 5}, 2.0), Rung("b", {"ram": 1}, 1.0)]


def refused(name: str, make: Callable[[], Any], says: str, error: type[Exception] = ValueError) -> Any:
    return pytest.param(make, error, says, id=name)


@pytest.mark.parametrize(("make", "error", "says"), [
    refused("used and total the wrong way round", lambda: sample(ram=(16, 7)),
            "ram has used 16 above total 7; a pool is (used, total), or Pool(total, used) where that is meant"),
    refused("own above used", lambda: sample(ram=(3, 7), own=4), "ram has own 4 above used 3; own is a part of used"),
    refused("negative bytes", lambda: sample(ram=(-1, 7)), "used of ram must be at least 0, got used of ram=-1"),
    refused("negative own", lambda: sample(own=-1), "own of ram must be at least 0, got own of ram=-1"),
    refused("no memory at all", lambda: sample(ram=(0, 0)), "a pool needs total > 0"),
    refused("no whole bytes", lambda: sample(ram=(0.5, 7)), "used of ram must be a whole number", TypeError),
    refused("no pair", lambda: sample(ram=7), "ram must be (used, total) in bytes, a Pool, or None, got 7", TypeError),
    refused("three of them", lambda: sample(ram=(1, 2, 3)), "in bytes, a Pool, or None, got (1, 2, 3)", TypeError),
    refused("own twice", lambda: sample(ram=Pool(9, 3, 1), own=1), "which tells its own; leave own=1 out"),
    refused("a pool twice", lambda: sample(0.0, {"ram": (1, 2)}, ram=(1, 2)), "ram is given twice", TypeError),
    refused("own of nobody knows which", lambda: sample(0.0, {"cuda:0": (1, 2)}, ram=(1, 2), own=1),
            "own=1 doesn't say in which pool; give it by name, {'cuda:0': 1}"),
    refused("own of a pool that isn't there", lambda: sample(ram=(1, 2), own={"rma": 1}),
            "own names ['rma'], and the pools are ['ram']"),
    refused("time NaN", lambda: sample(math.nan), "time must be a finite number, got time=nan"),
    refused("time as text", lambda: sample("now"), "time must be a number, got time='now'", TypeError),  # pyright: ignore
    refused("a misspelt field", lambda: sample(presure={}), "no field 'presure'; did you mean 'pressure'?", TypeError),
    refused("a pool that is no keyword", lambda: sample(cuda0=(1, 2)),
            "goes among pools: {'cuda0': (used, total)}", TypeError),
    refused("percent", lambda: sample(cpu=50), "cpu must be a fraction from 0 to 1, got cpu=50"),
    refused("stalls beyond all time", lambda: sample(pressure={"io": (1.5, 0)}), "pressure of io must be a fraction"),
    refused("one number for a stall", lambda: sample(pressure={"io": 0.5}),
            "pressure of io must be (some, full), or a Pressure, got 0.5", TypeError),
    refused("stalls of nothing", lambda: sample(pressure=0.5), "pressure must be a mapping by name, got", TypeError),
    refused("a device that is none", lambda: sample(devices={"cuda:0": 5}),
            "devices['cuda:0'] must be a Device, got 5", TypeError),
    refused("an alarm in words", lambda: sample(alarm="yes"), "True, False or None, got alarm='yes'", TypeError),
    refused("no interval", lambda: sample(interval=None), "interval must be a number, got interval=None", TypeError),
    refused("load below 0", lambda: sample(load=-1.0), "load must be a finite number of at least 0, got load=-1.0"),
    refused("swap below 0", lambda: sample(swap_used=-1), "swap_used must be at least 0"),
    refused("wall NaN", lambda: sample(wall=math.nan), "wall must be a finite number"),
    refused("a series below 0", lambda: samples_of([1, -1]), "external use of ram must be at least 0"),
    refused("a step of 0", lambda: samples_of([1], interval=0), "interval must be a finite number above 0"),
    refused("series of two lengths", lambda: samples_of({"ram": [1], "cuda:0": []}),
            "must be of one length, got {'ram': 1, 'cuda:0': 0}"),
    refused("one number for a series", lambda: samples_of(5),  # pyright: ignore
            "external use of ram must be a series of bytes, got 5; for one sample, [5]", TypeError),
    refused("a pool of one sample for a series", lambda: samples_of([1], ram=(1, 2)),
            "ram=(1, 2) is one pool; its series is external={'ram': [bytes, …]}", TypeError),
    refused("no series", lambda: samples_of({}), "at least one pool's series"),
    refused("a pool without total", lambda: samples_of({"ram": [1]}, total={}), "total lacks ['ram']"),
    refused("a misspelt field of all", lambda: samples_of([1], lod=1), "did you mean 'load'?", TypeError),
    refused("a state that isn't one", lambda: residency("a", state="loading"), "one of empty, shifting, ready"),
    refused("ready with nothing", lambda: residency(state="ready"), "rung=None can't be 'ready'"),
    refused("residency at NaN", lambda: residency("a", math.nan), "time must be a finite number"),
    refused("negative need", lambda: residency("a", need={"ram": -1}), "need['ram'] must be at least 0"),
    refused("no rung", rungs_of, "ladder must hold at least one rung"),
    refused("a need below 0", lambda: rungs_of(5, -1), "need of small in ram must be at least 0"),
    refused("names for some", lambda: rungs_of(5, small=1), "give all needs by name or none", TypeError),
])  # fmt: skip
def test_what_can_not_be_is_refused_by_name_value_and_remedy(
    make: Callable[[], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)
