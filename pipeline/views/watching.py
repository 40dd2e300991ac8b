"""A live cell, where one can be drawn."""

import sys
from typing import TYPE_CHECKING

from ...operators.typing import positive

if TYPE_CHECKING:
    from ..scaler import ProactiveScaler
    from .live_cell import LiveCell


def watch(scaler: "ProactiveScaler", window: float) -> "LiveCell":
    """See `ProactiveScaler.watch`."""
    positive("window", window)
    if not _in_notebook():
        raise RuntimeError("scaler.watch() draws in a notebook, and this is none; in a terminal, run: gearshift watch")
    try:
        from .live_cell import LiveCell
    except ImportError as error:
        if not (error.name or "").startswith(("anywidget", "ipywidgets", "traitlets")):
            raise
        raise ImportError(
            f"scaler.watch() needs {error.name}, which is not installed; run: pip install 'gearshift[notebooks]'",
            name=error.name,
        ) from None
    return LiveCell(scaler, window)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
