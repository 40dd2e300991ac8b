"""The fields of a request that are no use here: hints, which are ignored, and what can't be done, which is refused."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from .errors import ApiError

HINTS = frozenset(
    {
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "prediction", "parallel_tool_calls", "reasoning_effort", "verbosity",
    }
)  # fmt: skip
"""They would not change what the answer says, or are wishes: whatever their value, they are ignored."""

_NO_TOOLS = "models here call no tools; leave it out"
_REPEATS = "use repetition_penalty (1.0: none), or leave it out"
NEUTRAL: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((1,), "there is one answer to a request; ask once for each"),
    "frequency_penalty": ((0,), _REPEATS),
    "presence_penalty": ((0,), _REPEATS),
    "logit_bias": (({},), "tokens differ from rung to rung; leave it out"),
    "logprobs": ((False,), "no probabilities are kept; leave it out"),
    "top_logprobs": ((0,), "no probabilities are kept; leave it out"),
    "tools": (([],), _NO_TOOLS),
    "tool_choice": (("none", "auto"), _NO_TOOLS),
    "functions": (([],), _NO_TOOLS),
    "function_call": (("none", "auto"), _NO_TOOLS),
    "response_format": (({"type": "text"},), "only text is written; leave it out, and ask for a format in words"),
    "modalities": ((["text"],), "only text is written; leave it out"),
    "audio": ((), "only text is written; leave it out"),
    "web_search_options": ((), "nothing is searched for; leave it out"),
    "moderation": ((), "nothing is moderated; leave it out"),
}
"""By field: the values that ask for nothing, and what to do instead of any other. null asks for nothing either."""


def check_fields(body: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields that are known, without those that ask for nothing. Raises ApiError that names the first other."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name in known:
            kept[name] = value
        elif name in NEUTRAL:
            accepted, remedy = NEUTRAL[name]
            if value is not None and value not in accepted:
                raise ApiError(
                    400, f"{name}={value!r:.80} can't be done: {remedy}", param=name, code="unsupported_value"
                )
        elif name not in HINTS:
            near = get_close_matches(name, [*known, *NEUTRAL, *HINTS], 1)
            remedy = f"did you mean {near[0]}?" if near else "leave it out"
            raise ApiError(
                400, f"{name!r:.80} is no field of a request; {remedy}", param=name[:80], code="unknown_parameter"
            )
    return kept
