import pytest
from gearshift.pipeline.importers.sysstat import Memory, total_of
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.integers(2**20, 2**32),
    st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.3, 0.9)), min_size=1, max_size=20),
)
def test_the_total_is_within_what_rounding_leaves_open(total: int, rows: list[tuple[float, float]]) -> None:
    memory = []
    for used_part, cached_part in rows:
        used = round(total * used_part)
        cached = round((total - used) * cached_part)
        free = round((total - used - cached) / 2)
        percent = round(100 * used / total, 2)
        memory.append(Memory(free, None, used, percent, 0.0, cached, None, None))
    found = total_of(memory)
    assert found is not None
    assert found / 1024 == pytest.approx(total, rel=0.006 / max(100 * part for part, _ in rows))


def test_rows_that_contradict_each_other_leave_it_to_the_most_precise() -> None:
    rows = [
        Memory(None, None, 50.0, 0.5, None, None, None, None),
        Memory(None, None, 900.0, 45.0, None, None, None, None),
    ]
    assert total_of(rows) == pytest.approx(2000 * 1024, rel=1e-3)


def test_nothing_in_use_tells_nothing() -> None:
    assert total_of([Memory(10.0, None, 0.0, 0.0, 1.0, 2.0, None, None)]) is None
    assert total_of([]) is None
