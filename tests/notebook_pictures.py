"""Makes the pictures that notebooks keep, by Chromium: `python -m tests.notebook_pictures [stem …]`.

A code cell tagged `picture` keeps a PNG of its plotly figure, for readers of a forge that runs no JavaScript; the `alt`
text stands in its metadata. All else that was put out is taken away.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from playwright.sync_api import Page, sync_playwright
from plotly.offline import get_plotlyjs

FOLDER = Path(__file__).parents[1] / "notebooks"
CHROMIUM = "/usr/bin/chromium"
FIGURE = "application/vnd.plotly.v1+json"
WIDTH, HEIGHT = 860, 420
LARGEST = 60_000
"""Bytes of a picture, at most."""


def is_picture(cell: Any) -> bool:
    return "picture" in cell.metadata.get("tags", [])


def drawn(page: Page, figure: dict[str, Any]) -> bytes:
    layout = {**figure["layout"], "width": WIDTH, "height": figure["layout"].get("height", HEIGHT)}
    shown = json.dumps({"data": figure["data"], "layout": layout}).replace("</", "<\\/")
    page.set_viewport_size({"width": WIDTH, "height": layout["height"]})
    page.set_content(f"<body style='margin:0'><div id='figure'></div><script>{get_plotlyjs()}</script></body>")
    page.evaluate(f"Plotly.newPlot('figure', {{...{shown}, config: {{staticPlot: true}}}})")
    return page.locator("#figure").screenshot()


def output(png: bytes, alt: str) -> Any:
    if len(png) > LARGEST:
        raise ValueError(f"a picture may have {LARGEST} bytes, got {len(png)}: {alt}")
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}})


def make(path: Path, page: Page) -> int:
    """Run the notebook, and store it with its pictures and nothing else. Returns how many there are."""
    stored = nbformat.read(path, as_version=4)
    ran = NotebookClient(nbformat.from_dict(stored.copy()), timeout=120, kernel_name="python3").execute()
    made = 0
    for cell, done in zip(stored.cells, ran.cells, strict=True):
        if cell.cell_type != "code":
            continue
        cell.execution_count, cell.outputs = None, []
        if is_picture(cell):
            figure = next(o.data[FIGURE] for o in done.outputs if FIGURE in o.get("data", {}))
            cell.outputs = [output(drawn(page, figure), cell.metadata["alt"])]
            made += 1
        cell.metadata.pop("execution", None)
    path.write_text(nbformat.writes(stored, indent=1) + "\n", "utf-8")
    return made


def main(*stems: str) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        for path in sorted(FOLDER.glob("*.ipynb")):
            if not stems or path.stem in stems:
                print(f"{path.name}: {make(path, page)} pictures")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
