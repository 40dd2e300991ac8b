"""Records as small fragments of HTML, for notebooks: colours are the page's own, and nothing in them is markup."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from .thinning import kept
from .units import fields_of, label, told

_WIDE, _HIGH = 240, 28  # pixels of a sparkline
_LEFT = 'style="text-align:left"'


def fragment(title: str, *parts: str) -> str:
    """A heading, and under it what is HTML already."""
    return f'<div class="gearshift"><p><strong>{escape(title)}</strong></p>{"".join(parts)}</div>'


def paragraph(text: str) -> str:
    return f'<p style="white-space:pre-wrap;max-width:48em">{escape(text)}</p>'


def listing(items: Sequence[str], *, most: int = 12) -> str:
    """Sentences; those after the first `most` are only counted."""
    shown = "".join(f"<li>{escape(item)}</li>" for item in items[:most])
    more = f"<p>and {len(items) - most} more</p>" if len(items) > most else ""
    return f"<ol>{shown}</ol>{more}" if items else ""


def table(rows: Iterable[Sequence[str]], heads: Sequence[str] = ()) -> str:
    """Rows of text, the first cell of each its heading."""
    head = "".join(f'<th scope="col" {_LEFT}>{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row" {_LEFT}>{escape(first)}</th>'
        + "".join(f"<td {_LEFT}>{escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    above = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<table>{above}<tbody>{body}</tbody></table>"


def record_html(record: Any, *, headline: str = "", fields: Sequence[str] = ()) -> str:
    """A struct or named tuple as a table of what is known, under its class and, if any, a sentence.

    fields: those to show, by default all. What is None, empty, or as it is by default in a record that leaves such
    fields out, is left out.
    """
    config = getattr(record, "__struct_config__", None)
    usual = (
        dict(zip(reversed(record.__struct_fields__), reversed(record.__struct_defaults__), strict=False))
        if config is not None and config.omit_defaults
        else {}
    )
    owner = type(record).__name__
    values = {name: getattr(record, name) for name in fields or fields_of(record)}
    rows = [
        (label(name), told(value, name, owner))
        for name, value in values.items()
        if value not in (None, "", (), {}) and not (name in usual and usual[name] == value)
    ]
    return fragment(owner, paragraph(headline) if headline else "", table(rows) if rows else "")


def sparkline(times: Sequence[float], values: Sequence[float | None], top: float, title: str) -> str:
    """Values from 0 to `top` over time, as high as a line of text; None leaves a gap. title: what it shows."""
    places = kept(times, values, buckets=_WIDE)
    begin, span = times[0], (times[-1] - times[0]) or 1.0
    lines = []
    for read, run in groupby(places, key=lambda place: values[place] is not None):
        if read:
            corners = [_corner((times[at] - begin) / span, (values[at] or 0.0) / top) for at in run]
            lines.append(f'<polyline points="{" ".join(corners if len(corners) > 1 else corners * 2)}"/>')
    return (
        f'<svg role="img" width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}" fill="none" '
        f'stroke="currentColor" stroke-linecap="round"><title>{escape(title)}</title>{"".join(lines)}</svg>'
    )


def _corner(along: float, up: float) -> str:
    return f"{1 + along * (_WIDE - 2):.1f},{_HIGH - 1 - min(1.0, up) * (_HIGH - 2):.1f}"
