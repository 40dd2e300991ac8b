"""Who may ask: under a name that is this server's, and with the key where there is one."""

import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import ApiError

OPEN = "/health"
"""What is told without the key: whether there is a rung, and nothing else."""


class Access:
    """ASGI middleware.

    Args:
        key: what `Authorization: Bearer …` must hold; None lets everyone in.
        hosts: names, without ports, under which it may be asked; None for any. A web page can point a name of its own
            at this machine (DNS rebinding), and would then be let in by the browser.
    """

    def __init__(self, app: ASGIApp, *, key: str | None, hosts: Collection[str] | None) -> None:
        self._app, self._key = app, None if key is None else checked_key(key).encode()
        self._hosts = None if hosts is None else frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await JSONResponse(problem.body, problem.status, problem.headers)(scope, receive, send)

    def _problem(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        name = host_name(headers.get("host", ""))
        if self._hosts is not None and name not in self._hosts:
            return ApiError(
                403, f"host={name!r:.80} is no name of this server; ask it as {' or '.join(sorted(self._hosts))}, "
                "or start it with --allow-host", code="host_not_allowed",
            )  # fmt: skip
        if self._key is None or scope["path"].removeprefix(scope.get("root_path", "")) == OPEN:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._key):
            return None
        told = "the key is wrong" if given else "a key is needed"
        return ApiError(
            401, f"{told}; give the server's as `Authorization: Bearer KEY`, which is api_key= of OpenAI's clients",
            code="invalid_api_key", headers={"www-authenticate": "Bearer"},
        )  # fmt: skip


def host_name(header: str) -> str:
    """Of a Host header, without the port.

    >>> host_name("LOCALHOST:8000"), host_name("[::1]:8000"), host_name("127.0.0.1")
    ('localhost', '[::1]', '127.0.0.1')
    """
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def checked_key(key: str) -> str:
    """Raises ValueError, without the key in it, for one that no header can hold as it is."""
    if not key or not all("!" <= letter <= "~" for letter in key):
        raise ValueError("the key must be one or more visible ASCII characters, without spaces; make another")
    return key


def checked_host(name: str) -> str:
    """Raises ValueError for one that no Host header would be taken to hold."""
    if not name or host_name(name) != name.lower():
        raise ValueError(f'a host must be a name without a port, such as "example.org" or "[::1]", got {name!r:.80}')
    return name


def checked_origin(origin: str) -> str:
    """Raises ValueError for one that no browser sends, which would let nobody in."""
    parts = urlsplit(origin)
    if origin not in ("*", "null") and not (parts.netloc and origin == f"{parts.scheme}://{parts.netloc.lower()}"):
        raise ValueError(f'an origin must be such as "https://example.org", with nothing behind, got {origin!r:.80}')
    return origin
