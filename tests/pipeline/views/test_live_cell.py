"""A live picture in a notebook: what it shows, and that nothing is left of it."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
import reactivex
from gearshift.pipeline import ProactiveScaler, Residency, Sample, Settings
from gearshift.pipeline.testing import rungs_of, samples_of
from gearshift.pipeline.views.live_cell import LiveCell
from reactivex import Subject

LADDER = rungs_of(500, 100)


class Page:
    """A scaler, a cell on it, and what a page would say to it."""

    def __init__(self, cell: LiveCell) -> None:
        self.cell = cell

    def says(self, kind: str, view: str = "a") -> None:
        self.cell._handle_custom_msg({"kind": kind, "view": view}, [])


class Watched:
    def __init__(self) -> None:
        self.source: Subject[Sample] = Subject()
        self.residencies: Subject[Residency] = Subject()
        self.scaler = ProactiveScaler(LADDER, Settings(), self.source, residencies=self.residencies)

    def looked_at(self, **given: Any) -> Page:
        page = Page(LiveCell(self.scaler, **given))
        page.says("seen")
        return page

    @property
    def monitored(self) -> bool:
        return bool(self.source.observers)

    @property
    def followed(self) -> bool:
        streams = (self.scaler._samples, self.scaler._outlooks, self.scaler._decisions)
        return any(len(stream.observers) > own for stream, own in zip(streams, (self.monitored, 0, 0), strict=True))


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.scaler.stop_continuous_monitoring()
    ipywidgets.Widget.close_all()


def test_it_works_only_once_a_page_shows_it(watched: Watched) -> None:
    cell = LiveCell(watched.scaler)
    assert cell.status == "waiting" and not watched.monitored and not watched.followed
    Page(cell).says("seen")
    assert cell.status == "live" and watched.monitored and watched.followed


def test_it_draws_each_pool_the_rung_and_the_decisions(watched: Watched) -> None:
    page = watched.looked_at(window=30.0)
    watched.residencies.on_next(Residency(0.0, "ready", "large"))
    watched.source.on_next(samples_of([100], own=500)[0])
    picture = page.cell.picture
    (pool,) = picture["pools"]
    assert (picture["window"], picture["rung"], pool["name"], pool["total"]) == (30.0, "large", "ram", 1000)
    assert pool["points"] == [(0.0, 100, 500, 100)] and pool["ceilings"] == {"low": 770, "high": 800, "critical": 920}
    decision = watched.scaler.initiate_graceful_degradation("a game starts")
    assert decision is not None
    page.cell.close()
    assert page.cell.picture["decisions"] == [(0.0, "downgrade", decision.explain())]


def test_a_burst_of_samples_is_few_updates(watched: Watched) -> None:
    page = watched.looked_at()
    updates: list[Any] = []
    page.cell.observe(updates.append, "picture")
    for sample in samples_of([100] * 50):
        watched.source.on_next(sample)
    assert 1 <= len(updates) < 10  # one, where the burst takes less than half a second


@pytest.mark.parametrize("end", ["gone", "close"])
def test_its_end_leaves_no_subscription_no_monitoring_and_no_widget(watched: Watched, end: str) -> None:
    page = watched.looked_at()
    if end == "gone":
        page.says("gone")
    else:
        page.cell.close()
        page.cell.close()
    assert page.cell.status == "ended" and not watched.monitored and not watched.followed
    assert page.cell.comm is None and page.cell not in ipywidgets.widgets.widget._instances.values()
    page.says("seen")
    assert not watched.followed


def test_a_second_view_keeps_it_alive(watched: Watched) -> None:
    page = watched.looked_at()
    page.says("seen", "b")
    page.says("gone", "a")
    assert page.cell.status == "live" and watched.followed
    page.says("gone", "b")
    assert page.cell.status == "ended" and not watched.followed


def test_monitoring_that_ran_before_goes_on_after_it(watched: Watched) -> None:
    watched.scaler.start_continuous_monitoring()
    watched.looked_at().cell.close()
    assert watched.monitored and not watched.followed


def test_of_two_cells_the_last_one_stops_the_monitoring(watched: Watched) -> None:
    first, second = watched.looked_at(), watched.looked_at()
    first.cell.close()
    assert watched.monitored and second.cell.status == "live"
    second.cell.close()
    assert not watched.monitored


def test_it_ends_when_monitoring_is_stopped_and_keeps_its_last_picture(watched: Watched) -> None:
    page = watched.looked_at()
    for sample in samples_of([100, 200]):
        watched.source.on_next(sample)
    watched.scaler.stop_continuous_monitoring()
    assert page.cell.status == "ended" and not watched.followed
    assert len(page.cell.picture["pools"][0]["points"]) == 2 and page.cell.comm is not None


def test_it_ends_with_its_source() -> None:
    scaler = ProactiveScaler(LADDER, Settings(), reactivex.from_iterable(samples_of([100] * 3)))
    page = Page(LiveCell(scaler))
    page.says("seen")
    assert page.cell.status == "ended" and len(page.cell.picture["pools"][0]["points"]) == 3
    page.cell.close()


def test_an_error_is_told_in_the_cell_and_ends_it(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    page = watched.looked_at()

    def refuse(_: Any) -> None:
        raise OSError("the page's disk is full")

    page.cell.observe(refuse, "picture")
    watched.source.on_next(samples_of([100])[0])
    assert page.cell.status == "failed" and page.cell.problem == "OSError: the page's disk is full"
    assert not watched.followed and not watched.monitored and "a subscriber raised" in caplog.text


def test_a_page_that_is_gone_without_a_word_pauses_it_until_it_is_seen_again(watched: Watched) -> None:
    async def silent() -> Page:
        page = watched.looked_at(ping=0.01)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if page.cell.status != "live":
                break
        assert page.cell.status == "paused" and not watched.monitored and not watched.followed
        page.says("seen")
        assert page.cell.status == "live" and watched.monitored and watched.followed
        return page

    asyncio.run(silent()).cell.close()


def test_a_cell_that_is_moved_gets_a_new_view_and_lives(watched: Watched) -> None:
    async def moved() -> None:
        page = watched.looked_at()
        page.says("gone", "a")
        page.says("seen", "b")
        await asyncio.sleep(0)
        assert page.cell.status == "live" and page.cell._timer is not None
        page.cell.close()
        assert page.cell._timer is None

    asyncio.run(moved())


def test_a_paused_cell_hears_of_the_end_of_its_apps_monitoring(watched: Watched) -> None:
    watched.scaler.start_continuous_monitoring()
    page = watched.looked_at()
    page.cell._finish("paused")
    assert watched.monitored and not watched.followed
    watched.scaler.stop_continuous_monitoring()
    assert page.cell.status == "ended"
    page.says("seen")
    assert not watched.monitored


def test_on_this_machine_it_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    scaler = ProactiveScaler(settings=Settings(interval=0.01))
    page, drawn = Page(LiveCell(scaler)), threading.Event()
    page.cell.observe(lambda _: drawn.set(), "picture")
    page.says("seen")
    assert drawn.wait(10)
    page.says("gone")
    assert set(threading.enumerate()) <= before
