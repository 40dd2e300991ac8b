"""Quantities, times and names of columns, as every importer reads them."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from gearshift.pipeline.importers.asked import Asked
from gearshift.pipeline.importers.naming import meaning
from gearshift.pipeline.importers.quantities import UNITS, number, size
from gearshift.pipeline.importers.times import leading_stamp, moment, stamp, time_of_day
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(0, 1e15), st.sampled_from(sorted(UNITS)))
def test_a_number_with_its_unit_is_bytes_whatever_unit_is_assumed(value: float, unit: str) -> None:
    assert size(f"{value} {unit}", "TiB") == value * UNITS[unit]
    assert size(f"{value}", unit) == value * UNITS[unit]


@pytest.mark.parametrize("text", ["12 apples", "0x10", "1,5", "1e400 B x", "--"])
def test_what_is_neither_a_number_nor_missing_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number|is no unit"):
        size(text, "B")


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-inf", "1e400", "[N/A]", "null"])
def test_what_is_not_finite_is_missing(text: str) -> None:
    assert number(text) is None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)), st.integers(-14, 14), st.sampled_from("-/"))
def test_a_stamp_with_its_zone_is_that_moment(naive: datetime, hours: int, between: str) -> None:
    local = naive.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = local.isoformat(sep=" ")
    date, rest = text[:10].replace("-", between), text[10:]
    assert stamp(date + rest) == pytest.approx(local.timestamp(), abs=1e-5)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)))
def test_a_stamp_without_a_zone_is_utc(naive: datetime) -> None:
    expected = naive.replace(tzinfo=UTC).timestamp()
    assert stamp(naive.isoformat()) == stamp(f"{naive.isoformat(sep=' ')} UTC") == expected


@given(st.floats(1e9, 4e9))
def test_an_epoch_is_seconds_whatever_unit_it_is_written_in(seconds: float) -> None:
    for factor in (1, 10**3, 10**6, 10**9):
        assert moment(str(seconds * factor)) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["noon", "", "nan", "2026-13-40 00:00:00", "12:30"])
def test_what_is_no_time_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        moment(text)


@pytest.mark.parametrize("text", ["24", "aa:bb:cc", "1:2", ""])
def test_what_is_no_time_of_day_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        time_of_day(text)


@pytest.mark.parametrize("between", [",", ", ", " ", ";", "\t"])
@pytest.mark.parametrize("front", ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05.678", "2026/01/02 03:04:05+01:00"])
def test_a_stamp_in_front_is_split_off(front: str, between: str) -> None:
    assert leading_stamp(f"{front}{between}1, 2") == (front, "1, 2")
    assert leading_stamp(f"[{front}]{between}1, 2") == (front, "1, 2")


@pytest.mark.parametrize("line", ["1, 2026-01-02T03:04:05Z", "2026-01-02T03:04:05Zebra", "2026-01-02, 5"])
def test_a_line_without_a_stamp_in_front_stays_whole(line: str) -> None:
    assert leading_stamp(line) == ("", line)


@pytest.mark.parametrize(
    ("column", "field", "cell", "value"),
    [
        ("used_bytes", "ram.used", "5", 5),
        ("Used_MiB", "ram.used", "5", 5 * 2**20),
        ("ram.used", "ram.used", "5", 5),
        ("mem_used (GiB)", "ram.used", "0.5", 2**29),
        ("memory.total [MiB]", "ram.total", "1", 2**20),
        ("avail_mib", "ram.avail", "", None),
        ("swap_used_mib", "swap.used", "2", 2**21),
        ("memswap.free", "swap.free", "7", 7),
        ("cuda:1.used", "cuda:1.used", "8", 8),
        ("gpu_used_mib", "cuda:0.used", "8", 2**23),
        ("vram_total", "cuda:0.total", "8", 8),
        ("gpu2_free", "cuda:2.avail", "8", 8),
        ("mps.used", "mps.used", "8", 8),
        ("own", "ram.own", "3 KiB", 3072),
        ("util_pct", "cpu", "25", 0.25),
        ("cpu", "cpu", "25 %", 0.25),
        ("cpu_percent", "cpu", "nan", None),
        ("gpu0_util_pct", "cuda:0.utilisation", "50", 0.5),
        ("gpu0_power_w", "cuda:0.power", "50", 50),
        ("load1", "load", "1.5", 1.5),
    ],
)
def test_columns_are_known_by_name_and_unit(column: str, field: str, cell: str, value: float | None) -> None:
    found = meaning(column, Asked())
    assert found is not None
    assert (found.field, found.read(cell)) == (field, value)


@pytest.mark.parametrize("column", ["note", "mem_free", "cpu.user", "fs./.used", "network.eth0.speed", "", "ram.power"])
def test_other_columns_are_not(column: str) -> None:
    assert meaning(column, Asked()) is None


def test_the_unit_of_the_caller_counts_for_numbers_without_one() -> None:
    found = meaning("used", Asked(unit="KiB"))
    assert found is not None and found.read("2") == 2048 and not math.isnan(found.read("2") or 0)
