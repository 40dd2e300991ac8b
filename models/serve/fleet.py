"""The app's one object for a cluster: as `ModelManager`, with models on many nodes."""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from reactivex import Observable, Subject

from ...pipeline.fleet.standing import Standing
from ...pipeline.fleet.view import NodeItem
from ...pipeline.teller import Teller
from ..ladders.ladder import Ladder
from ..replies.answering import Draft
from ..replies.asking import Question
from ..replies.conversation import DEFAULT, Message, checked_question, checked_text
from ..replies.generation import Options, Reply
from ..replies.limits import Limits
from ..replies.streaming import ReplyStream
from ..telling.notices import Notice
from .watching import Watching
from .writing import Writing

log = logging.getLogger("gearshift.serve")

_SOON = 60.0
"""Seconds for the view to answer."""
_KEPT = 15.0
"""Seconds for a turn to be kept, for which its reply waits."""
_AGAIN = 0.2


class Fleet:
    """Asks a fleet that runs as an application of Ray Serve, and watches it. Thread-safe.

    A reply goes to the replica with the best rung that has room. Where its node is lost, or has no room any more,
    another one goes on from the words already given. Conversations are kept in the fleet.

    Args:
        app: the application's name. Ray must be connected (`ray.init`).

    `outlooks`, `decisions`, `residencies` and `standings` are Observables of `NodeItem`: what each node tells, with
    its name. `notices` are those of the nodes that wrote replies asked for here. Raises RuntimeError where there is no
    such application, or Ray is not connected.
    """

    def __init__(self, app: str = "gearshift") -> None:
        if not ray.is_initialized():
            raise RuntimeError("Ray is not connected to a cluster; ray.init('auto') or ray.init(ADDRESS) first")
        try:
            state = serve.get_deployment_handle("State", app_name=app)
            assistant = serve.get_deployment_handle("Assistant", app_name=app)
            about = state.about.remote().result(timeout_s=_SOON)
        except (RayServeException, KeyError, TimeoutError) as error:
            raise RuntimeError(
                f"no fleet answers as the application {app!r}: {error}; start one first: "
                f"serve.run(application(…), name={app!r})"
            ) from None
        self._begin(assistant, state, *about)

    def _begin(self, assistant: DeploymentHandle, state: DeploymentHandle, ladder: Ladder, silence: float) -> None:
        self.ladder, self._state = ladder, state
        self._assistant = assistant.options(stream=True, method_name="stream")
        self._teller = Teller()
        self._noticed: Subject[Notice] = Subject()
        self.notices: Observable[Notice] = self._teller.aside(self._noticed)
        self._watching = Watching(state, silence)
        self.outlooks: Observable[NodeItem] = self._watching.of("outlooks")
        self.decisions: Observable[NodeItem] = self._watching.of("decisions")
        self.residencies: Observable[NodeItem] = self._watching.of("residencies")
        self.standings: Observable[NodeItem] = self._watching.of("standings")

    @property
    def nodes(self) -> dict[str, Standing]:
        """How each node stands, as it was told last, by its name."""
        return self._watching.standings

    @property
    def rung(self) -> str | None:
        """The name of the best rung that answers anywhere now."""
        ready = {standing.rung for standing in self.nodes.values() if standing.ready and standing.assistant}
        return next((spec.name for spec in self.ladder if spec.name in ready), None)

    def respond(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """As `ModelManager.respond`, blocking, on whichever node is best. `on_text` gets pieces from another thread.

        message, conversation_id, options, timeout (seconds, in which a wait for a replica counts too): as there, and so
        are the errors.
        """
        answer = self._answer(message, conversation_id, options, timeout, on_text)
        found: Future[Reply] = Future()
        running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Reply]]] = []

        async def run() -> Reply:
            task = asyncio.ensure_future(answer)
            running.append((asyncio.get_running_loop(), task))
            return await task

        def answered() -> None:
            try:
                found.set_result(asyncio.run(run()))
            except BaseException as error:  # noqa: BLE001 - it is raised where the reply was asked for
                found.set_exception(error)

        threading.Thread(target=answered, name="gearshift-fleet-reply", daemon=True).start()
        try:
            return found.result()
        except BaseException:
            if not found.done():  # an interrupt here: nobody waits for it any more
                for loop, task in running:
                    loop.call_soon_threadsafe(task.cancel)
            raise

    async def generate_response(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """As `ModelManager.generate_response`. Cancelling the task stops the model, wherever it is.

        message, conversation_id, options, timeout (seconds): as there.
        """
        return await self._answer(message, conversation_id, options, timeout, None)

    def stream_response(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        timeout: float | None = None,
    ) -> ReplyStream:
        """As `ModelManager.stream_response`: the reply piece by piece, its `.reply` the whole of it.

        message, conversation_id, options, timeout (seconds): as there.
        """
        rungs: list[str] = []
        return ReplyStream(
            lambda put: self._answer(message, conversation_id, options, timeout, put, rungs),
            lambda: rungs[-1] if rungs else None,
        )

    def history(self, conversation_id: str = DEFAULT) -> list[Message]:
        """The turns of `conversation_id` so far, as chat messages. Blocking, and not for an event loop."""
        return self._state.history.remote(checked_text("conversation_id", conversation_id)).result(timeout_s=_SOON)

    def forget(self, conversation_id: str) -> bool:
        """Drop the history of `conversation_id`. Was there one? Blocking, and not for an event loop."""
        return self._state.forget.remote(checked_text("conversation_id", conversation_id)).result(timeout_s=_SOON)

    def close(self) -> None:
        """Watch no more; the fleet goes on. Idempotent."""
        self._watching.close()
        self._teller.wait()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    async def _answer(
        self,
        message: Question,
        conversation: str,
        options: Options | None,
        timeout: float | None,
        on_text: Callable[[str], None] | None,
        rungs: list[str] | None = None,
    ) -> Reply:
        asked = checked_question(message, conversation)
        draft = Draft(options or Options(), Limits(timeout=timeout), on_text)
        if rungs is not None:
            draft.rungs = rungs
        key = uuid.uuid4().hex
        try:
            async with asyncio.timeout(timeout):
                messages = asked if isinstance(asked, list) else await self._with_history(conversation, asked)
        except TimeoutError:
            raise draft.limits.too_late() if draft.limits.timed_out else self._unseen() from None
        try:
            await Writing(self._assistant, draft, self._noticed.on_next).write(messages)
        except asyncio.CancelledError:
            draft.end = "cancelled"
            raise
        finally:
            if isinstance(asked, str) and (draft.text or draft.end not in ("", "cancelled")):
                await asyncio.shield(asyncio.ensure_future(self._keep(conversation, key, asked, draft.text)))
        return draft.reply(self.ladder[0].name)

    async def _keep(self, conversation: str, key: str, question: str, answer: str) -> None:
        try:
            await self._of_state("add", conversation, key, question, answer, seconds=_KEPT)
        except Exception:  # the reply stands all the same
            log.exception("a turn of a conversation could not be kept, as the fleet's view does not answer")

    async def _with_history(self, conversation: str, question: str) -> list[Message]:
        return [*await self._of_state("history", conversation), {"role": "user", "content": question}]

    @staticmethod
    def _unseen() -> RuntimeError:
        return RuntimeError(
            f"the fleet's view has not answered for {_SOON:g} s, so the conversation can't be read; ask again once the "
            "head is back, or give a whole conversation as chat messages"
        )

    async def _of_state(self, asked: str, *args: Any, seconds: float = _SOON) -> Any:
        """What the view answers, once it is there again where it was lost. Raises TimeoutError, RayError."""
        until = time.monotonic() + seconds
        while True:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    return await getattr(self._state, asked).remote(*args)
            except RayTaskError:
                raise
            except RayError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_AGAIN)


async def fleet_inside(assistant: DeploymentHandle, state: DeploymentHandle) -> Fleet:
    """For a deployment of the same application, on its event loop."""
    made = Fleet.__new__(Fleet)
    made._begin(assistant, state, *await state.about.remote())
    return made
