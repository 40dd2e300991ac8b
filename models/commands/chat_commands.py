"""What a chat can do beside asking: lines that begin with a slash."""

import re
from difflib import get_close_matches
from pathlib import Path

from ...pipeline.words import counted, gib
from ..ladders.spec import ModelSpec
from ..manager import ModelManager
from ..needs.checkpoint import CheckpointError
from ..replies.saved_conversations import ConversationError
from .chat_between import Between

_COMMAND = re.compile(r"/(\w*)(?:\s+(.*))?")
_HELP = {
    "/help": "this list",
    "/new": "begin anew, without what was said",
    "/save FILE": "keep the conversation in a file",
    "/restore FILE": "go on with one that was kept",
    "/rung": "the ladder, and which rung answers",
    "/quit": "end the chat",
}


class Commands:
    """Carries them out, and tells of it between the turns. ended: /quit was one of them."""

    def __init__(self, manager: ModelManager, between: Between) -> None:
        self._manager, self._between, self.ended = manager, between, False

    def understood(self, line: str) -> bool:
        """Was it a command, if a misspelt one? A path at the beginning of a question is none."""
        found = _COMMAND.fullmatch(line)
        if found is None:
            return False
        name, argument = found[1], (found[2] or "").strip()
        known = [told.split()[0][1:] for told in _HELP]
        if name not in known:
            near = get_close_matches(name, known, 1)
            told = f"did you mean /{near[0]}?" if near else "/help lists what there is"
            self._between.add(f"/{name} is unknown; {told}")
        elif name in ("save", "restore") and not argument:
            self._between.add(f"/{name} wants the name of a file")
        else:
            getattr(self, f"_{name}")(argument)
        self._between.show()
        return True

    def _help(self, _: str) -> None:
        self._between.add("\n".join(f"{command:<14} {does}" for command, does in _HELP.items()))

    def _new(self, _: str) -> None:
        self._manager.forget("default")
        self._between.add("a new conversation")

    def _save(self, path: str) -> None:
        try:
            self._manager.save(Path(path).expanduser())
        except OSError as error:
            self._between.add(f"{path} can't be written: {error.strerror or error}; name another file", "bold red")
        else:
            self._between.add(f"kept in {path}")

    def _restore(self, path: str) -> None:
        try:
            self._manager.restore(Path(path).expanduser())
        except ConversationError as error:
            self._between.add(str(error), "bold red")
        else:
            turns = len(self._manager.history()) // 2
            self._between.add(f"restored, with {counted(turns, 'question')} and answers so far")

    def _rung(self, _: str) -> None:
        width = max(len(spec.name) for spec in self._manager.ladder)
        rung = self._manager.rung
        lines = [f"The ladder of {self._manager.ladder.where}; {rung or 'nothing'} is loaded"]
        for spec in self._manager.ladder:
            lines.append(f"{'>' if spec.name == rung else ' '} {spec.name:<{width}}  {self._need(spec)}")
        self._between.add("\n".join(lines))

    def _need(self, spec: ModelSpec) -> str:
        try:
            need = self._manager.needs.of(spec)
        except CheckpointError as error:
            return str(error)
        known = "measured" if need.measured else "estimated"
        return ", ".join(f"{gib(size)} of {pool}" for pool, size in need.need.items()) + f", {known}"

    def _quit(self, _: str) -> None:
        self.ended = True
