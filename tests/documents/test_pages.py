"""The pages show every public name, and nothing raw."""

import re
from pathlib import Path

import pytest
from gearshift.models.commands.cli import app

from tests.documents.public import PAGES, public_modules, public_names


def html(pages: Path, module: str) -> str:
    return (pages / f"{module.replace('.', '/')}.html").read_text("utf-8")


def test_every_public_name_stands_on_its_page(pages: Path) -> None:
    for module in public_modules():
        page = html(pages, module.__name__)
        assert [name for name in public_names(module) if f'<section id="{name}">' not in page] == [], module.__name__


def test_every_page_can_be_reached_from_the_front_by_its_floor(pages: Path) -> None:
    for name in PAGES:
        parent, _, last = name.rpartition(".")
        while not (pages / f"{parent.replace('.', '/')}.html").exists():
            parent, _, above = parent.rpartition(".")
            last = f"{above}/{last}"
        assert f'href="{parent.rpartition(".")[2]}/{last}.html"' in html(pages, parent), name


@pytest.mark.parametrize("module", PAGES)
def test_no_page_shows_markup_instead_of_what_it_means(pages: Path, module: str) -> None:
    page = re.sub(r"<(pre|h6)\b.*?</\1>", "", html(pages, module), flags=re.DOTALL)
    texts = re.findall(r'<div class="docstring">(.*?)</div>', page, flags=re.DOTALL)
    assert texts
    for text in texts:
        plain = re.sub(r"<[^>]*>", "", text)
        assert not re.search(r"::$|&gt;&gt;&gt;|^\s*(?:Args|Raises|Returns):|--\|", plain, re.MULTILINE), plain


def test_a_marble_and_a_session_keep_their_lines(pages: Path) -> None:
    page = html(pages, "gearshift.operators")
    assert page.count("calibrated(horizon=1, alpha=0.5, window=60)\nbounds:  ------b---c---d---e--|") == 1
    assert '<span class="gp">&gt;&gt;&gt; </span><span class="kn">import</span>' in page


def test_fields_and_arguments_are_lists(pages: Path) -> None:
    page = html(pages, "gearshift.pipeline")
    assert "<li><strong>total:</strong> bytes under the tightest limit in force.</li>" in page
    assert re.search(r"Arguments:</h6>\s*<ul>\s*<li><strong>ladder:</strong>", page)


def test_what_an_object_does_when_it_is_called_is_shown(pages: Path) -> None:
    page = html(pages, "gearshift.models.pytest_plugin")
    assert '<div id="AssertGolden.__call__" class="classattr">' in page
    assert "@public" not in page


def test_every_command_is_shown_as_its_help(pages: Path) -> None:
    page = html(pages, "gearshift.models.commands")
    names = [command.name for command in app.registered_commands]
    assert len(names) > 10
    assert [name for name in names if f"Usage: gearshift {name} " not in page] == []


def test_a_name_of_another_floor_is_a_link(pages: Path) -> None:
    assert '<a href="pipeline.html#Settings"><code>Settings</code></a>' in html(pages, "gearshift.models")
