"""The ASGI app: which path is answered by what, and what stands before them."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ...operators.typing import whole
from ..replies.limits import Limits
from .access import Access, checked_host, checked_key, checked_origin
from .access_log import AccessLog
from .assistant import Assistant
from .chat import Chat
from .errors import ApiError, ClientGone
from .requests import MODEL, check_model

_LEFT = 499
"""What the log says of a client that did not wait for its answer, as nginx does."""


def create_app(
    manager: Assistant,
    *,
    key: str | None = None,
    hosts: Collection[str] | None = None,
    origins: Sequence[str] = (),
    body_limit: int = 1 << 20,
    max_tokens: int = 512,
    timeout: float | None = 600.0,
    keep_alive: float = 10.0,
    metrics: Callable[[str], tuple[bytes, str]] | None = None,
) -> FastAPI:
    """Chat completions and models as OpenAI's clients ask for them, over a `ModelManager` or a fleet of the caller's.

    It answers `POST /v1/chat/completions`, `GET /v1/models`, `GET /v1/models/gearshift` and `GET /health` (200 with a
    rung loaded, else 503; requests wait for one all the same). Run it, or mount it into an app of your own, on the
    event loop of one process. Who may ask is for the app around it to say, or for `key` and `hosts`.

    Args:
        manager: what answers.
        key: what requests must have as `Authorization: Bearer …`, but for /health.
        hosts: names under which it may be asked, without ports, such as "localhost" or "[::1]"; any by default.
        origins: of web pages that may use it, such as "https://example.org"; none by default.
        body_limit: bytes of a request, at most.
        max_tokens: tokens of a reply, where the request says nothing.
        timeout: seconds for a reply, waiting included; None for no limit.
        keep_alive: seconds of silence after which a stream sends a comment, so that nothing between closes it; an
            error that comes sooner than that has a status, a later one is an event.
        metrics: answers `GET /metrics`, given the request's Accept, with a body and its content type, as
            `PrometheusMetrics.exposition` of `gearshift.pipeline.telemetry` does.

    Raises TypeError or ValueError that names a parameter.
    """
    Limits(timeout=timeout)
    whole("body_limit", body_limit, least=1)
    named, pages = None if hosts is None else [*map(checked_host, hosts)], [*map(checked_origin, origins)]
    chat = Chat(
        manager, body_limit=body_limit, max_tokens=whole("max_tokens", max_tokens, least=1), timeout=timeout,
        keep_alive=keep_alive,
    )  # fmt: skip
    routes: list[BaseRoute] = [
        Route("/v1/chat/completions", chat.answer, methods=["POST"]),
        *_model_routes(manager),
        *([_metrics_route(metrics)] if metrics is not None else []),
    ]
    app = FastAPI(title="gearshift", routes=routes, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(ClientGone, _left)
    app.add_exception_handler(HTTPException, _no_such_path)
    app.add_exception_handler(Exception, _mistaken)
    app.add_exception_handler(ApiError, _refused)
    app.add_middleware(Access, key=None if key is None else checked_key(key), hosts=named)
    if pages:
        app.add_middleware(
            CORSMiddleware, allow_origins=pages, allow_methods=["GET", "POST"], allow_headers=["*"],
            expose_headers=["x-request-id", "x-gearshift-rung", "x-gearshift-degraded", "retry-after"],
        )  # fmt: skip
    app.add_middleware(AccessLog)
    return app


def _model_routes(manager: Assistant) -> list[Route]:
    created = int(time.time())

    def told() -> dict[str, Any]:
        rungs = [{"name": spec.name, "context": spec.context} for spec in manager.ladder]
        return {
            "id": MODEL, "object": "model", "created": created, "owned_by": "gearshift", "rungs": rungs,
            "rung": manager.rung,
        }  # fmt: skip

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [told()]})

    async def model(request: Request) -> Response:
        check_model(request.path_params["name"])
        return JSONResponse(told())

    async def health(_: Request) -> Response:
        if manager.rung is None:
            return JSONResponse({"status": "no rung is loaded"}, 503)
        return JSONResponse({"status": "ok"})

    return [Route("/v1/models", models), Route("/v1/models/{name:path}", model), Route("/health", health)]


def _metrics_route(metrics: Callable[[str], tuple[bytes, str]]) -> Route:
    def scraped(request: Request) -> Response:
        body, kind = metrics(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": kind})

    return Route("/metrics", scraped)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body, error.status, error.headers)


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_LEFT)


async def _no_such_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = ApiError(
        error.status_code, f"{request.method} {request.url.path[:200]}: {error.detail}; there are POST "
        "/v1/chat/completions, GET /v1/models and GET /health", code="unknown_url", headers=error.headers,
    )  # fmt: skip
    return JSONResponse(problem.body, problem.status, problem.headers)


async def _mistaken(_request: Request, _error: Exception) -> Response:
    problem = ApiError(500, "the server made a mistake; its log has more", code="internal_error")
    return JSONResponse(problem.body, problem.status)
