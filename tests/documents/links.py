"""Links of pages and of Markdown files, and whether anything is there. Nothing is asked of a network."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)
            elif value and name in ("href", "src") and not value.startswith("data:"):
                self.links.append(value)


def links_of(file: Path) -> list[str]:
    """All that it leads to or shows, as it is written there."""
    return _page(file).links


def broken(file: Path, *, root: Path) -> Iterator[str]:
    """The links within the project that lead nowhere, or out of `root`, and others that have no form of a link."""
    file = file.resolve()
    for link in links_of(file):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if parts.scheme != "https" or not re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc):
                yield f"{link}: not https and a host"
            continue
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        if not target.exists() or not target.is_relative_to(root.resolve()):
            yield f"{link}: there is no {parts.path}"
        elif parts.fragment and unquote(parts.fragment) not in _page(target).anchors:
            yield f"{link}: {target.name} has no {parts.fragment}"


@cache
def _page(file: Path) -> _Page:
    text = file.read_text("utf-8")
    return _Page(_rendered(text) if file.suffix == ".md" else text)


def _rendered(text: str) -> str:
    """The page that a forge makes of it: each heading can be led to by its words."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for opening, words in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", words.content.lower()).replace(" ", "-")
            opening.attrs["id"] = slug
    return MarkdownIt().renderer.render(tokens, MarkdownIt().options, {})
