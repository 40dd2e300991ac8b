"""An app that is killed, and started again."""

import json
import subprocess
import sys
from pathlib import Path

from gearshift.models import Ladder

APP = """
import sys, time
from gearshift.models import ModelManager, Options

manager = ModelManager(sys.argv[1], cache=sys.argv[2])
print(manager.respond("Hi", options=Options(max_new_tokens=1)).rung, flush=True)
if sys.argv[3] == "stay":
    time.sleep(600)
"""


def test_after_a_kill_it_starts_one_rung_lower_and_after_a_clean_end_at_the_top(ladder: Ladder, tmp_path: Path) -> None:
    file = tmp_path / "ladder.toml"
    tables = [f"[[rung]]\nname = {json.dumps(s.name)}\nsource = {json.dumps(s.source)}\ncontext = 256" for s in ladder]
    file.write_text("\n".join(tables))

    def started(how: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", APP, str(file), str(tmp_path / "cache"), how]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def first_rung(app: "subprocess.Popen[str]") -> str:
        assert app.stdout is not None
        return app.stdout.readline().strip()

    with started("stay") as killed:
        assert first_rung(killed) == "large"
        killed.kill()
    with started("end") as ended:
        assert first_rung(ended) == "medium"
        assert ended.wait(60) == 0
    with started("end") as after:
        assert first_rung(after) == "large"
        assert after.wait(60) == 0
