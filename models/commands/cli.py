"""The command `gearshift`: one function a file, each of which imports what it works with when it is called."""

from collections.abc import Callable
from typing import Annotated

import typer

from .chat import chat
from .demo import demo
from .doctor import doctor
from .ending import in_good_order
from .plan import plan
from .record import record
from .replay import replay
from .report import report
from .serve import serve
from .settings import settings
from .simulate import simulate
from .tiers import tiers
from .tune import tune
from .watch import watch

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gearshift {version('gearshift')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keeps a local language model answering on a machine that it shares with everything else."""


def _add(command: Callable[..., None], short: str, *examples: str) -> None:
    lines = "\n".join(f"  gearshift {command.__name__} {example}".rstrip() for example in examples)
    app.command(command.__name__, short_help=short, epilog=f"\b\nExamples:\n{lines}")(command)


_add(demo, "Watch a real model outlive a shortage, in four minutes.", "", "--recording run.jsonl", "--models-only")
_add(
    chat, "Talk with the best rung that fits.",
    "", '--ladder ladder.toml --system "Answer in one sentence."', "-v --max-tokens 100",
    "< questions.txt > answers.txt",
)  # fmt: skip
_add(
    serve, "The ladder for OpenAI's clients, over HTTP.",
    "", "--ladder ladder.toml --port 0", "--host 0.0.0.0 --api-key-file key.txt",
)  # fmt: skip
_add(
    watch, "What gearshift sees and decides, in this terminal.",
    "", "--ladder ladder.toml --record run.jsonl", "run.jsonl --speed 10",
)  # fmt: skip
_add(
    record, "Keep what the machine goes through.",
    "run.jsonl", "run.jsonl.zst --for 8h --max-size 100M", "run.jsonl --ladder ladder.toml --interval 0.5",
)  # fmt: skip
_add(
    replay, "The decisions on a recording, with their reasons.",
    "run.jsonl", "run.jsonl --ladder ladder.toml --set high=0.9", "run.jsonl --speed 60",
)  # fmt: skip
_add(
    simulate, "What gearshift would have done on a recording.",
    "run.jsonl", "run.jsonl --ladder ladder.toml --set high=0.9", "run.jsonl --json | jq .effective_quality",
)  # fmt: skip
_add(
    report, "All that happened, as one page to look at.",
    "run.jsonl", "run.jsonl --ladder ladder.toml --compare -o report.html",
)  # fmt: skip
_add(
    tune, "Which settings would have served best on it.",
    "run.jsonl", "run.jsonl --ladder ladder.toml --set stabilisation=60",
)  # fmt: skip
_add(plan, "What each rung needs, and whether it fits now.", "", "--ladder ladder.toml --json")
_add(tiers, "What kind of machine this is, and its ceilings.", "", "--tiers mine.toml", "--json")
_add(settings, "The settings that count, and where from.", "", "high", "--describe", "--set high=0.85 --json")
_add(doctor, "What is there, what is missing, what to install.", "", "--json", "> report.txt")


def main() -> None:
    in_good_order(app)
