"""`gearshift serve` as a process, over the same models."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gearshift.models import Ladder

_COMMAND = [sys.executable, "-c", "from gearshift.models.commands.cli import main; main()", "serve", "--port", "0"]


@contextmanager
def serving(ladder: Ladder, folder: Path) -> Iterator[str]:
    """Its base URL."""
    file = folder / "ladder.toml"
    file.write_text(
        "".join(f'[[rung]]\nname = "{s.name}"\nsource = "{s.source}"\ncontext = {s.context}\n' for s in ladder)
    )
    with subprocess.Popen(
        [*_COMMAND, "--ladder", str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.kill()
