"""What is asked and told on top of the picture."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

_CSS = """
{name} { align: center middle; background: transparent; }
{name} #box { width: 80; max-width: 100%; height: auto; max-height: 100%; border: round ansi_default; padding: 0 1;
    background: ansi_default; color: ansi_default; }
"""

_KEYS = """\
space           pause, and go on
+  -  w         a longer window, a shorter one, the next one
m               mark this moment with a few words
up  down        scroll the decisions
q  ctrl-c       quit
"""

_SEEKING = """\
left  right     10 s back, 10 s on; with shift a minute
pgup  pgdn      a tenth of the recording back, on
home  end       to its beginning, to its end
<  >            half as fast, twice as fast
"""

_SIGNS = """
Bar: others solid, then ours shaded. Below it ^ is where use may come to, L
what growth stays below, H the ceiling, C critical.
Plot: the same over the window, ours on top; dots are the bound, the line
the ceiling.
Rung: its place on the ladder, 1 the best, - nothing, ~ a shift under way.
Events: u up, d down, s unload, m mark. Sizes are in GiB."""


class Help(ModalScreen[None]):
    """Keys and signs; any key closes it."""

    CSS = _CSS.replace("{name}", "Help")

    def __init__(self, *, recorded: bool) -> None:
        super().__init__()
        self._text = _KEYS + (_SEEKING if recorded else "") + _SIGNS + "\n\nAny key closes this."

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Static(self._text, markup=False), id="box")

    def on_key(self) -> None:
        self.dismiss()


class AskMark(ModalScreen[str | None]):
    """Asks for the words of a mark; None where there are none."""

    CSS = _CSS.replace("{name}", "AskMark") + (
        "AskMark #box Input { border: none; height: 1; padding: 0; background: ansi_default; color: ansi_default; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "leave it")]

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def compose(self) -> ComposeResult:
        words = Input(placeholder="what happened", max_length=200)
        words.cursor_blink = False
        told = Static(f"Mark {self._where}; enter keeps it, escape leaves it", markup=False)
        yield Vertical(told, words, id="box")

    def on_input_submitted(self, entered: Input.Submitted) -> None:
        self.dismiss(entered.value.strip() or None)
