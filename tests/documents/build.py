"""Makes the pages of the API: `python -m tests.documents.build build/docs`."""

import shutil
import sys
import types
import warnings
from pathlib import Path

from pdoc import doc, render

from tests.documents.public import public_modules

HERE = Path(__file__).parent


def build(folder: Path) -> list[Path]:
    """Write every page into `folder`, anew, and return their files. A warning of pdoc's is an error."""
    shutil.rmtree(folder, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [path for name, html in _pages().items() for path in [_write(folder / name, html)]]


def _pages() -> dict[str, str]:
    render.configure(docformat="google", template_directory=HERE / "templates", footer_text="gearshift")
    modules = {module.__name__: doc.Module(module) for module in [_root(), *public_modules(), _commands()]}
    pages = {f"{name.replace('.', '/')}.html": render.html_module(page, modules) for name, page in modules.items()}
    return pages | {"index.html": render.html_index(modules), "search.js": render.search_index(modules)}


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _page(name: str, text: str) -> types.ModuleType:
    """A page without code of its own."""
    module = types.ModuleType(name, text)
    module.__all__ = []
    return module


def _root() -> types.ModuleType:
    """The three floors: `gearshift` itself is a namespace, and has no text."""
    return _page("gearshift", (HERE / "front.md").read_text("utf-8"))


def _commands() -> types.ModuleType:
    """What each `gearshift COMMAND --help` prints."""
    import typer
    from gearshift.models.commands.cli import app

    root = typer.main.get_command(app)
    context = root.make_context("gearshift", ["tiers"], terminal_width=90, max_content_width=90)
    parts = [_help("gearshift", root, context)]
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        parts.append(_help(f"gearshift {name}", command, type(context)(command, parent=context, info_name=name)))
    return _page("gearshift.models.commands", "The commands, as `--help` shows them.\n\n" + "\n\n".join(parts))


def _help(title: str, command: object, context: object) -> str:
    return f"## {title}\n\n```text\n{command.get_help(context)}\n```"


if __name__ == "__main__":
    print(f"{len(build(Path(sys.argv[1])))} files in {sys.argv[1]}")
