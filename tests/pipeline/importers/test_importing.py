"""What holds for every format."""

import math
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import pytest
from gearshift.pipeline import RecordingError, Sample
from gearshift.pipeline.importers import import_samples
from gearshift.pipeline.importers.formats import FORMATS
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.importers.fixtures import FILES, FOLDER, load

TRACES = Path(__file__).parents[4] / "shared" / "traces"
BY_LINE = [name for name in FILES if not name.endswith(".json")]
GARBAGE = "~~~ what is this ~~~"


def lines_of(name: str) -> list[str]:
    return (FOLDER / name).read_text().splitlines()


def broken(name: str, place: int, path: Path, *more: str) -> Path:
    """The file with lines put in before line `place`, counted from 0."""
    texts = lines_of(name)
    path.write_text("\n".join([*texts[:place], *more, *texts[place:], ""]))
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_file_gives_its_samples(name: str) -> None:
    found = load(name)
    assert len(found.samples) == FILES[name][1]
    assert found.skipped == 0


@pytest.mark.parametrize("name", FILES)
def test_bytes_are_ints_fractions_are_fractions_and_what_is_missing_is_named(name: str) -> None:
    for sample in load(name).samples:
        assert isinstance(sample.time, float) and math.isfinite(sample.time)
        assert sample.wall == (sample.time if sample.time > 1e9 else 0.0)
        assert {pool for pool, found in sample.pools.items() if found is None} == set(sample.missing) - {"cpu"}
        for pool in sample.pools.values():
            if pool is not None:
                assert isinstance(pool.total, int) and isinstance(pool.used, int) and isinstance(pool.own, int)
                assert 0 <= pool.used <= pool.total
        busy = [sample.cpu, *(device.utilisation for device in sample.devices.values())]
        assert all(b is None or 0 <= b <= 1 for b in busy)


@given(st.data())
def test_any_line_that_cant_be_read_is_named_by_its_number_and_shown(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(BY_LINE))
    place = data.draw(st.integers(2, len(lines_of(name))))
    with TemporaryDirectory() as folder:
        path = broken(name, place, Path(folder) / "broken", GARBAGE)
        with pytest.raises(RecordingError) as caught:
            import_samples(path, **FILES[name][0])
    assert str(caught.value).startswith(f"{path}:{place + 1}: ")
    assert str(caught.value).endswith(f': {GARBAGE!r}; mend or remove it, or pass on_bad="skip"')


@given(st.data())
def test_skipping_counts_the_bad_lines_and_keeps_all_others(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(BY_LINE))
    place = data.draw(st.integers(2, len(lines_of(name))))
    with TemporaryDirectory() as folder:
        path = broken(name, place, Path(folder) / "broken", GARBAGE, GARBAGE)
        found = import_samples(path, **FILES[name][0], on_bad="skip")
    assert found.skipped == 2
    assert [s.pools for s in found.samples] == [s.pools for s in load(name).samples]


@pytest.mark.parametrize("name", BY_LINE)
def test_a_last_line_cut_short_is_left_out_and_counted(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    path.write_text((FOLDER / name).read_text() + GARBAGE)
    found = import_samples(path, **FILES[name][0])
    assert found.skipped == 1
    assert found.samples == load(name).samples


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_written_by_windows_read_the_same(name: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "windows"
    path.write_bytes((FOLDER / name).read_text().replace("\n", "\r\n").encode(encoding))
    assert import_samples(path, **FILES[name][0]) == load(name)


def test_samples_come_in_the_order_of_the_file_even_where_time_goes_back_or_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "back.csv"
    path.write_text("time,used,total\n5,1,9\n3,2,9\n3,3,9\n")
    found = import_samples(path).samples
    assert [sample.time for sample in found] == [5.0, 3.0, 3.0]
    assert [pool.used for sample in found if (pool := sample.pools["ram"])] == [1, 2, 3]


def test_an_unknown_format_is_one_error_that_lists_what_is_known_and_shows_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("Shall I compare thee\nto a summer's day?\n")
    with pytest.raises(RecordingError) as caught:
        import_samples(path)
    text = str(caught.value)
    assert text.startswith(f"{path}:1: no format that is known: 'Shall I compare thee'; known are ")
    assert all(known.NAME in text for known in FORMATS)
    assert "Parquet" in text


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_an_empty_file_is_told(content: str, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_text(content)
    with pytest.raises(RecordingError, match=r"empty:1: an empty file"):
        import_samples(path)


def test_a_long_line_is_shown_shortened(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("time,used,total\n" + "x" * 500 + "\n")
    with pytest.raises(RecordingError, match=r":2: 1 columns where the header names 3: 'x{79}…'; "):
        import_samples(path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"on_bad": "ignore"}, 'on_bad must be "raise" or "skip", got \'ignore\''),
        ({"interval": 0}, "interval must be > 0 seconds, got 0"),
        ({"interval": math.nan}, "interval must be > 0 seconds, got nan"),
        ({"unit": "MByte"}, "unit must be one of .*, got 'MByte'"),
        ({"totals": {"ram": -1}}, r"totals\['ram'\] must be bytes > 0 as an int, got -1"),
        ({"totals": {"ram": 1.5}}, r"totals\['ram'\] must be bytes > 0 as an int, got 1.5"),
        ({"columns": "timestamp,memory.used"}, "columns must be a mapping or a list of names, got 'timestamp"),
        ({"columns": {"vram": "x"}}, "columns names 'vram', which is no field"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        import_samples(FOLDER / "table/mib.csv", **arguments)


def test_columns_for_a_format_that_has_its_own_names_is_an_error() -> None:
    with pytest.raises(RecordingError, match=r"t.txt:1: columns= for a file of vmstat -t: 'procs.*; leave it out"):
        load("vmstat/t.txt", columns={"ram.used": "free"})


def test_an_instance_for_a_format_of_one_machine_is_an_error() -> None:
    with pytest.raises(RecordingError, match=r"b.txt:1: instance= for a file of free -s: 'total.*; leave it out"):
        load("free/b.txt", instance="a")


@pytest.mark.parametrize("name", ["free/b.txt", "dmon/plain.txt", "vmstat/t.txt", "table/own_names.csv"])
def test_what_only_the_caller_can_say_is_an_error_even_where_bad_lines_are_skipped(name: str) -> None:
    with pytest.raises(RecordingError, match="pass (interval|totals|unit)="):
        import_samples(FOLDER / name, columns=FILES[name][0].get("columns"), on_bad="skip")


def test_a_file_that_is_not_there_is_the_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        import_samples(tmp_path / "nothing")


@given(st.binary(max_size=300))
def test_any_bytes_give_samples_or_a_recording_error_that_names_the_line(content: bytes) -> None:
    path = Path(__file__).parent / "not a file"
    assert_told(path, content)


@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["", "~", "-", "\n", "9", ",", '"', "[N/A]"])), max_size=6),
)
def test_a_damaged_file_gives_samples_or_a_recording_error_that_names_the_line(
    name: str, damage: list[tuple[float, str]]
) -> None:
    text = (FOLDER / name).read_text()
    for where, what in damage:
        place = int(where * len(text))
        text = text[:place] + what + text[place + 1 :]
    assert_told(FOLDER / name, text.encode(), **FILES[name][0])


def assert_told(path: Path, content: bytes, **arguments: Any) -> None:
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        for on_bad in ("raise", "skip"):
            try:
                found = import_samples(file.name, **arguments, on_bad=on_bad)
            except RecordingError as error:
                number = str(error).removeprefix(f"{file.name}:").partition(":")[0]
                assert number.isdigit(), (path, error)
            else:
                assert all(isinstance(sample, Sample) for sample in found.samples)


@pytest.mark.skipif(not TRACES.exists(), reason="recordings by others are not here")
def test_recordings_by_others_read_to_the_end() -> None:
    tables = [path for path in sorted(TRACES.glob("*.csv")) if "used_mib" in path.read_text()[:200]]
    assert len(tables) > 20
    for path in tables:
        found = import_samples(path)
        assert len(found.samples) == len(path.read_text().splitlines()) - 1, path
        assert all(s.pools["ram"] is not None for s in found.samples), path


@pytest.mark.skipif(not TRACES.exists(), reason="recordings by others are not here")
def test_a_recording_of_something_else_says_that_no_column_is_known() -> None:
    with pytest.raises(RecordingError, match="no column that is known: 'TIMESTAMP,ContextTokens"):
        import_samples(TRACES / "llm_requests_azure_code_2023.csv")
