"""The HTTP face of a fleet: that of `gearshift serve`."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle

from ..serving.app import create_app
from .fleet import fleet_inside


@serve.ingress()
class Ingress:
    """Answers OpenAI's clients, whatever node writes the reply.

    Args:
        assistant, state: handles of the fleet.
        more: as for `create_app` of `gearshift.models.serving`.
    """

    def __init__(self, assistant: DeploymentHandle, state: DeploymentHandle, more: Mapping[str, Any]) -> None:
        self._assistant, self._state, self._more = assistant, state, more

    async def __serve_build_asgi_app__(self) -> FastAPI:
        self._fleet = await fleet_inside(self._assistant, self._state)
        return create_app(self._fleet, **self._more)

    async def __del__(self) -> None:
        if hasattr(self, "_fleet"):
            await asyncio.to_thread(self._fleet.close)
