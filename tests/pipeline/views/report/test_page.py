"""The page in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Decision, Mark, Pool, Reason, Recording, Residency, Rung, Sample
from gearshift.pipeline.lines import Header
from gearshift.pipeline.views.report import write_report
from playwright.sync_api import Page

from .conftest import GIB, HOLE, PEAK_AT

Open = Callable[..., Page]
TRACE = "name => document.getElementById('pool-0').data.find(trace => trace.name === name)"
VIEW = "() => [view.from, view.to]"


def drawn(page: Page, name: str) -> tuple[list[float], list[float | None]]:
    """Seconds from the first sample, and values."""
    trace: dict[str, Any] = page.evaluate(TRACE, name)
    zero = page.evaluate("zero")
    return [(x - zero) / 1000 for x in trace["x"]], trace["y"]


def view(page: Page) -> tuple[float, float]:
    begin, end = page.evaluate(VIEW)
    return begin / 1000, end / 1000


def until(page: Page, condition: str, arg: object = None) -> None:
    """Polled from here, as the page's own policy forbids what `wait_for_function` does when it has to wait."""
    for _ in range(200):
        if page.evaluate(condition, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came: {condition}")


def settled(page: Page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def test_it_draws_what_others_and_the_models_held(leak: Path, opened: Open) -> None:
    page = opened(leak)
    assert page.locator("#pool-0 .scatterlayer .trace").count() >= 3
    assert page.title() == "leak.jsonl, simulated" and page.locator("html").get_attribute("lang") == "en"
    assert 2.0 < max(y for y in drawn(page, "external")[1] if y is not None) < 2.2
    assert 18.0 < max(y for y in drawn(page, "own")[1] if y is not None) < 19.0


def test_a_drag_zooms_all_charts_and_a_double_click_shows_all_again(leak: Path, opened: Open) -> None:
    page = opened(leak)
    whole = view(page)
    box = page.locator("#pool-0").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 100, steps=5)
    page.mouse.up()
    until(page, "whole => view.to - view.from < 0.5 * whole", 1000 * (whole[1] - whole[0]))
    settled(page)
    ranges = page.evaluate("charts.map(box => box.layout.xaxis.range.map(edge => Math.round(edge)))")
    assert len(ranges) == 2 and ranges[0] == ranges[1]
    page.mouse.dblclick(box["x"] + 300, box["y"] + 100)
    until(page, "whole => view.to - view.from === whole", 1000 * (whole[1] - whole[0]))


def test_the_wheel_zooms_only_in_the_chart_that_was_clicked(leak: Path, opened: Open) -> None:
    page = opened(leak, viewport={"width": 1280, "height": 500})
    whole = view(page)
    page.locator("#pool-0").hover()
    page.mouse.wheel(0, 200)
    until(page, "scrollY > 0")
    assert view(page) == whole
    page.locator("#pool-0").focus()
    page.locator("#pool-0").hover()
    page.mouse.wheel(0, -200)
    until(page, "whole => view.to - view.from < 0.9 * whole", 1000 * (whole[1] - whole[0]))


def test_keys_zoom_move_and_show_all(leak: Path, opened: Open) -> None:
    page = opened(leak)
    whole = view(page)
    page.locator("#pool-0").focus()
    page.keyboard.press("+")
    near = view(page)
    assert near[1] - near[0] == pytest.approx((whole[1] - whole[0]) / 2)
    page.keyboard.press("ArrowLeft")
    assert view(page)[0] == pytest.approx(near[0] - 0.2 * (near[1] - near[0]))
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert view(page) == whole


def test_keys_go_from_decision_to_decision_and_say_each(leak: Path, opened: Open) -> None:
    page = opened(leak)
    spoken = page.locator("#spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    page.locator("#pool-0").focus()
    page.keyboard.press("n")
    assert "Shift up from nothing to large" in spoken.inner_text()
    page.keyboard.press("n")
    assert "Shift down from large to small, planned: others hold 1.18 GiB" in spoken.inner_text()
    page.keyboard.press("p")
    assert "Shift up from nothing to large" in spoken.inner_text()


def test_a_decision_shows_its_sentence_when_the_pointer_is_on_it(leak: Path, opened: Open) -> None:
    page = opened(leak)
    marker = page.locator("#pool-0 .points path.point").last.bounding_box()
    assert marker is not None
    page.mouse.move(marker["x"] + marker["width"] / 2 + 1, marker["y"] + marker["height"] / 2)
    page.mouse.move(marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2)
    page.wait_for_selector("#pool-0 .hoverlayer .hovertext")
    shown = page.locator("#pool-0 .hoverlayer .hovertext").text_content()
    assert shown is not None and "Shift down from large to small, planned" in " ".join(shown.split())


def test_the_pointer_reads_out_the_sample_under_it(leak: Path, opened: Open) -> None:
    page = opened(leak)
    page.locator("#pool-0").hover()
    text = page.locator("#readout-0").inner_text()
    assert "others 1.2" in text and "own" in text and "bound" in text


def test_a_row_of_the_table_goes_to_its_shift(leak: Path, opened: Open) -> None:
    page = opened(leak)
    page.locator("table .go").first.click()
    begin, end = view(page)
    assert begin < 22.5 < end
    assert "Shift down from large to small" in page.locator("#spoken").inner_text()
    assert page.locator("li.selected").count() == 1
    assert page.locator("#readout-0").inner_text().startswith("22:43:01.9")


def test_the_peak_of_a_day_is_drawn_from_the_start(day: Path, opened: Open) -> None:
    page = opened(day)
    times, values = drawn(page, "own")
    assert len(values) < 6000
    assert times[values.index(20.0)] == PEAK_AT
    assert min(y for y in values if y is not None) == 5.0


def test_zoomed_in_a_day_shows_every_sample(day: Path, opened: Open) -> None:
    page = opened(day)
    page.evaluate("show(40000000, 40060000)")
    settled(page)
    times, values = drawn(page, "own")
    inside = [(x, y) for x, y in zip(times, values, strict=True) if y is not None and 40_000 <= x <= 40_060]
    assert [x for x, _ in inside][:61] == list(range(40_000, 40_061))
    assert [y for _, y in inside][:4] == [5.0, 6.0, 5.0, 6.0]


def test_a_hole_stays_a_hole(day: Path, opened: Open) -> None:
    times, values = drawn(opened(day), "own")
    assert None in values
    assert not [x for x, y in zip(times, values, strict=True) if y is not None and HOLE[1] < x < HOLE[-1]]


def test_times_of_a_few_seconds_are_not_taken_for_years(tmp_path: Path, opened: Open) -> None:
    samples = [Sample(0.9 * t, {"ram": Pool(GIB, 100 + t)}) for t in range(9)]
    run = Recording(Path("run.jsonl"), "free", samples, header=None, skipped=0)
    page = opened(write_report(run, tmp_path / "run.html"))
    placed = page.evaluate("document.getElementById('pool-0').calcdata[1].map(point => point.x - zero)")
    assert placed[:9] == [900 * t for t in range(9)]


def test_two_fingers_zoom_and_one_moves(leak: Path, opened: Open) -> None:
    page = opened(leak, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    box = page.locator("#pool-0").bounding_box()
    assert box is not None
    whole, middle = view(page), box["y"] + 80
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *xs: float) -> None:
        points = [{"x": x, "y": middle, "id": i} for i, x in enumerate(xs)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 180, 220)
    fingers("touchMove", 120, 280)
    fingers("touchEnd")
    near = view(page)
    assert near[1] - near[0] == pytest.approx((whole[1] - whole[0]) / 4, rel=0.05)
    fingers("touchStart", 200)
    fingers("touchMove", 150)
    fingers("touchEnd")
    assert view(page)[0] > near[0] and view(page)[1] - view(page)[0] == pytest.approx(near[1] - near[0])


def test_on_a_phone_nothing_is_wider_than_the_screen(leak: Path, opened: Open) -> None:
    page = opened(leak, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("Math.max(...[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide, svg'))"
                         ".map(e => e.getBoundingClientRect().right))") <= 390  # fmt: skip


def test_dark_and_light_differ_and_the_button_changes_them(leak: Path, opened: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page = opened(leak, color_scheme="dark")
    dark = page.evaluate(paper)
    assert page.evaluate("document.getElementById('pool-0').layout.paper_bgcolor") == "#14181d"
    page.locator("#theme").click()
    assert page.evaluate(paper) != dark
    assert page.evaluate("document.getElementById('pool-0').layout.paper_bgcolor") == "#ffffff"
    assert opened(leak).evaluate(paper) == "rgb(255, 255, 255)"


def test_printed_charts_are_light_and_as_wide_as_paper_and_as_before_afterwards(leak: Path, opened: Open) -> None:
    page = opened(leak, color_scheme="dark")
    layout = "(({width, paper_bgcolor}) => [width, paper_bgcolor])(document.getElementById('pool-0').layout)"
    before = page.evaluate(layout)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(layout) == [680, "#ffffff"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(layout) == before


def test_charts_follow_the_width_of_the_window(leak: Path, opened: Open) -> None:
    page = opened(leak)
    page.set_viewport_size({"width": 700, "height": 900})
    until(page, "document.querySelector('#pool-0 .main-svg').getBoundingClientRect().right <= 700")


def test_names_from_a_recording_are_never_run(tmp_path: Path, opened: Open) -> None:
    run_me = "document.title='run'"
    bad = f"</script><script>{run_me}</script><img src=x onerror=\"{run_me}\"><a href='javascript:{run_me}'>"
    lines = [
        Sample(0.0, {bad: Pool(10 * GIB, GIB)}), Residency(0.0, "ready", bad), Sample(1.0, {bad: Pool(10 * GIB, GIB)}),
        Decision("shed", bad, None, "immediate", 1.0, Reason("asked", detail=bad)), Mark(1.0, bad),
        Residency(1.5, "empty", seconds=0.2), Sample(2.0, {bad: Pool(10 * GIB, GIB)}),
    ]  # fmt: skip
    run = Recording(Path("run.jsonl"), "gearshift", lines, header=Header(1, ladder=(Rung(bad, {bad: GIB}),)), skipped=0)
    page = opened(write_report(run, tmp_path / "bad.html", title=bad))
    page.locator("#pool-0").focus()
    page.keyboard.press("n")
    settled(page)
    assert page.title() == bad
    assert page.locator("img, a").count() == 0
    assert page.locator("h2").first.inner_text() == bad


def test_a_recording_of_one_sample_is_shown(tmp_path: Path, opened: Open) -> None:
    run = Recording(Path("one.jsonl"), "free", [Sample(5.0, {"ram": Pool(GIB, 100)})], header=None, skipped=0)
    page = opened(write_report(run, tmp_path / "one.html"))
    assert len(drawn(page, "external")[0]) == 3


def test_everything_can_be_reached_by_the_keyboard_and_is_seen_to_be(leak: Path, opened: Open) -> None:
    page = opened(leak)
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = "const e = document.activeElement; return [e.id || e.textContent, getComputedStyle(e).outlineStyle]"
        name, outline = page.evaluate(f"(() => {{ {seen} }})()")
        if name in reached or not name:
            break
        assert outline == "solid", name
        reached.append(name)
    assert {"previous", "next", "fit", "theme", "pool-0", "rivals"} <= set(reached)


def test_without_decisions_no_way_to_them_is_offered(day: Path, opened: Open) -> None:
    page = opened(day)
    assert not page.locator("#next").is_visible() and not page.locator("#walk").is_visible()
