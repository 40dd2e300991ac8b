"""A plain script: a conversation that goes on, whatever happens to the memory meanwhile.

Run `python notebooks/embedding/script.py [LADDER]`; without a ladder it takes the rungs that `make demo` has made.
To change: QUESTIONS, the system prompt, and where notices go. Replies go to stdout, all else to stderr.
"""

import sys
from functools import partial

from gearshift.models import LadderError, ModelError, ModelManager, NoRungFits, Options, ReplyTimeout

QUESTIONS = ("What is gravity?", "Who described it first?")
OPTIONS = Options(max_new_tokens=100)

tell = partial(print, file=sys.stderr, flush=True)
write = partial(print, end="", flush=True)


def talk(manager: ModelManager) -> None:
    for question in QUESTIONS:
        tell(f"\n> {question}")
        reply = manager.respond(question, options=OPTIONS, on_text=write, timeout=120)
        print()
        tell(f"({reply.tokens} tokens from {' and '.join(reply.rungs)} in {reply.seconds:.1f} s)")


def main(ladder: str | None = None) -> int:
    try:
        with ModelManager(ladder, system="Answer in two sentences.") as manager:  # leaving it gives all memory back
            manager.notices.subscribe(lambda notice: tell(f"\n[{notice}]"))  # only when something was lost
            talk(manager)
    except (LadderError, NoRungFits, ReplyTimeout, ModelError) as error:
        tell(f"\n{error}")  # what had been written by then is on stdout, and in error.partial
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
