"""`gearshift serve`: the ladder for OpenAI's clients."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .ending import fail
from .options import UserLadder

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from ..manager import ModelManager
    from ..serving.running import Place

_KEY = "GEARSHIFT_API_KEY"
_LONGEST = 4096  # bytes of a file with a key
_DAY = 86_400.0  # seconds; an infinite time can be given to no timer


def serve(
    ladder: UserLadder = None,
    host: Annotated[str, typer.Option(metavar="NAME", help="To listen at; any but this machine needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="To listen at; 0 takes a free one.")] = 8321,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Holds the key that clients must have; else {_KEY}.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another name of this server; repeatable.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Of web pages that may use it; repeatable.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(metavar="N", min=1, help="Of a reply, where the request says none.")] = 512,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, max=_DAY, help="For each reply, waiting included.")
    ] = 600.0,
    queue: Annotated[int, typer.Option(metavar="N", min=0, help="Replies that may wait; more are told 429.")] = 16,
    max_body: Annotated[str, typer.Option(metavar="SIZE", help="Of a request, such as 1MiB.")] = "1MiB",
    grace: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, max=_DAY, help="For replies to end, once told to stop.")
    ] = 30.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every decision too.")] = False,
) -> None:
    """Answer OpenAI's clients at http://HOST:PORT/v1 from the best rung that fits, as the model "gearshift".

    The address stands on stdout once it answers. Requests, notices and warnings are logged on stderr, never what is
    asked or answered. GET /metrics is for Prometheus, where the extra `metrics` is installed. Ctrl-C or SIGTERM lets
    replies end; a second one stops them.

    Exit codes: 0 ended when told to, 1 it can't begin, 2 wrong usage, 128 and the signal's number at a second one.
    """
    from ...pipeline.configuring import SettingsError
    from ...pipeline.quantities import size
    from ..ladders.ladder import LadderError

    try:
        body_limit = size(max_body)
    except ValueError as error:
        fail("serve", f"--max-body: {error}", 2)
    for name in ("fastapi", "uvicorn"):
        if _absent(name):
            fail("serve", f"{name} is not installed; pip install 'gearshift[serve]'")
    _names(allow_host or [], allow_origin or [])
    key = _key(api_key_file)
    where = _place(host, port, key)
    listener = _listener(where)
    from ..manager import ModelManager
    from ..serving.app import create_app
    from ..serving.running import run
    from .serve_log import logged

    with logged(verbose=verbose), listener:
        try:
            manager = ModelManager(ladder, name_rung=False, queue=queue)
        except (LadderError, SettingsError) as error:
            fail("serve", error)
        with manager, _measured(manager) as metrics:
            app = create_app(
                manager, key=key, hosts=_hosts(where, [host, *(allow_host or [])]), origins=allow_origin or [],
                body_limit=body_limit, max_tokens=max_tokens, timeout=timeout, metrics=metrics,
            )  # fmt: skip
            url = f"http://{_in_url(where.address[0])}:{listener.getsockname()[1]}/v1"
            code = run(app, listener, grace=grace, ready=lambda: _ready(url, key), brake=manager.shutdown)
    raise typer.Exit(code)


@contextmanager
def _measured(manager: "ModelManager") -> "Iterator[Callable[[str], tuple[bytes, str]] | None]":
    """What answers a scrape; None where the extra that brings it isn't there."""
    if _absent("prometheus_client"):
        yield None
        return
    from ...pipeline.telemetry import PrometheusMetrics

    metrics = PrometheusMetrics()
    try:
        with metrics.follow(manager):
            yield metrics.exposition
    finally:
        metrics.close()


def _absent(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is None


def _key(file: Path | None) -> str | None:
    """From the file, else the environment: an argument could be read by everyone who lists processes."""
    import os

    from ..serving.access import checked_key

    where = f"--api-key-file: {file}" if file is not None else _KEY
    try:
        key = _text(file) if file is not None else os.environ.get(_KEY)
        return None if key is None else checked_key(key)
    except OSError as error:
        fail("serve", f"{where}: {error.strerror}; name a file that holds the key")
    except ValueError as error:
        told = "it is no text" if isinstance(error, UnicodeDecodeError) else error
        fail("serve", f"{where}: {told}")


def _text(file: Path) -> str:
    """A pipe too, as a shell makes one of what a keeper of secrets prints."""
    with file.open("rb") as opened:
        content = opened.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} bytes, as no key is")
    return content.decode().strip()


def _names(hosts: list[str], origins: list[str]) -> None:
    from ..serving.access import checked_host, checked_origin

    for option, check, given in (("--allow-host", checked_host, hosts), ("--allow-origin", checked_origin, origins)):
        for one in given:
            try:
                check(one)
            except ValueError as error:
                fail("serve", f"{option}: {error}", 2)


def _place(host: str, port: int, key: str | None) -> "Place":
    from ..serving.running import place

    try:
        found = place(host, port)
    except (OSError, UnicodeError) as error:
        fail("serve", f"--host {host}: {error}; give a name or address of this machine", 2)
    if key is None and not found.local:
        fail(
            "serve", f"--host {host} lets other machines in, and there is no key; set {_KEY} or give --api-key-file, "
            "or leave --host out", 2,
        )  # fmt: skip
    return found


def _listener(where: "Place") -> "socket.socket":
    import errno

    from ..serving.running import listening

    try:
        return listening(where)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        remedy = "end what listens there, or take another --port" if taken else "give another --host or --port"
        fail("serve", f"{where.address[0]}, port {where.address[1]}: {error.strerror}; {remedy}")


def _hosts(where: "Place", named: list[str]) -> set[str] | None:
    """Names that may be asked for. A server for other machines has a key, which no web page knows."""
    return {"localhost", "127.0.0.1", "[::1]", _in_url(where.address[0]), *named} if where.local else None


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _ready(url: str, key: str | None) -> None:
    import sys

    shown = "unused" if key is None else "…"
    typer.echo(f"gearshift serves at {url}")
    typer.echo(f'    OpenAI(base_url="{url}", api_key="{shown}").chat.completions.create(')
    typer.echo('        model="gearshift", messages=[{"role": "user", "content": "Hello"}])')
    sys.stdout.flush()
