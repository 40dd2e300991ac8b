"""Makes the README's pictures: `python -m tests.readme_pictures`."""

import asyncio
import json
import re
from pathlib import Path

from gearshift.pipeline import load
from gearshift.pipeline.simulation import simulate
from gearshift.pipeline.watch.playback import PlaybackApp
from playwright.sync_api import sync_playwright
from plotly.io import to_json

from tests.notebook_pictures import CHROMIUM, drawn
from tests.pipeline.watch.pictures import LADDER, RECORDINGS, played_anew

FOLDER = Path(__file__).parents[1] / "notebooks" / "pictures"
SIZE = (104, 28)
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # they would be fetched from elsewhere
_GIB = 2**30


async def watched() -> str:
    """SVG of the leak played anew for two rungs, as it is some seconds after the shift."""
    story = played_anew("leak")
    app = PlaybackApp(story)
    async with app.run_test(size=SIZE) as pilot:
        app.paused = True
        app.go(story.begin + 42)
        await pilot.pause()
        picture = _FONTS.sub("", app.export_screenshot(title="gearshift watch"))
    return picture.replace("font-size: 20px", "font-size: 21px")  # so that blocks of one column touch


def decided() -> bytes:
    """PNG of the same in a simulation, with what would have come of the large rung."""
    run = load(RECORDINGS / "leak.jsonl")
    simulation = simulate(run, LADDER, load_time=3.0)
    (shift,) = simulation.shifts
    begin = run.samples[0].time
    at, need = shift.decision.time - begin, LADDER[0].need["ram"]
    assert shift.lead is not None
    figure = simulation.plot()
    pools = [(sample.time - begin, sample.pools["ram"]) for sample in run.samples]
    kept = [(time, (pool.external + need) / _GIB) for time, pool in pools if pool is not None and time >= at]
    figure.add_scatter(
        x=[time for time, _ in kept], y=[use for _, use in kept], name="had it stayed", mode="lines",
        line={"dash": "dot", "color": "#666"},
    )  # fmt: skip
    told = [
        (at, 18.6, -120, -62, "use may reach the ceiling within the time<br>that a shift takes: shift down, planned"),
        (at + shift.lead, 18.83, 75, 34, f"there it would have passed, {shift.lead:.1f} s later"),
        (38, 5.7, 10, -32, "up again once there has been room for 300 s"),
    ]
    for x, y, ax, ay, text in told:
        figure.add_annotation(
            x=x, y=y, ax=ax, ay=ay, text=text, showarrow=True, arrowhead=2, xref="x", yref="y", bgcolor="white",
            bordercolor="#999", borderpad=3,
        )  # fmt: skip
    figure.update_yaxes(range=[0, 28], row=1, col=1)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        png = drawn(browser.new_page(), json.loads(to_json(figure)))
        browser.close()
    return png


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "watch.svg").write_text(asyncio.run(watched()), "utf-8")
    (FOLDER / "decides.png").write_bytes(decided())
    for file in sorted(FOLDER.iterdir()):
        print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
