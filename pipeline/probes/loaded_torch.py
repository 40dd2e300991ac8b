"""What torch holds, where the app has it loaded. Nothing here imports torch or wakes an accelerator."""

import sys
from typing import Any


def loaded() -> Any:
    """The module torch if something has imported it, else None."""
    return sys.modules.get("torch")


def reserved(torch: Any, kind: str, index: int) -> int:
    """Bytes that torch's allocator holds on a device of `kind` (`cuda`, `xpu` …) for this process.

    0 where torch is not loaded or not in use there. torch may be half imported by another thread, and a lost device
    raises whatever it likes: what can't be said counts as 0.
    """
    try:
        module = getattr(torch, kind)
        return int(module.memory_reserved(index)) if module.is_initialized() else 0
    except Exception:  # noqa: BLE001
        return 0
