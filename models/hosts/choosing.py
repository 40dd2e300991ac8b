"""Which host suits a ladder on this machine."""

import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from ..ladders.ladder import ModelSpec
from . import Host

_IN_WORKERS = ("cpu", "cuda", "auto")


def forks_workers() -> bool:
    """Can this platform fork workers and tell what their pages hold?"""
    return (
        sys.platform == "linux"
        and hasattr(os, "fork")
        and hasattr(socket, "send_fds")
        and Path("/proc/self/smaps_rollup").exists()
        and bool(sys.executable)
    )


def default_host(ladder: Iterable[ModelSpec]) -> Host:
    """Worker processes where they can be forked and every rung runs on the CPU or on CUDA, else this process: what is
    held on other accelerators, only torch of the process that holds it can tell.

    Nothing is started before the first load.
    """
    if forks_workers() and all(spec.device.split(":")[0] in _IN_WORKERS for spec in ladder):
        from .process import ProcessHost

        return ProcessHost(rungs=ladder)
    from .inline import InlineHost

    return InlineHost()
