"""A chat completion as it is asked for: OpenAI's fields to messages and options of ours."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ..replies.conversation import Message
from ..replies.generation import Options
from .errors import ApiError
from .parameters import check_fields

MODEL = "gearshift"
"""The one id of a model: the ladder, on which the machine chooses the rung."""

_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_Tokens = Annotated[int, Meta(ge=1, le=1_000_000)]
_Fraction = Annotated[float, Meta(gt=0, le=1)]


class Part(msgspec.Struct, frozen=True):
    """A piece of a message's content."""

    type: str
    text: str | None = None


class ChatMessage(msgspec.Struct, frozen=True):
    """One message. Fields that it does not have are notes of clients, and ignored."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: Any = None
    function_call: Any = None
    audio: Any = None


class StreamOptions(msgspec.Struct, frozen=True):
    """include_usage: a last chunk tells how many tokens were read and written."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """temperature: 0, greedy, by default, and not 1 as OpenAI's: small rungs wander at 1. It is 1 where only another
    field of sampling is given, as that would have no effect else. top_k, min_p, repetition_penalty: as transformers
    has them. max_tokens: the old name of max_completion_tokens.
    """

    model: str
    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: _Fraction | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=10)] | None = None  # by less, logits are infinite
    stop: str | Annotated[list[str], Meta(max_length=16)] | None = None
    seed: int | None = None

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


_KNOWN = frozenset(ChatRequest.__struct_fields__)


def chat_request(body: Any) -> ChatRequest:
    """Raises ApiError: 400 for what can't be used or done, 404 for another model."""
    if not isinstance(body, dict):
        raise ApiError(400, f"the body must be a JSON object, got {type(body).__name__}", code="invalid_value")
    try:
        request = msgspec.convert(check_fields(body, _KNOWN), ChatRequest)
    except msgspec.ValidationError as error:
        raise _unusable(str(error), body) from None
    check_model(request.model)
    if request.stream_options is not None and not request.stream:
        raise _wrong("stream_options", "they are for stream=true; set that, or leave them out")
    longest = {request.max_tokens, request.max_completion_tokens} - {None}
    if len(longest) > 1:
        raise _wrong("max_tokens", "it differs from max_completion_tokens; leave it out")
    return request


def check_model(name: str) -> None:
    if name != MODEL:
        raise ApiError(
            404, f"model={name!r:.80} is none of those here: there is {MODEL!r}, on whose ladder the machine chooses "
            "the rung; no rung can be asked for by name", param="model", code="model_not_found",
        )  # fmt: skip


def messages_of(request: ChatRequest) -> list[Message]:
    """Chat messages of texts only, the system's first and in one. Raises ApiError that names what else there is."""
    system: list[str] = []
    turns: list[Message] = []
    for at, message in enumerate(request.messages):
        where = f"messages[{at}]"
        if message.role not in ("system", "developer", "user", "assistant"):
            told = "models here call no tools" if message.role in ("tool", "function") else "there is no such role"
            raise _wrong(
                f"{where}.role", f"got {message.role!r:.80}: {told}; take system, developer, user or assistant"
            )
        for name in ("tool_calls", "function_call", "audio"):
            if getattr(message, name):
                raise _wrong(f"{where}.{name}", "models here read and write only text; leave it out")
        text = _text(f"{where}.content", message.content)
        if message.role in ("system", "developer"):
            system.append(text)
        else:
            turns.append({"role": message.role, "content": text})
    if not turns or turns[-1]["role"] != "user":
        raise _wrong("messages", "the last one must be the user's, as it is what is answered")
    return [{"role": "system", "content": "\n\n".join(system)}, *turns] if system else turns


def options_of(request: ChatRequest, max_tokens: int) -> Options:
    """max_tokens: of a reply where the request says nothing. Raises ApiError."""
    sampling = {
        name: getattr(request, name)
        for name in ("top_p", "top_k", "min_p", "repetition_penalty")
        if getattr(request, name) is not None
    }
    drawn = sampling.keys() - {"repetition_penalty"}
    temperature = request.temperature if request.temperature is not None else 1.0 if drawn else 0.0
    if request.seed is not None and temperature > 0:
        raise _wrong(
            "seed", f"got {request.seed} with temperature={temperature:g}: what is drawn can't be repeated; "
            "leave it out, or take temperature=0, which needs none",
        )  # fmt: skip
    stop = (request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ())
    if not all(stop):
        raise _wrong("stop", "it holds an empty text, which is everywhere; leave that out")
    length = request.max_completion_tokens or request.max_tokens or max_tokens
    try:
        return Options(max_new_tokens=length, temperature=temperature, stop=stop, sampling=sampling)
    except ValueError as error:  # all but one too close to 0 is refused before
        raise ApiError(400, str(error), param="temperature", code="invalid_value") from None


def _text(where: str, content: str | list[Part] | None) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        raise _wrong(where, "it is missing; give a text")
    for at, part in enumerate(content):
        if part.type != "text" or part.text is None:
            raise _wrong(
                f"{where}[{at}]", f"got type {part.type!r:.80}: models here read only text; "
                'give {"type": "text", "text": …}',
            )  # fmt: skip
    return "\n".join(part.text or "" for part in content)


def _wrong(param: str, told: str) -> ApiError:
    return ApiError(400, f"{param}: {told}", param=param, code="invalid_value")


def _unusable(reason: str, body: Mapping[str, Any]) -> ApiError:
    """From msgspec's reason, which ends with the path of what is at fault."""
    reason, _, path = reason.partition(" - at `$")
    path = path.removesuffix("`")
    value: Any = body
    for name, at in _STEP.findall(path):
        value = value[name] if name else value[int(at)]
    reason = reason[:1].lower() + reason[1:]
    if not path:
        return ApiError(400, f"the request can't be used: {reason}; give it", code="invalid_value")
    param = path.removeprefix(".")
    shown = f"{value!r:.80}" if "got" not in reason or isinstance(value, (str, int, float)) else "…"
    remedy = "correct it" if param.partition("[")[0] in ("model", "messages") else "correct it or leave it out"
    return ApiError(400, f"{param}={shown} can't be used: {reason}; {remedy}", param=param, code="invalid_value")
