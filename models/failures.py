"""How loading and answering fail, as errors that carry text and no traceback of what they came from."""


class LoadError(RuntimeError):
    """A rung that did not load, with the reason as text (a kept traceback would keep its tensors alive).

    out_of_memory: memory was what it lacked.
    """

    def __init__(self, reason: str, *, out_of_memory: bool = False) -> None:
        super().__init__(reason)
        self.out_of_memory = out_of_memory


class ModelError(RuntimeError):
    """A rung failed while it answered. What it had streamed by then stands, and another rung can go on."""


class OutOfMemory(ModelError):
    """Memory was what it lacked."""


class WorkerLost(ModelError):
    """Its worker process is gone: killed, crashed, or hung and ended."""
