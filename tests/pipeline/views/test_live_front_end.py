"""The page's part of a live cell, in headless Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gearshift.pipeline.views
import pytest
from gearshift.pipeline import Settings
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.testing import samples_of
from gearshift.pipeline.views.live_picture import LivePicture
from gearshift.pipeline.views.palette import DARK, LIGHT
from playwright.sync_api import Browser, Page

VIEWS = Path(gearshift.pipeline.views.__file__).parent
MODEL = """
async ({ source, state }) => {
  const listeners = new Set();
  window.sent = [];
  window.state = state;
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; for (const each of listeners) each(); },
    on: (_, listener) => listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
    send: (message) => window.sent.push(message.kind),
  };
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  window.end = widget.render({ model: window.model, el: document.querySelector("main") });
  window.listening = () => listeners.size;
  await new Promise(requestAnimationFrame);
}
"""


def picture(external: list[int | None], rung: str | None = "large") -> dict[str, Any]:
    settings = Settings()
    outlooks, drawn = OutlookWindow(settings), LivePicture(60.0, settings)
    for sample in samples_of(external, total=10 << 30, own=4 << 30):
        drawn.update(outlooks.sample(sample))
    return json.loads(json.dumps(drawn.told(rung)))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []


def show(page: Page, *, background: str = "#fff", **state: Any) -> None:
    page.set_content(f"<body style='background:{background}'><main></main></body>")
    palettes = {"light": LIGHT._asdict(), "dark": DARK._asdict()}
    begun = {"picture": {}, "status": "live", "problem": "", "palettes": palettes, "ping": 60, **state}
    page.evaluate(MODEL, {"source": (VIEWS / "live_cell.js").read_text("utf-8"), "state": begun})


def test_it_draws_each_pool_in_words_and_as_a_picture(page: Page) -> None:
    show(page, picture=picture([2 << 30] * 5))
    assert page.locator("header b").inner_text() == "rung: large"
    told = "ram: others hold 2.00 GiB, ours 4.00 GiB, of 10.0 GiB"
    assert page.locator("svg").get_attribute("aria-label") == told
    assert page.locator("svg polygon").count() == 2
    assert page.locator("svg text").all_text_contents() == ["critical 92%", "high 80%", "low 77%", "60 s ago", "now"]


def test_a_new_picture_is_drawn_at_once(page: Page) -> None:
    show(page)
    assert "waiting for the first sample" in page.locator("main").inner_text()
    page.evaluate("picture => window.model.set('picture', picture)", picture([1 << 30, None], rung=None))
    assert "nothing loaded" in page.locator("main").inner_text() and page.locator("svg").count() == 1


def test_decisions_are_sentences_and_an_error_is_told(page: Page) -> None:
    decided = {**picture([1 << 30]), "decisions": [[150, "downgrade", "Shift down <b>because</b>."]]}
    show(page, picture=decided, status="failed", problem="OSError: the disk is full")
    assert page.locator("li").all_inner_texts() == ["3 min ago: Shift down <b>because</b>."]
    assert page.get_by_role("alert").inner_text() == "OSError: the disk is full"


@pytest.mark.parametrize(("background", "ink"), [("#fff", LIGHT.ink), ("#111", DARK.ink)])
def test_its_colours_go_with_the_page(page: Page, background: str, ink: str) -> None:
    show(page, background=background, picture=picture([1 << 30]))
    red, green, blue = (int(ink[at : at + 2], 16) for at in (1, 3, 5))
    colour = page.locator(".gearshift-live").evaluate("node => getComputedStyle(node).color")
    assert colour == f"rgb({red}, {green}, {blue})"


def test_it_tells_that_it_is_seen_and_that_it_is_gone_and_leaves_no_listener(page: Page) -> None:
    show(page)
    assert page.evaluate("window.sent") == ["seen"] and page.evaluate("window.listening()") == 1
    page.evaluate("window.end()")
    assert page.evaluate("window.sent") == ["seen", "gone"] and page.evaluate("window.listening()") == 0
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("window.sent") == ["seen", "gone"]
