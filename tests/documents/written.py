"""Pages that are no module of the code: the front, and the commands."""

from pathlib import Path
from types import ModuleType
from typing import Any

FRONT = Path(__file__).parent / "pages" / "front.md"
_WIDTH = 80  # columns


def front() -> ModuleType:
    """The three floors: `gearshift` itself is a namespace, and has no text."""
    return _page("gearshift", FRONT.read_text("utf-8"))


def commands() -> ModuleType:
    """What each `gearshift COMMAND --help` prints."""
    import typer
    from gearshift.models.commands.cli import app

    widths = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    root = typer.main.get_command(app)
    context = root.make_context("gearshift", ["tiers"], **widths)
    parts = ["The commands, as `--help` shows them.", _help("gearshift", root, context)]
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        parts.append(_help(f"gearshift {name}", command, type(context)(command, context, info_name=name, **widths)))
    return _page("gearshift.models.commands", "\n\n".join(parts))


def _help(title: str, command: Any, context: Any) -> str:
    return f"## {title}\n\n```text\n{command.get_help(context)}\n```"


def _page(name: str, text: str) -> ModuleType:
    module = ModuleType(name, text)
    vars(module).update(__all__=[], __docformat__="markdown")
    return module
