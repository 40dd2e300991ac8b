"""How loading and answering fail, as errors that carry text and no traceback of what they came from."""

import re

_TYPES = ("OutOfMemoryError", "MemoryError")

# What libraries say in errors of general types. Matched in lower case.
_TEXTS = re.compile(
    r"""
    can'?t\ allocate\ memory | cannot\ allocate\ memory | not\ enough\ memory | out\ of\ memory
    | unable\ to\ (?:mmap|allocate|alloc)\b | std::bad_alloc | failed\ to\ allocate | paging\ file\ is\ too\ small
    | cudaerrormemoryallocation | cublas_status_alloc_failed | cudnn_status_alloc_failed
    | cusolver_status_alloc_failed | cusparse_status_insufficient_resources | hiperroroutofmemory
    | \bcublas_status_not_initialized\b  # what creating a handle says when nothing is left for its workspace
    | os\ error\ (?:12|1455)\b | \berrno\ 12\b | invalid\ buffer\ size
    """,
    re.VERBOSE,
)


class LoadError(RuntimeError):
    """A rung that did not load, with the reason as text (a kept traceback would keep its tensors alive).

    out_of_memory: memory was what it lacked.
    """

    def __init__(self, reason: str, *, out_of_memory: bool = False) -> None:
        super().__init__(reason)
        self.out_of_memory = out_of_memory


class ModelError(RuntimeError):
    """A rung failed while it answered. What it had streamed by then stands, and another rung can go on.

    partial: what there was of a reply when this reached its caller; it is in the history too.
    """

    partial: str = ""


class OutOfMemory(ModelError):
    """Memory was what it lacked."""


class WorkerLost(ModelError):
    """Its worker process is gone: killed, crashed, or hung and ended."""


def out_of_memory(error: BaseException, *, pressed: bool = False) -> bool:
    """Was memory what it lacked? Told by the types and texts of the error and of those that led to it.

    pressed: memory was short when it came; then a failed internal check of a library counts too, as half-made
    objects do that.

    >>> out_of_memory(RuntimeError("unable to mmap 1073741824 bytes from file <model.safetensors>"))
    True
    >>> out_of_memory(RuntimeError("x INTERNAL ASSERT FAILED at y")), out_of_memory(KeyError("lm_head.weight"))
    (False, False)
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if any(kind.__name__ in _TYPES for kind in type(link).__mro__):
            return True
        text = str(link).lower()
        if _TEXTS.search(text) or (pressed and "internal assert" in text):
            return True
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return False


class Doubts:
    """Gives each rung the benefit of the doubt once: an error of no known kind, come when memory was short.

    The second time the rung itself is taken to be at fault. Not thread-safe.

    >>> doubts = Doubts()
    >>> [doubts.out_of_memory(KeyError("weight"), "large", pressed=True) for _ in range(2)]
    [True, False]
    """

    def __init__(self) -> None:
        self._given: set[str] = set()

    def out_of_memory(self, error: BaseException, rung: str, *, pressed: bool) -> bool:
        if out_of_memory(error, pressed=pressed):
            return True
        if not pressed or rung in self._given:
            return False
        self._given.add(rung)
        return True

    def settle(self, rung: str) -> None:
        """It has loaded: there is nothing to doubt."""
        self._given.discard(rung)


def told(error: BaseException) -> str:
    """The error as one text, without its type where that says nothing. Keeps nothing of the error."""
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text}" if text else name
