"""Records real programs on this machine into this folder: `python -m tests.recordings.make [name …]`.

build: gcc compiles the C source of a package from PyPI. model: a child process loads a chat model in float32, generates
and exits, twice. browser: headless Chromium opens pages that hold ever more. leak: a program takes 40 MiB/s until its
memory limit ends it.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gearshift.pipeline import Mark, Sampler, default_probes, live, record
from gearshift.pipeline.sources import event_time
from reactivex import Subject
from reactivex import operators as ops

FOLDER = Path(__file__).parent
INTERVAL = 0.5

MODEL = """
import torch
from gearshift.models.demo.checkpoint import demo_ladder
from transformers import AutoModelForCausalLM
import time
path = next(spec.source for spec in demo_ladder(print) if spec.name == "float32")
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
model.generate(torch.ones((1, 16), dtype=torch.long), max_new_tokens=64)
time.sleep(5)
"""
LEAK = """
import resource, time
resource.setrlimit(resource.RLIMIT_AS, (1600 << 20, 1600 << 20))
kept = []
while True:
    kept.append(b"x" * (4 << 20))
    time.sleep(0.1)
"""
PAGE = "<script>const kept = []; for (let i = 0; i < {}; i++) kept.push(new Array(131072).fill(i + 0.5));</script>"


def build(say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", "--wheel-dir", folder]
        say("gcc begins")
        subprocess.run([*pip, "--no-binary", "regex", "regex"], check=True, stderr=subprocess.DEVNULL)
        say("gcc has ended")


def model(say: Callable[[str], None]) -> None:
    for _ in range(2):
        say("the model is loaded")
        subprocess.run([sys.executable, "-c", MODEL], check=True, stdout=subprocess.DEVNULL)
        say("the model is gone")
        time.sleep(4)


def browser(say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        for count in (100, 300, 600):
            page = Path(folder) / f"{count}.html"
            page.write_text(PAGE.format(count))
            say(f"a page of {count} MiB opens")
            command = [
                "chromium",
                *flags,
                f"--user-data-dir={folder}/{count}",
                "--remote-debugging-port=0",
                page.as_uri(),
            ]
            chromium = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(8)
            chromium.terminate()
            chromium.wait(20)
            say("it is closed")
            time.sleep(2)


def leak(say: Callable[[str], None]) -> None:
    say("the leak begins")
    subprocess.run([sys.executable, "-c", LEAK], check=False, stderr=subprocess.DEVNULL)
    say("its limit has ended it")


PROGRAMS = {"build": build, "model": model, "browser": browser, "leak": leak}


def main(*names: str) -> None:
    for name in names or PROGRAMS:
        path = FOLDER / f"{name}.jsonl"
        path.unlink(missing_ok=True)
        marks: Subject[Mark] = Subject()
        samples = live(Sampler(default_probes()), interval=INTERVAL).pipe(ops.publish())
        with record(samples, path, marks=marks), samples.connect():
            time.sleep(3)
            PROGRAMS[name](lambda text, marks=marks: marks.on_next(Mark(event_time(), text)))
            time.sleep(4)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
