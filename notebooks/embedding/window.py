"""A window that never blocks: type a question, read the reply while it is written, press Escape to cancel it.

Run `python notebooks/embedding/window.py [LADDER]`. To change: the widgets. It is made with Textual, and any GUI goes
the same way: a thread asks, and what comes from it or from gearshift's threads is handed over to the UI's thread
before it touches a widget: by `call_later` here, by a signal in Qt, in tkinter by a queue that `after` looks into.
"""

import sys
from functools import partial
from threading import Event, Thread

from gearshift.models import ModelManager
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Footer, Input, Static


class Window(App[None]):
    CSS = "VerticalScroll { height: 1fr; } Static { padding: 0 1; } #status { background: $boost; }"
    BINDINGS = [("escape", "cancel", "Cancel the reply"), ("ctrl+q", "quit", "Quit")]

    def __init__(self, manager: ModelManager) -> None:
        super().__init__()
        self.manager, self.cancelled, self.talk, self.status = manager, Event(), "", "nothing asked yet"
        manager.notices.subscribe(lambda notice: self.call_later(self.tell, f"\n[{notice}]\n"))

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Static(id="talk", markup=False), can_focus=False)
        yield from (Static(id="status", markup=False), Input(placeholder="Ask something"), Footer())

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()  # keeps the newest words in sight
        self.set_interval(0.2, lambda: self.query_one("#status", Static).update(f"{self.manager.rung}: {self.status}"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self.status != "writing":  # else it stays where it was typed, until the reply is there
            self.cancelled, event.input.value = Event(), ""
            self.tell(f"\n> {event.value}\n", "writing")
            Thread(target=self.ask, args=(event.value, self.cancelled), daemon=True).start()

    def ask(self, question: str, cancelled: Event) -> None:  # on a thread of its own
        try:
            reply = self.manager.respond(question, on_text=partial(self.call_later, self.tell), cancelled=cancelled)
            status = f"{reply.tokens} tokens in {reply.seconds:.1f} s, end: {reply.end}"
        except (RuntimeError, ValueError) as error:  # what was written stays on the screen, and in the history
            status = str(error)
        self.call_later(self.tell, "\n", status)

    def tell(self, text: str, status: str = "") -> None:  # on the UI's thread
        self.talk, self.status = self.talk + text, status or self.status
        self.query_one("#talk", Static).update(self.talk)

    def action_cancel(self) -> None:
        self.cancelled.set()


if __name__ == "__main__":
    with ModelManager(*sys.argv[1:]) as manager:  # leaving it ends a reply in progress, and gives the memory back
        Window(manager).run()
