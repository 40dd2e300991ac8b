"""One line for each request, and an id in it by which a client can name it. Never what was asked or answered."""

import logging
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...pipeline.printable import clean

log = logging.getLogger("gearshift.serving")


class AccessLog:
    """ASGI middleware. An endpoint may leave a few words in `request.state.told`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        began, name, status = time.monotonic(), f"req-{uuid.uuid4().hex}", 500

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        finally:
            client = scope["client"][0] if scope.get("client") else "-"
            told = f" ({state['told']})" if "told" in state else ""
            seconds = time.monotonic() - began
            path = clean(scope["path"])[:200]
            log.info("%s %s %s %d %.3f s%s %s", client, scope["method"], path, status, seconds, told, name)
