from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from gearshift.pipeline import Device, Pool, RecordingError
from gearshift.pipeline.importers import import_samples
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.importers.fixtures import FILES, FOLDER, MIB, load, pools, used


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_header_and_units_are_read_and_the_total_comes_from_the_caller() -> None:
    first, second, _ = load("nvidia_smi/header_and_units.csv").samples
    assert first.time == first.wall == 1770801242.218
    assert second.pools == {"cuda:0": Pool(12288 * MIB, 5310 * MIB)}
    assert second.devices == {"cuda:0": Device(utilisation=0.88, power=148.02)}


def test_without_a_total_the_error_names_pool_value_and_remedy() -> None:
    with pytest.raises(RecordingError) as caught:
        import_samples(FOLDER / "nvidia_smi/header_and_units.csv")
    assert ":2: cuda:0 has 882900992 bytes used, and its total stands nowhere: '2026/02/11 09:14" in str(caught.value)
    assert str(caught.value).endswith('; pass totals={"cuda:0": bytes}')


def test_used_and_free_are_told_by_their_constant_sum_which_is_the_total() -> None:
    assert used("nvidia_smi/units_without_header.csv", "cuda:0") == [3, 2210, 14902, 14903]
    assert {pool.total for pool in pools("nvidia_smi/units_without_header.csv", "cuda:0") if pool} == {16375 * MIB}


def test_a_total_of_the_caller_counts_what_the_driver_reserves_as_used() -> None:
    found = used("nvidia_smi/units_without_header.csv", "cuda:0", totals={"cuda:0": 16384 * MIB})
    assert found == [12, 2219, 14911, 14912]


@pytest.mark.parametrize("name", ["no_units_and_jitter", "every_100_ms"])
def test_a_constant_column_behind_what_varies_is_the_total(name: str) -> None:
    found = pools(f"nvidia_smi/{name}.csv", "cuda:0")
    assert {pool.total for pool in found if pool} == {24576 * MIB if name == "no_units_and_jitter" else 7680 * MIB}
    assert [pool.used // MIB for pool in found if pool] == (
        [611, 7330, 18844, 18846] if name == "no_units_and_jitter" else [310, 1498, 2790]
    )


def test_times_keep_their_jitter() -> None:
    times = [sample.time for sample in load("nvidia_smi/no_units_and_jitter.csv").samples]
    assert [round(b - a, 3) for a, b in zip(times, times[1:], strict=False)] == [2.948, 61.168, 0.902]


@pytest.mark.parametrize("name", ["interleaved_without_index", "stamped_by_a_shell"])
def test_columns_that_cant_be_told_apart_are_asked_for(name: str) -> None:
    with pytest.raises(RecordingError) as caught:
        import_samples(FOLDER / f"nvidia_smi/{name}.csv")
    assert ":1: columns without a header, and which of them are memory can't be told: '2026" in str(caught.value)
    assert 'such as columns=["timestamp", "memory.used", "memory.total"]' in str(caught.value)


def test_an_idle_gpu_whose_columns_could_be_either_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "idle.csv", *[f"2026/01/01 00:00:0{i}.000, 5 MiB, 8000 MiB" for i in range(3)])
    with pytest.raises(RecordingError, match="which of them are memory can't be told"):
        import_samples(path)
    found = import_samples(path, columns=["timestamp", "memory.used", "memory.total"])
    assert found.samples[0].pools == {"cuda:0": Pool(8000 * MIB, 5 * MIB)}


def test_gpus_without_an_index_become_one_sample_in_the_order_of_their_rows() -> None:
    name = "nvidia_smi/interleaved_without_index.csv"
    assert [used(name, f"cuda:{gpu}") for gpu in range(3)] == [
        [7020, 7024, 7050, 7044],
        [411, 411, 902, 917],
        [15113, 15113, 15230, 15230],
    ]
    assert [round(s.time % 60, 3) for s in load(name).samples] == [41.331, 43.340, 45.398, 47.339]


def test_a_single_moment_of_several_gpus_is_one_sample(tmp_path: Path) -> None:
    rows = (FOLDER / "nvidia_smi/interleaved_without_index.csv").read_text().splitlines()[:3]
    path = written(tmp_path / "once.csv", *rows)
    (sample,) = import_samples(path, **FILES["nvidia_smi/interleaved_without_index.csv"][0]).samples
    assert list(sample.pools) == ["cuda:0", "cuda:1", "cuda:2"]


@given(
    st.integers(1, 8),
    st.integers(4, 12),
    st.sampled_from([0.1, 1.0, 5.0, 60.0]),
    st.data(),
)
def test_rows_of_one_moment_are_found_for_any_number_of_gpus_and_interval(
    gpus: int, turns: int, interval: float, data: st.DataObject
) -> None:
    rows = []
    for turn in range(turns):
        at = 1_770_000_000 + turn * interval + data.draw(st.floats(0, interval * 0.2))
        for gpu in range(gpus):
            at += data.draw(st.sampled_from([0.0, 0.001]))
            rows.append(f"{at:.3f}, {gpu * 100 + turn}, 8192")
    with TemporaryDirectory() as folder:
        path = written(Path(folder) / "rhythm.csv", *rows)
        found = import_samples(path, columns=["memory.used", "memory.total"]).samples
    assert [len(sample.pools) for sample in found] == [gpus] * turns
    for turn, sample in enumerate(found):
        assert [pool.used // MIB for pool in sample.pools.values() if pool] == [g * 100 + turn for g in range(gpus)]


def test_the_interval_of_the_caller_decides_which_rows_belong_together(tmp_path: Path) -> None:
    rows = [f"{1_770_000_000 + t}, {100 + i}, 8192" for i, t in enumerate([0, 3, 10, 13, 20, 23])]
    path = written(tmp_path / "slow.csv", *rows)
    columns = ["memory.used", "memory.total"]
    assert [len(s.pools) for s in import_samples(path, columns=columns).samples] == [1] * 6
    assert [len(s.pools) for s in import_samples(path, columns=columns, interval=10).samples] == [2] * 3


def test_used_is_total_less_free_where_both_are_there() -> None:
    assert used("nvidia_smi/indexed_with_reserve.csv", "cuda:0") == [23034 - 14448, 23034 - 14368]
    assert used("nvidia_smi/indexed_with_reserve.csv", "cuda:1") == [23034 - 22564] * 2


def test_a_gpu_without_a_row_in_a_moment_is_missing_there_and_does_not_shift_the_others(tmp_path: Path) -> None:
    texts = (FOLDER / "nvidia_smi/indexed_with_reserve.csv").read_text().splitlines()
    path = written(tmp_path / "lost.csv", *texts[:2], *texts[3:])
    first, second = import_samples(path).samples
    assert (first.missing, second.missing) == (("cuda:1",), ())
    assert first.pools["cuda:1"] is None
    path = written(tmp_path / "both.csv", *texts[:2], texts[4])
    assert [s.missing for s in import_samples(path).samples] == [("cuda:1",), ("cuda:0",)]


def test_unified_memory_without_a_number_is_a_pool_that_is_missing() -> None:
    for sample in load("nvidia_smi/unified_memory.csv").samples:
        assert sample.pools == {"cuda:0": None}
        assert sample.missing == ("cuda:0",)


def test_every_spelling_of_no_reading_is_none_and_the_rest_of_the_row_is_kept() -> None:
    first, second, third = load("nvidia_smi/missing_readings.csv").samples
    assert first.pools == {"cuda:0": Pool(8192 * MIB, 100 * MIB)}
    assert first.devices == {"cuda:0": Device(temperature=40.0)}
    assert (second.pools, second.missing) == ({"cuda:0": None}, ("cuda:0",))
    assert second.devices == {"cuda:0": Device(utilisation=0.03)}
    assert third.pools == {"cuda:0": Pool(8192 * MIB, 300 * MIB)}
    assert third.devices == {"cuda:0": Device(utilisation=0.04, temperature=41.0)}


@pytest.mark.parametrize("word", ["[N/A]", "[Not Supported]", "[Unknown Error]", "[GPU is lost]", "N/A", "-", ""])
def test_a_missing_reading_is_never_zero(word: str, tmp_path: Path) -> None:
    path = written(
        tmp_path / "m.csv", "timestamp, memory.used [MiB], power.draw [W]", f"2026/01/01 00:00:00, {word}, 9 W"
    )
    (sample,) = import_samples(path).samples
    assert sample.pools == {"cuda:0": None}


def test_a_stamp_of_the_shell_is_the_time_and_counts_for_the_rows_behind_it() -> None:
    assert [s.time % 60 for s in load("nvidia_smi/stamped_by_a_shell.csv").samples] == pytest.approx(
        [7.114, 8.131, 9.127], abs=1e-6
    )
    found = load("nvidia_smi/stamped_loop_of_two.csv").samples
    assert [sample.time for sample in found] == [1784524567.0, 1784524572.0]
    assert used("nvidia_smi/stamped_loop_of_two.csv", "cuda:1") == [18, 20]


def test_a_device_without_any_memory_column_is_a_sample_without_pools() -> None:
    first = load("nvidia_smi/stamped_by_a_shell.csv").samples[0]
    assert first.pools == {}
    assert first.devices == {"cuda:3": Device(utilisation=0.98, temperature=44.0, power=402.18)}


def test_a_stamp_in_front_wins_only_where_the_row_has_no_time_of_its_own(tmp_path: Path) -> None:
    row = "2026-01-01T01:00:09Z 2026/01/01 01:00:07.500, 10 MiB, 100 MiB"
    path = written(tmp_path / "two.csv", "timestamp, memory.used [MiB], memory.total [MiB]", row)
    assert import_samples(path).samples[0].time % 60 == 7.5


def test_a_header_at_every_turn_is_passed_over_and_times_come_from_the_interval() -> None:
    found = load("nvidia_smi/header_at_every_turn.csv").samples
    assert [(s.time, s.wall, s.interval) for s in found] == [(0.0, 0.0, 2.0), (2.0, 0.0, 2.0)]
    with pytest.raises(RecordingError, match=r":2: no time on this line: '10, 2048, 11264'; pass interval="):
        load("nvidia_smi/header_at_every_turn.csv", interval=None)


def test_numbers_without_a_unit_are_mib_or_what_the_caller_says(tmp_path: Path) -> None:
    path = written(tmp_path / "u.csv", "memory.used, memory.total", "1, 4")
    assert import_samples(path, interval=1).samples[0].pools == {"cuda:0": Pool(4 * MIB, MIB)}
    assert import_samples(path, interval=1, unit="GiB").samples[0].pools == {"cuda:0": Pool(4096 * MIB, 1024 * MIB)}


CELLS = {
    "timestamp": "2026/01/01 00:00:00.000",
    "index": "1",
    "name": "NVIDIA T4",
    "memory.total [MiB]": "16000 MiB",
    "memory.used [MiB]": "700 MiB",
    "memory.free [MiB]": "15000 MiB",
    "utilization.gpu [%]": "50 %",
}


@given(st.permutations(sorted(CELLS)), st.booleans())
def test_any_order_of_columns_gives_the_same_sample(order: list[str], header: bool) -> None:
    lines = [", ".join(CELLS[name] for name in order)]
    if header:
        lines.insert(0, ", ".join(order))
    columns = None if header else [name.partition(" ")[0] for name in order]
    with TemporaryDirectory() as folder:
        (sample,) = import_samples(written(Path(folder) / "order.csv", *lines), columns=columns).samples
    assert sample.pools == {"cuda:1": Pool(16000 * MIB, 1000 * MIB)}
    assert sample.devices == {"cuda:1": Device(utilisation=0.5)}


@pytest.mark.parametrize("order", [order for order in permutations([0, 1, 2]) if order.index(1) < order.index(2)])
def test_three_columns_of_memory_without_a_header_are_total_used_and_free_with_used_before_free(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    series = [(8192, 1000, 7100), (8192, 1500, 6600), (8192, 4000, 4100)]
    rows = [", ".join(f"{row[i]} MiB" for i in order) for row in series]
    path = written(tmp_path / "three.csv", *[f"2026/01/01 00:00:0{i}.000, {row}" for i, row in enumerate(rows)])
    assert import_samples(path).samples[0].pools == {"cuda:0": Pool(8192 * MIB, 1092 * MIB)}


def test_gpus_of_different_size_are_told_by_the_column_that_counts_them(tmp_path: Path) -> None:
    rows = [f"{gpu}, {100 * turn + gpu}, {total}" for turn in range(4) for gpu, total in enumerate([8192, 24576])]
    path = written(tmp_path / "two.csv", *[f"2026/01/01 00:00:{i:02}.000, {row}" for i, row in enumerate(rows)])
    found = import_samples(path).samples
    assert [sample.missing for sample in found] == [("cuda:1",), ("cuda:0",)] * 4
    assert found[3].pools == {"cuda:0": None, "cuda:1": Pool(24576 * MIB, 101 * MIB)}
