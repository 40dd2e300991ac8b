"""`gearshift chat`: talk with the best rung that fits."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .ending import fail
from .options import UserLadder


def chat(
    ladder: UserLadder = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="A system prompt.")] = None,
    max_tokens: Annotated[int, typer.Option(metavar="N", min=1, help="Of each reply.")] = 512,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="For each reply, waiting included; else no limit.")
    ] = None,
    restore: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on with what /save kept in this file.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell of every decision and shift too.")] = False,
) -> None:
    """Talk with the best rung that fits; the prompt names it, and what you should know is told between the turns.

    Ctrl-C cancels a reply and keeps what was said; twice, or Ctrl-D, ends the chat. /help lists what else it can do.
    With a pipe as its input each line is a question: answers go to stdout, all else to stderr.

    Exit codes: 0 ended, 1 the chat can't begin or a piped question got no answer, 2 wrong usage, 130 interrupted.
    """
    from ...pipeline.configuring import SettingsError
    from ..ladders.ladder import LadderError
    from ..manager import ModelManager
    from ..replies.generation import Options
    from ..replies.limits import Limits
    from ..replies.saved_conversations import ConversationError
    from .chat_between import Between
    from .chat_session import Session

    try:
        Limits(timeout=timeout)
    except ValueError as error:
        fail("chat", f"--timeout: {error}", 2)
    with Between(verbose=verbose) as between:
        try:
            manager = ModelManager(ladder, system=system)
        except (LadderError, SettingsError) as error:
            fail("chat", error)
        with manager:
            between.follow(manager)
            try:
                if restore is not None:
                    manager.restore(restore)
            except ConversationError as error:
                fail("chat", error)
            session = Session(manager, between, Options(max_new_tokens=max_tokens), timeout)
            code = session.run(talking=sys.stdin.isatty() and sys.stdout.isatty())
    raise typer.Exit(code)
