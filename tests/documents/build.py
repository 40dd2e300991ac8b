"""Makes the pages of the API: `python -m tests.documents.build build/docs`."""

import re
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context
from pdoc import doc, render, render_helpers
from pygments.formatters import HtmlFormatter

from tests.documents.public import public_modules
from tests.documents.tidying import linked, plain_markdown, tidy
from tests.documents.written import commands, front

TEMPLATES = Path(__file__).parent / "pages"

_SHORTER = re.compile(r"(?<![\w.])(?:typing|builtins|pathlib(?:\._local)?|collections\.abc)\.(?=[A-Z])")
_SPELLED = re.compile(r'(?<!">\.</span>)<span class="n">(?:typing|pathlib)</span><span class="o">\.</span>')
_OBSERVABLE = re.compile(r'(?:observable\.|<span class="n">observable</span><span class="o">\.</span>){2}')

_to_markdown: Callable[[Context, str], str] = render.env.filters["to_markdown"]


def build(folder: Path) -> list[Path]:
    """Write every page into `folder`, anew, and return their files. A warning of pdoc's is an error."""
    shutil.rmtree(folder, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [_write(folder / name, text) for name, text in _pages().items()]


def _pages() -> dict[str, str]:
    render.configure(docformat="google", template_directory=TEMPLATES, footer_text="gearshift")
    render.env.globals["dark_code"] = HtmlFormatter(style="github-dark").get_style_defs(".pdoc-code")
    render.env.filters["to_markdown"] = _markdown
    render_helpers.formatter = HtmlFormatter(
        cssclass=render_helpers.formatter.cssclass
    )  # without a link for every line
    pages = {module.__name__: doc.Module(module) for module in [front(), *public_modules(), commands()]}
    tidy(pages)
    made = {f"{name.replace('.', '/')}.html": _shorter(render.html_module(page, pages)) for name, page in pages.items()}
    return made | {"index.html": render.html_index(pages), "search.js": render.search_index(pages)}


@pass_context
def _markdown(context: Context, text: str) -> str:
    return _to_markdown(context, linked(plain_markdown(text), context["module"], context["all_modules"]))


def _shorter(html: str) -> str:
    """Names of types as people write them, not where they are defined: in text, and in signatures."""
    for long in (_SHORTER, _SPELLED, _OBSERVABLE):
        html = long.sub("", html)
    return html


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


if __name__ == "__main__":
    print(f"{len(build(Path(sys.argv[1])))} files in {sys.argv[1]}")
