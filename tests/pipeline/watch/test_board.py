"""The picture at one moment."""

import pytest
from gearshift.pipeline import Device, Mark, Pool, Pressure, Sample, load
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.simulation.fitting import own_settings
from gearshift.pipeline.watch.board import Board, View
from gearshift.pipeline.watch.columns import Columns
from gearshift.pipeline.watch.playing import recorded
from gearshift.pipeline.watch.spans import ASCII, COLOURLESS, length
from gearshift.pipeline.watch.story import Story

from .pictures import GIB, RECORDINGS, drawn, played, played_anew, steady, told

SIZES = [(80, 24), (60, 20), (200, 60), (30, 8), (10, 3), (1, 1)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_picture_fills_the_window_whatever_its_size(width: int, height: int) -> None:
    story = played_anew("leak")
    for programs in (None, [("firefox", 2 * GIB)]):
        lines = Board(story).draw(View(story.end, 60.0, programs=programs, speed=1.0), width, height)
        assert len(lines) == min(height, len(lines)) and {length(line) for line in lines} == {width}


def test_recordings_of_other_programs_are_drawn_too() -> None:
    count = 0
    for file in sorted((RECORDINGS / "imported").rglob("*.*")):
        try:
            recording = load(file)
        except ValueError:
            continue  # it needs to be told what its columns mean
        count += 1
        story = recorded(recording, own_settings(recording))
        for share in (0.0, 0.3, 1.0):
            text = "\n".join(drawn(story, story.begin + share * (story.end - story.begin), speed=1.0))
            known = any(sample.pools for sample in recording.samples)
            assert any(words in text for words in ("GiB in use", "can't be read")) == known, file
            assert known or "no pool of memory is told of" in text
    assert count > 15


def test_all_that_matters_is_on_a_small_terminal() -> None:
    story = played_anew("leak")
    lines = drawn(story, story.begin + 23, speed=1.0)
    text = "\n".join(lines)
    assert len(lines) == 24
    for part in (
        "leak.jsonl, simulated", "loaded large, shifting", "ladder [large]  small", "cpu ", "stalls memory 0%",
        "of 23.54 GiB in use: others 1.", "MiB/s", "others at most", "ceiling H 80%", "rung ", "events ",
        "Shift down from large to small, planned: others hold", "for 300 s.", "playing 1x  0:23", "q quit",
    ):  # fmt: skip
        assert part in text, part


def test_letters_stand_under_the_bar_at_their_share_of_the_pool() -> None:
    lines = drawn(told([steady(0.0, used=5 * GIB, own=2 * GIB)]), 0.0, width=107)
    bar, below = lines[4][7:], lines[5][7:]
    assert (bar.count("█"), bar.count("▒"), bar.count("·")) == (30, 20, 50)
    assert [(letter, below.index(letter)) for letter in "^LHC"] == [("^", 49), ("L", 77), ("H", 80), ("C", 92)]


def test_the_plot_never_hides_a_peak_however_long_the_window() -> None:
    samples = [steady(float(t), used=9 * GIB if t == 4321 else 2 * GIB) for t in range(10_000)]
    story = told(samples)
    columns = Columns(story).of("ram", story.end, 10_000.0, 50)
    assert max(column.used for column in columns if column) == 9 * GIB


def test_columns_that_are_kept_tell_what_fresh_ones_tell() -> None:
    story = played("model")
    kept = Columns(story)
    for at in [0.0, 3.3, 17.0, 44.0, 8.1, 30.0, 1.0]:
        position = story.begin + at
        assert kept.of("ram", position, 30.0, 70) == Columns(story).of("ram", position, 30.0, 70)


def test_what_has_no_room_ends_with_a_sign() -> None:
    story = played_anew("leak")
    assert drawn(story, story.end, width=40)[1].endswith("~")
    assert not drawn(story, story.end, width=80)[1].rstrip().endswith("~")


def test_letters_of_events_and_the_time_below_the_plot_are_never_mixed() -> None:
    story = played("leak")
    below = {
        window: next(line for line in drawn(story, story.end, window=window) if line.startswith("events"))
        for window in (50.0, 300.0)
    }
    assert below[300.0].startswith("events 5 min ago  ")
    assert "m" in below[50.0] and "ago" not in below[50.0]


def test_silence_leaves_a_hole_in_the_plot() -> None:
    story = told([steady(0.0), steady(1.0), steady(59.0), steady(60.0)])
    columns = Columns(story).of("ram", 60.0, 60.0, 30)
    assert columns[20] is None and columns[0] is not None and columns[-1] is not None


def test_a_pool_that_can_not_be_read_says_so_and_keeps_its_past() -> None:
    story = told([*(steady(float(t)) for t in range(30)), Sample(30.0, {"ram": None}, missing=("ram",))])
    text = "\n".join(drawn(story, 30.0))
    assert "can't be read" in text and "missing: ram" in text and "█" in text


def test_a_pool_that_vanishes_is_gone_from_the_picture_and_back_when_it_returns() -> None:
    both = {"ram": Pool(10 * GIB, GIB), "cuda:0": Pool(8 * GIB, GIB)}
    story = told([Sample(0.0, both), Sample(1.0, {"ram": both["ram"]}), Sample(2.0, both)])
    shown = ["cuda:0" in "\n".join(drawn(story, position)) for position in (0.0, 1.0, 2.0)]
    assert shown == [True, False, True]


def test_many_pools_are_told_in_a_line_each_and_those_left_out_are_counted() -> None:
    pools: dict[str, Pool | None] = {f"cuda:{n}": Pool(80 * GIB, n * GIB) for n in range(20)}
    story = told([Sample(0.0, {"ram": None, **pools})])
    lines = drawn(story, 0.0)
    assert any(line.startswith("cuda:3") and "others 3.00" in line for line in lines)
    assert any("more pools; a taller window shows them" in line for line in lines)
    assert any(line.startswith("decisions") for line in lines)
    assert sum(line.startswith("cuda:") for line in drawn(story, 0.0, height=60)) == 20


@pytest.mark.parametrize("name", ["\x1b[31mred\x1b[0m", "[bold]loud[/bold]", "a\nb\rc\tq", "\u202eevil", "\udc80odd"])
def test_hostile_names_are_shown_literally(name: str) -> None:
    story = told([Sample(0.0, {"ram": Pool(10, 1), name: Pool(10, 2)}, missing=(name,))])
    story.add(Mark(0.0, name))
    text = "".join(drawn(story, 0.0, programs=[(name, GIB)], state=name))
    assert text.isprintable()
    text.encode()
    if "[bold]" in name:
        assert "[bold]loud[/bold]" in text
    else:
        assert "\\" in text


def test_letters_of_two_cells_neither_push_the_picture_out_of_the_window_nor_get_lost() -> None:
    story = told([steady(0.0)])
    story.add(Mark(0.0, "記憶" * 60))
    board = Board(story)
    lines = board.draw(View(0.0, 60.0, programs=[("浏览器" * 20, GIB)]), 80, 24)
    assert {length(line) for line in lines} == {80}
    assert "".join(text for line in lines for text, _ in line).count("記") == 60


def test_without_unicode_the_picture_is_plain() -> None:
    story = played_anew("leak")
    lines = Board(story, ASCII).draw(View(story.end, 60.0, speed=1.0), 80, 24)
    assert "".join(text for line in lines for text, _ in line).isascii()


def test_without_colour_ours_differ_from_others_by_their_shape() -> None:
    story = played_anew("leak")
    lines = Board(story, COLOURLESS).draw(View(story.end, 60.0, speed=1.0), 80, 24)
    drawn_with = {
        role: {c for line in lines for text, r in line if r == role for c in text} for role in ("external", "own")
    }
    assert "▒" in drawn_with["own"] and "▒" not in drawn_with["external"] and "█" not in drawn_with["own"]


def test_the_log_scrolls_from_the_newest_to_the_oldest() -> None:
    story = told([steady(float(t)) for t in range(20)])
    for t in range(20):
        story.add(Mark(float(t), f"mark number {t}"))
    top, scrolled, beyond = (
        "\n".join(drawn(story, 19.0, scroll=scroll)) for scroll in (0, 5, 1000)
    )  # fmt: skip
    assert "mark number 19" in top and "mark number 2\n" not in top
    assert "mark number 19" not in scrolled and "mark number 14" in scrolled and "5 lines above" in scrolled
    assert "mark number 0" in beyond


def test_the_state_of_the_machine_is_told_as_far_as_it_is_known() -> None:
    sample = Sample(
        0.0, {"ram": Pool(10 * GIB, GIB)}, cpu=0.25, load=1.5, swap_used=GIB, swap_in=3.0 * 2**20,
        pressure={"memory": Pressure(0.12, 0.0)}, devices={"cuda:0": Device(utilisation=0.9)},
    )  # fmt: skip
    assert (
        "cpu 25%  load 1.5  stalls memory 12%  swap 1.00 GiB (3 MiB/s read)  cuda:0 90%"
        in drawn(told([sample]), 0.0, 120)[2]
    )
    assert "nothing but pools is told" in drawn(told([steady(0.0)]), 0.0)[2]


def test_before_the_first_sample_it_says_that_it_waits() -> None:
    assert "waiting for the first sample" in "\n".join(drawn(told([]), 0.0))


def test_past_the_ceilings_it_says_which() -> None:
    for used, words in (
        (5, "ceiling H 80% not in sight"),
        (8.5, "past the ceiling, H 80%"),
        (9.5, "past critical, C 92%"),
    ):
        assert words in "\n".join(drawn(told([steady(0.0, used=int(used * GIB))]), 0.0))


def test_time_left_goes_by_the_pace_of_a_rise() -> None:
    samples = [steady(float(t), used=int((2 + 0.05 * t) * GIB)) for t in range(60)]
    text = "\n".join(drawn(told(samples), 59.0))
    assert "+51 MiB/s" in text and "ceiling H 80% in 1 min 01 s" in text


def test_times_of_day_are_told_where_the_samples_know_them() -> None:
    story, window = Story("known", told([]).settings), OutlookWindow(told([]).settings)
    story.add(window.update(Sample(50.0, {}, wall=1_700_000_000.0)))
    assert story.wall(53.0) == 1_700_000_003.0
    assert drawn(told([steady(7.0), steady(72.0)]), 72.0)[0].rstrip().endswith("1:05")
