"""What a doctor finds, in words that name nobody."""

import getpass
import re
from pathlib import Path
from typing import NamedTuple


class Wanting(NamedTuple):
    """Something that isn't there or doesn't work. remedy: what to install or do."""

    what: str
    remedy: str


class Findings:
    """Facts by name, what is missing, and what is needed and broken. Paths begin at `~` and name no user."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.missing: list[Wanting] = []
        self.broken: list[Wanting] = []

    def tell(self, name: str, what: str) -> None:
        self.facts[name] = nameless(what)

    def miss(self, what: str, remedy: str) -> None:
        """Less can be done without it."""
        self.missing.append(Wanting(nameless(what), nameless(remedy)))

    def break_(self, what: str, remedy: str) -> None:
        """Nothing works without it."""
        self.broken.append(Wanting(nameless(what), nameless(remedy)))


def nameless(text: str, *, home: str | None = None, user: str | None = None) -> str:
    """The text with `~` for the home folder, and `USER` where a path still names the user.

    >>> nameless("/home/ada/.cache and /data/ada/models", home="/home/ada", user="ada")
    '~/.cache and /data/USER/models'
    """
    home = home if home is not None else str(Path.home())
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    user = user if user is not None else _user()
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?![\w.-])", "USER", text) if user else text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
