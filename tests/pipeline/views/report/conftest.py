"""Reports, opened in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gearshift.pipeline import Pool, Recording, Rung, Sample, Settings, load, simulate
from gearshift.pipeline.lines import Header
from gearshift.pipeline.views.report import write_report
from playwright.sync_api import Browser, Page

LEAK = Path(__file__).parents[3] / "recordings" / "leak.jsonl"
LADDER = [Rung("large", {"ram": 18_500_000_000}, quality=1.0), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
GIB = 2**30
PEAK_AT, HOLE = 51_234, range(30_000, 31_000)


@pytest.fixture(scope="session")
def leak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation of a leak with two rungs."""
    recording = load(LEAK)
    found = simulate(recording, LADDER, load_time=3.0)
    return write_report(found, tmp_path_factory.mktemp("page") / "leak.html", recording=recording, compare=[found])


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day at 1 Hz with a hole, and a peak of 20 GiB in a single sample."""
    samples = [
        Sample(
            float(t),
            {"ram": None if t in HOLE else Pool(24 * GIB, 20 * GIB if t == PEAK_AT else (5 + t % 2) * GIB, GIB)},
        )
        for t in range(86_400)
    ]
    recording = Recording(Path("day.jsonl"), "gearshift", samples, header=Header(1, settings=Settings()), skipped=0)
    return write_report(recording, tmp_path_factory.mktemp("page") / "day.html")


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own, and checks at the end that nothing was complained of or asked for."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def open_(file: Path, **how: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "timezone_id": "UTC", **how})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("#pool-0 .main-svg")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts)
