"""Recordings, simulations and outlooks as figures."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Decision, Mark, Outlook, Pool, Reason, Residency, Rung, Sample, Settings, load, simulate
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.views.palette import DARK, LIGHT

from .test_timeline import DOWN, GIB, LADDER, RECORDINGS, at, recorded


def named(figure: Any, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def seen(*samples: Sample) -> Outlook:
    window = OutlookWindow(Settings())
    return [window.sample(sample) for sample in samples][-1]


def test_own_stands_on_what_others_hold_and_the_bound_on_both() -> None:
    run = recorded(at(0.0, GIB, 3 * GIB), at(1.0, 2 * GIB, 3 * GIB))
    drawn = run.plot()
    (others,), (own,), (bound,) = (named(drawn, name) for name in ("others", "own models", "may reach"))
    assert (list(others.y), list(own.y), list(bound.y)) == ([1.0, 2.0], [4.0, 5.0], [4.0, 5.0])
    assert [trace.name for trace in drawn.data].index("own models") < [t.name for t in drawn.data].index("others")
    assert list(own.customdata) == [3.0, 3.0]


def test_own_is_left_out_where_there_never_was_any() -> None:
    assert named(recorded(at(0.0, GIB), at(1.0, GIB)).plot(), "own models") == []


def test_what_was_not_read_is_a_gap_in_line_and_area() -> None:
    area, line = named(recorded(at(0.0, GIB), at(1.0, None), at(2.0, GIB)).plot(), "others")
    assert list(line.y) == [1.0, None, 1.0] and line.fill is None
    assert list(area.y) == [1.0, 0.0, 0.0, 1.0] and area.x[0] == area.x[1] and area.x[2] == area.x[3]
    assert (area.fill, area.hoverinfo) == ("tozeroy", "skip")


def test_silence_is_a_gap_too() -> None:
    _, line = named(recorded(*(at(time, GIB) for time in (0.0, 1.0, 2.0, 100.0))).plot(), "others")
    assert list(line.y) == [1.0, 1.0, 1.0, None, 1.0]


def test_a_peak_of_one_second_in_a_day_is_drawn() -> None:
    run = recorded(*(at(float(t), 9 * GIB if t == 40_000 else GIB) for t in range(86_400)))
    (others,) = named(run.plot(), "others")
    assert max(others.y) == 9.0 and len(others.x) < 10_000


def test_ceilings_heed_the_settings_and_what_is_reserved() -> None:
    run = recorded(at(0.0, GIB), at(1.0, GIB))
    levels = {a.text: a.y for a in run.plot().layout.annotations}
    assert levels == pytest.approx({"critical 92%": 9.2, "high 80%": 8.0, "low 77%": 7.7})
    run.header = type(run.header)(1, settings=Settings(reserve={"ram": 4 * GIB}))
    levels = {a.text: a.y for a in run.plot().layout.annotations}
    assert levels == pytest.approx({"critical 92%": 9.2, "high 60%": 6.0, "low 60%": 6.0})


def test_the_hover_of_a_decision_explains_it_and_tells_how_it_went() -> None:
    critical = Decision("downgrade", "large", "small", "immediate", 2.0, Reason("critical", "ram", 10 * GIB, 9 * GIB))
    drawn = recorded(
        Residency(0.0, "ready", "large"), at(0.0, GIB), at(2.0, 9 * GIB), critical,
        Residency(3.5, "ready", "small", seconds=1.0), at(4.0, GIB),
    ).plot()  # fmt: skip
    (down,) = named(drawn, "shift down")
    told = down.text[0].replace("<br>", " ")
    assert told == f"{critical.explain()} Done in 1.0 s."
    assert list(down.y) == [9.0] and list(down.marker.symbol) == ["triangle-down"]
    assert named(recorded(at(0.0, GIB), DOWN).plot(), "shift down")[0].marker.symbol == ("triangle-down-open",)


def test_a_decision_stands_in_the_row_of_its_pool() -> None:
    pools = {"ram": Pool(10 * GIB, GIB), "cuda:0": Pool(8 * GIB, 2 * GIB)}
    down = Decision("downgrade", "large", "small", "planned", 0.0, Reason("forecast", "cuda:0", 8 * GIB))
    drawn = recorded(Sample(0.0, pools), down, Sample(1.0, pools)).plot()
    assert named(drawn, "shift down")[0].yaxis == "y2"
    assert [trace.yaxis for trace in named(drawn, "others")] == ["y", "y2"]
    assert [trace.showlegend for trace in named(drawn, "others")] == [True, False]


def test_the_band_shows_what_was_loaded_coloured_by_its_place_and_hatched_while_it_shifts() -> None:
    drawn = recorded(
        Residency(0.0, "ready", "large"), at(0.0, GIB), at(2.0, GIB), DOWN, Residency(2.5, "shifting", "large"),
        at(3.0, GIB), Residency(3.5, "ready", "small"), at(4.0, GIB),
    ).plot()  # fmt: skip
    (large,), (small,) = named(drawn, "large"), named(drawn, "small")
    assert list(large.x) == [2500, 1000] and list(large.marker.pattern.shape) == ["", "/"]
    assert (large.marker.color, small.marker.color) == LIGHT.rungs[:2]
    assert list(small.text) == ["small"] and small.base[0] - large.base[0] == 3500


def test_a_recording_without_a_model_has_no_band() -> None:
    assert len({trace.yaxis for trace in load(RECORDINGS / "browser.jsonl").plot().data}) == 1


def test_marks_are_lines_with_their_words() -> None:
    drawn = load(RECORDINGS / "browser.jsonl").plot()
    assert [a.text for a in drawn.layout.annotations].count("it is closed") == 3
    assert sum(shape.yref == "paper" for shape in drawn.layout.shapes) == 6


def test_the_axis_is_the_clock_on_the_wall_where_that_is_known() -> None:
    wall = recorded(at(0.0, GIB), at(1.0, GIB), ladder=()).plot().layout
    assert wall.xaxis.type == "date" and wall.xaxis.title.text.startswith("time (")
    bare = [Sample(float(t), {"ram": Pool(10 * GIB, GIB)}) for t in (50, 51)]
    short = recorded(*bare, ladder=()).plot()
    assert (short.layout.xaxis.type, short.layout.xaxis.title.text) == ("linear", "since the start")
    assert list(short.data[0].x) == [0.0, 1.0]


@pytest.mark.parametrize(("dark", "palette"), [(False, LIGHT), (True, DARK)])
def test_colours_are_those_of_the_palette(dark: bool, palette: Any) -> None:
    drawn = recorded(at(0.0, GIB), at(1.0, GIB)).plot(dark=dark, width=700, height=400)
    assert drawn.layout.paper_bgcolor == palette.paper and drawn.data[0].fillcolor == palette.external
    assert (drawn.layout.width, drawn.layout.height) == (700, 400)


def test_names_are_text_not_markup() -> None:
    name = "<a href='https://example.org'>large</a>"
    ladder = (Rung(name, {"ram": GIB}),)
    up = Decision("upgrade", None, name, "planned", 0.0, Reason("asked", detail="<b>now</b>"))
    run = recorded(Residency(0.0, "ready", name), at(0.0, GIB), up, Mark(0.5, "<i>a</i>"), at(1.0, GIB), ladder=ladder)
    told = run.plot().to_json()
    assert "<a " not in told and "<b>" not in told and "<i>" not in told and r"\u003ca " not in told
    assert "&lt;a href" in told or r"\u0026lt;a href" in told


def test_a_simulation_is_drawn_with_its_shifts() -> None:
    ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, 0.7)]
    drawn = simulate(load(RECORDINGS / "leak.jsonl"), ladder, load_time=3.0).plot()
    assert [trace.name for trace in drawn.data if trace.type == "bar"] == ["large", "small", "nothing loaded"]
    told = named(drawn, "shift down")[0].text[0].replace("<br>", " ")
    assert told.endswith("Done in 3.0 s; decided 8.5 s before use would have passed the ceiling.")


def test_pools_can_be_chosen() -> None:
    pools = {"ram": Pool(10 * GIB, GIB), "cuda:0": Pool(8 * GIB, 2 * GIB)}
    run = recorded(Sample(0.0, pools), Sample(1.0, pools), ladder=())
    assert run.plot(pools="cuda:0").layout.yaxis.title.text == "cuda:0, GiB"
    assert len(named(run.plot(pools=["cuda:0", "ram"]), "others")) == 2


@pytest.mark.parametrize(
    ("samples", "pools", "message"),
    [
        ([], None, "run.jsonl: holds no sample, so there is nothing to draw"),
        ([at(0.0, None)], None, "run.jsonl: no pool could be read"),
        ([at(0.0, GIB)], ["ram", "cuda:7"], "run.jsonl: no pool is named 'cuda:7'; there are ram"),
        ([at(0.0, GIB)], [], "run.jsonl: pools must name at least one, of ram"),
    ],
)
def test_what_cannot_be_drawn_is_named(samples: list[Sample], pools: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recorded(*samples).plot(pools=pools)


def test_one_sample_is_enough() -> None:
    assert list(named(recorded(at(0.0, GIB)).plot(), "others")[0].y) == [1.0]


def test_an_outlook_goes_from_now_to_the_grow_horizon_with_own_models_as_they_are() -> None:
    found = seen(*(at(float(t), GIB + t * (GIB >> 4), 2 * GIB) for t in range(40)))
    drawn = found.plot(settings=Settings(high=0.5))
    (others,), (own,), (bound,) = (named(drawn, name) for name in ("others", "own models", "may reach"))
    now = found.pools["ram"]
    assert now is not None and others.x[0] < 0 and others.x[-1] == found.grow
    assert others.y[-1] > others.y[0] == now.external / GIB
    assert bound.y[-1] == pytest.approx(now.bound(found.grow) / GIB + 2)
    assert own.y[5] == pytest.approx(others.y[5] + 2)
    assert "high 50%" in {a.text for a in drawn.layout.annotations}


@pytest.mark.parametrize(
    ("pools", "message"),
    [
        ("ram", "outlook: pool 'ram' could not be read; there are none"),
        ("cuda:0", "outlook: pool 'cuda:0' is not there; there are none"),
        (None, "outlook: no pool to draw; of ram, 0 could be read"),
    ],
)
def test_an_outlook_without_that_pool_says_so(pools: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seen(at(0.0, None)).plot(pools=pools)


def test_drawing_libraries_are_imported_only_to_draw() -> None:
    code = (
        "import sys, gearshift.pipeline, gearshift.pipeline.views.figures, gearshift.pipeline.views.outlook_figure;"
        "print([m for m in ('plotly', 'torch', 'rich', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_recordings_that_ship_can_all_be_drawn() -> None:
    assert all(load(path).plot().data for path in sorted(Path(RECORDINGS).glob("*.jsonl")))


def test_places_on_the_ladder_tell_colours_apart() -> None:
    assert len({LIGHT.rung(rank) for rank in range(len(LADDER))} | {LIGHT.rung(None)}) == 3


@pytest.mark.parametrize("wall", [1e300, -1e14, 1e13])
def test_a_date_that_no_calendar_has_is_as_one_that_is_not_known(wall: float) -> None:
    samples = [Sample(float(t), {"ram": Pool(16 * GIB, 4 * GIB)}, wall=wall) for t in range(3)]
    assert list(recorded(*samples).plot().data[0].x) == [0.0, 1.0, 2.0]
    assert "1970" not in samples[0]._repr_html_()
