"""No link leads nowhere."""

from pathlib import Path

import pytest

from tests.documents.links import broken, links_of

ROOT = Path(__file__).parents[2]
FLOORS = ("operators", "pipeline", "models")
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"{floor}/README.md" for floor in FLOORS))


def test_every_link_of_the_pages_leads_somewhere(pages: Path) -> None:
    files = sorted(pages.rglob("*.html"))
    assert sum(len(links_of(file)) for file in files) > 1000
    assert [(file.name, told) for file in files for told in broken(file, root=pages)] == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_of_the_texts_leads_somewhere(name: str) -> None:
    assert list(broken(ROOT / name, root=ROOT)) == []


def test_the_front_page_leads_to_the_three_floors(pages: Path) -> None:
    floors = {f"gearshift/{floor}.html" for floor in FLOORS}
    assert floors <= set(links_of(pages / "gearshift.html"))


@pytest.mark.parametrize(
    "link", ["other.html", "page.html#nowhere", "#nowhere", "../outside.html", "http://example.org", "https://nohost"]
)
def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, link: str) -> None:
    (tmp_path / "outside.html").write_text("<p>outside</p>")
    root = tmp_path / "pages"
    root.mkdir()
    page = root / "page.html"
    page.write_text(f'<h1 id="here"></h1><a href="#here">x</a><a href="page.html#here">x</a><a href="{link}">x</a>')
    assert [told.partition(": ")[0] for told in broken(page, root=root)] == [link]


def test_a_heading_of_markdown_can_be_led_to(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Add a *host*\n\n[one](#add-a-host) [two](#add-a-probe)\n")
    assert list(broken(page, root=tmp_path)) == ["#add-a-probe: page.md has no add-a-probe"]
