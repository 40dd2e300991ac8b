import subprocess
import sys

import pytest
from gearshift.pipeline import ProactiveScaler, Settings
from reactivex import Subject


def test_outside_a_notebook_it_says_what_to_do_instead() -> None:
    with pytest.raises(RuntimeError, match="in a terminal, run: gearshift watch"):
        ProactiveScaler(settings=Settings(), source=Subject()).watch()


def test_a_window_that_is_not_above_0_is_refused() -> None:
    with pytest.raises(ValueError, match="window must be .*above 0, got window=0"):
        ProactiveScaler(settings=Settings(), source=Subject()).watch(0)


def test_without_anywidget_it_names_the_remedy() -> None:
    code = """
import sys
sys.modules["anywidget"] = None
from types import SimpleNamespace
import IPython.core.getipython as found
found.get_ipython = lambda: SimpleNamespace(kernel=True)
from gearshift.pipeline import ProactiveScaler, Settings
from reactivex import Subject
try:
    ProactiveScaler(settings=Settings(), source=Subject()).watch()
except ImportError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == (
        "scaler.watch() needs anywidget, which is not installed; run: pip install 'gearshift[notebooks]'\n"
    )
