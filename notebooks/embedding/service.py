"""An asyncio service: POST /chat streams events, GET /state tells rung and notices (`pip install 'gearshift[serve]'`).

To change: events, limits, who may reach it. Run `python notebooks/embedding/service.py [LADDER]`, and try
    curl -N localhost:8000/chat -H 'Content-Type: application/json' -d '{"message": "What is gravity?"}'
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import Body, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from gearshift.models import Busy, ModelManager, ReplyStream


def event(kind: str, **data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


async def events(first: asyncio.Future[str], stream: ReplyStream) -> AsyncIterator[str]:
    async with stream:  # a client that leaves ends this generator, and with it the model's work
        try:
            yield event("text", text=await first)
            async for piece in stream:
                yield event("text", text=piece)
            if reply := stream.reply:
                yield event("end", rungs=reply.rungs, degraded=reply.degraded, end=reply.end, tokens=reply.tokens)
        except (RuntimeError, TimeoutError, ValueError) as error:  # such as NoRungFits; what was sent stands
            yield event("error", reason=str(error))


def service(manager: ModelManager) -> FastAPI:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with manager:  # shut down with the service
            yield

    app, notices = FastAPI(lifespan=life), deque[str](maxlen=10)
    manager.notices.subscribe(lambda notice: notices.append(str(notice)))  # on a thread of gearshift's

    @app.post("/chat")
    async def chat(message: str = Body(max_length=4000), conversation: str = Body("default")) -> StreamingResponse:
        stream = manager.stream_response(message, conversation, timeout=300)
        first = asyncio.ensure_future(anext(stream, ""))
        await asyncio.wait([first], timeout=0.1)  # a full queue is told at once, all else in the events
        if first.done() and isinstance(error := first.exception(), Busy):
            raise HTTPException(503, str(error), {"Retry-After": "5"})
        return StreamingResponse(events(first, stream), media_type="text/event-stream")

    app.get("/state")(lambda: {"rung": manager.rung, "notices": list(notices)})
    return app


if __name__ == "__main__":
    uvicorn.run(service(ModelManager(*sys.argv[1:], queue=4)), port=8000, timeout_graceful_shutdown=5)
