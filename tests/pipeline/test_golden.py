import json
from pathlib import Path

import msgspec
import pytest
from gearshift.pipeline import Decision, Reason
from gearshift.pipeline.golden import GoldenError, Line, differences, golden_text, lines_of, read_golden, report
from hypothesis import given
from hypothesis import strategies as st


def runs(numbers: st.SearchStrategy[float], counts: st.SearchStrategy[int]) -> st.SearchStrategy[list[Decision]]:
    reasons = st.builds(
        Reason, rule=st.sampled_from(["forecast", "critical", "room", "recovered", "fits", "nothing fits", "asked"]),
        pool=st.text(), total=counts, used=counts, external=counts, bound=counts, need=counts, ceiling=numbers,
        horizon=numbers, slope=numbers, seconds_left=st.none() | numbers, lasted=numbers, detail=st.text(),
    )  # fmt: skip
    names = st.none() | st.text()
    decisions = st.builds(
        Decision, kind=st.sampled_from(["upgrade", "downgrade", "shed"]), source=names, target=names,
        urgency=st.sampled_from(["planned", "immediate"]), time=numbers, reason=reasons,
    )  # fmt: skip
    return st.lists(decisions, max_size=4)


fine = runs(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 1 << 50))
coarse = runs(st.integers(-1000, 1000).map(lambda eighths: eighths / 8), st.integers(0, 1000))


def down(time: float, target: str | None = "small", **reason: float) -> Decision:
    return Decision("downgrade", "large", target, "planned", time, Reason("forecast", "ram", 1000, slope=3.0, **reason))


def told(stored: list[Decision], came: list[Decision]) -> list[str]:
    return differences(lines_of(stored), lines_of(came))


@given(fine)
def test_what_is_stored_is_read_again_without_a_difference(made: list[Decision]) -> None:
    again = msgspec.json.decode(golden_text(lines_of(made)), type=list[Line])
    assert [line.explain for line in again] == [d.explain() for d in made]
    assert differences(again, lines_of(made)) == []


@given(coarse, coarse)
def test_other_decisions_are_never_taken_for_the_same(one: list[Decision], other: list[Decision]) -> None:
    assert (told(one, other) == []) == (one == other)


def test_a_golden_file_has_a_decision_on_each_line_and_its_fields_in_one_order() -> None:
    text = golden_text(lines_of([down(1.0), down(2.0, need=7)]))
    rows = text.splitlines()
    assert (rows[0], rows[-1], len(rows)) == ("[", "]", 4)
    assert list(json.loads(rows[1].rstrip(","))) == ["time", "kind", "source", "target", "urgency", "reason", "explain"]
    assert '"explain": "Shift down from large to small, planned: ' in rows[1]
    assert json.loads(golden_text([])) == []


def test_numbers_agree_within_one_part_in_a_billion_and_no_further() -> None:
    assert told([down(1000.0, horizon=1e6)], [down(1000.0, horizon=1e6 + 1e-4)]) == []
    assert told([down(1000.0)], [down(1000.0 + 1e-7)]) == []
    assert told([down(1000.0, lasted=0.0)], [down(1000.0, lasted=1e-10)]) == []
    assert len(told([down(1000.0, horizon=1e6)], [down(1000.0, horizon=1e6 + 1e-2)])) == 1
    assert len(told([down(1000.0)], [down(1000.0 + 1e-5)])) == 1


def test_a_difference_says_number_time_field_and_both_sides() -> None:
    stored, came = [down(1.0), down(20.5)], [down(1.0), down(20.5, None, need=7)]
    (text,) = told(stored, came)
    assert text.splitlines() == [
        "decision 2, at 20.5 s",
        "    target: 'small' is stored, None came",
        "    reason.need: 0 is stored, 7 came",
        f"    stored: {stored[1].explain()}",
        f"    came:   {came[1].explain()}",
    ]


def test_one_too_many_or_too_few_is_told_once_and_the_rest_compared_with_their_like() -> None:
    run = [down(float(t)) for t in range(5)]
    assert [t.splitlines()[0] for t in told(run, run[:2] + run[3:])] == [
        "decision 3, at 2 s, is stored, but did not come"
    ]
    assert [t.splitlines()[0] for t in told(run[1:], run)] == ["decision 1, at 0 s, came, but is not stored"]
    changed = [*run[1:4], down(4.0, need=7)]
    assert [t.splitlines()[0] for t in told(run, changed)] == [
        "decision 1, at 0 s, is stored, but did not come", "decision 5 (now 4), at 4 s",
    ]  # fmt: skip


def test_the_words_for_the_reader_are_not_compared() -> None:
    (line,) = lines_of([down(1.0)])
    assert differences([msgspec.structs.replace(line, explain="in other words")], [line]) == []


def test_a_report_counts_and_stops_after_ten() -> None:
    one, many = lines_of([down(1.0)]), lines_of([down(float(t)) for t in range(2, 14)])
    assert report(Path("a.json"), one, one) == ""
    assert report(Path("a.json"), one, []).startswith("a.json: 1 decision differs (1 stored, 0 came)\ndecision 1, at ")
    text = report(Path("a.json"), [], many)
    assert text.startswith("a.json: 12 decisions differ (0 stored, 12 came)")
    assert text.count("came, but") == 10 and text.endswith("\nand 2 more")


def test_only_decisions_can_be_golden() -> None:
    with pytest.raises(TypeError, match="must be Decision objects, got int"):
        lines_of([3])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("text", ["", "{}", '[{"time": 1}]', '[{"record": "sample"}]', "\xff"])
def test_a_file_of_anything_else_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.golden.json"
    file.write_text(text, "latin-1")
    with pytest.raises(GoldenError, match="a.golden.json: not a file of golden decisions: "):
        read_golden(file)
