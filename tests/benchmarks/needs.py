"""How near the estimate of each rung's memory is to what it takes: python -m tests.benchmarks.needs

Each rung is loaded in a process forked from one that has torch and transformers imported, as a worker is, and answers
with its whole context filled. Measured is the most that it held meanwhile: its private pages and those of its weights.
Rungs: tiny models made from config, those of `gearshift demo` where they are there, and further folders by argument.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gearshift.models import Ladder, ModelSpec
from gearshift.models.ladders.ladder import CACHE
from gearshift.models.needs.need import MIB, estimate
from gearshift.models.replies.generation import Brake, Options

from ..models.checkpoints import make_checkpoint
from ..models.conftest import SIZES

BOUND = 0.05
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "131072", "TOKENIZERS_PARALLELISM": "false"}
BLANK = "a "


def rungs(folder: Path) -> Iterator[ModelSpec]:
    for name, hidden in SIZES.items():
        made = make_checkpoint(folder / name, hidden, tied=name == "small")
        yield ModelSpec(name=f"tiny {name}", source=str(made), context=1024)
    if (CACHE / "ladder.toml").exists():
        real = Ladder.from_toml(CACHE / "ladder.toml")
        yield from real
        stored = {spec.name: spec for spec in real}
        for name, changes in (
            ("bfloat16", {"dtype": "float32"}), ("float32", {"dtype": "bfloat16"}),
            ("bfloat16", {"quantisation": "torchao-int8"}),
        ):  # fmt: skip
            if name in stored:
                to = next(iter(changes.values()))
                yield ModelSpec(name=f"{name} to {to}", source=stored[name].source, context=1024, **changes)
    for path in sys.argv[1:]:
        yield ModelSpec(name=Path(path).name, source=path, context=1024)


def measured(spec: ModelSpec) -> dict[str, int]:
    """Bytes in a fresh process: held at the end of the load, its peak, and with the context full."""
    import msgspec

    told = msgspec.json.encode(spec).decode()
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, "--in-process", told],
        env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{spec.name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def private() -> int:
    """Bytes that are this process's own, and those of weights that it maps, whoever else may map them just now."""
    found, weights = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        key, _, value = line.partition(":")
        if "-" in key:  # the head of a mapping: its addresses, and at the end its file
            weights = line.endswith((".safetensors", ".gguf"))
        elif key.startswith("Private_") and key != "Private_Hugetlb" or (weights and key == "Shared_Clean"):
            found += int(value.split()[0]) * 1024
    return found


def status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def peak_over(work) -> int:
    """Private bytes at most while `work` runs: those after it, and what was resident in passing."""
    Path("/proc/self/clear_refs").write_text("5")
    work()
    return private() + status("VmHWM") - status("VmRSS")


def in_process(told: str) -> None:
    import gc

    import msgspec
    from gearshift.models.engine.loading import load_transformers, prepare

    prepare()
    gc.collect()
    gc.freeze()
    spec = msgspec.json.decode(told, type=ModelSpec)
    if (worker := os.fork()) != 0:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
    before = private()
    models = []
    peak = peak_over(lambda: models.append(load_transformers(spec)))
    held = private()
    full = peak_over(lambda: answer(models[0], spec))
    print(json.dumps({"held": held - before, "peak": peak - before, "full": full - before}), flush=True)
    os._exit(0)


def answer(model, spec: ModelSpec) -> None:
    """A reply whose prompt and words fill the context, but for a few tokens."""
    per = len(model._tokenizer(BLANK * 100, add_special_tokens=False)["input_ids"]) / 100
    words = int((spec.context - 96) / per)
    written = model.generate(
        [{"role": "user", "content": BLANK * words}], "", Options(max_new_tokens=32), lambda _: None, Brake()
    )
    assert written.prompt > 0.8 * spec.context, written


def main() -> int:
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for spec in rungs(Path(folder)):
            began = time.perf_counter()
            need = estimate(spec).total()
            took = 1e3 * (time.perf_counter() - began)
            seen = measured(spec)
            off = need.need["ram"] / seen["full"] - 1
            wrong += abs(off) > BOUND
            rows.append(
                f"{spec.name:<26}{need.need['ram'] / MIB:9.1f}{seen['full'] / MIB:10.1f}{off:+8.1%}{took:8.1f}"
                f"{need.peak['ram'] / MIB:9.1f}{seen['peak'] / MIB:9.1f}{seen['held'] / MIB:9.1f}"
                f"{need.parts['base'] / MIB:8.1f}{(seen['held'] - need.parts['weights']) / MIB:9.1f}"
            )
            print(rows[-1], flush=True)
    return 1 if wrong else 0


COLUMNS = (("estimate", 9), ("measured", 10), ("off", 8), ("ms", 8), ("at load", 9), ("measured", 9), ("held", 9),
           ("base", 8), ("measured", 9))  # fmt: skip
HEAD = f"{'rung':<26}" + "".join(f"{title:>{width}}" for title, width in COLUMNS)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-process"]:
        in_process(sys.argv[2])
    else:
        print("MiB; estimate against the most that was held with the context full")
        print(HEAD)
        sys.exit(main())
