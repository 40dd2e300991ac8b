"""What a worker costs beside plain transformers in a process of its own, rung by rung, in turns and in the same run.

Plain: `from_pretrained` and a first forward pass, in a fresh thread, of a process with all imported; then `generate`.
"""

import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from gearshift.models import ModelSpec, Options
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.replies.generation import Brake

ROUNDS = 5
QUESTION = [{"role": "user", "content": "Tell me a long story about a lighthouse, a storm and a small boat."}]
LOAD, SPEED, BACK = 1.25, 0.95, 0.99


def in_fresh_thread(call: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def plain() -> None:
    """Answers each line `[source, tokens]` with seconds to load, tokens written, seconds to write."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    def run(source: str, tokens: int) -> tuple[float, int, float]:
        began = time.perf_counter()
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(source, dtype="auto", local_files_only=True).eval()
        with torch.inference_mode():
            model(torch.tensor([[0]]))
        loaded = time.perf_counter() - began
        inputs = tokenizer.apply_chat_template(
            QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        best, count = float("inf"), 0
        for _ in range(2):
            began = time.perf_counter()
            with torch.inference_mode():
                written = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
            best = min(best, time.perf_counter() - began)
            count = written.shape[1] - inputs["input_ids"].shape[1]
        return loaded, count, best

    for line in sys.stdin:
        source, tokens = json.loads(line)
        print(json.dumps(in_fresh_thread(lambda s=source, n=tokens: run(s, n))), flush=True)
        gc.collect()


@contextmanager
def plain_process() -> Iterator[Callable[[str, int], list[float]]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.hosts", "plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        wire = process.stdin, process.stdout

        def ask(source: str, tokens: int) -> list[float]:
            wire[0].write(json.dumps([source, tokens]) + "\n")
            wire[0].flush()
            return json.loads(wire[1].readline())

        yield ask
        process.stdin.close()


def family(host: ProcessHost) -> int:
    """Bytes of this process, the fork server and its workers; what they share counts once."""
    me = psutil.Process()
    server = psutil.Process(host._workers.server(sys.executable).pid)
    return sum(each.memory_full_info().pss for each in (me, server, *server.children()))


def in_worker(host: ProcessHost, source: str, tokens: int) -> dict[str, float]:
    before = family(host)
    began = time.perf_counter()
    model = host.load(ModelSpec(name="rung", source=source))
    loaded = time.perf_counter() - began
    best, count = float("inf"), 0
    for _ in range(2):
        began = time.perf_counter()
        written = model.generate(QUESTION, "", Options(max_new_tokens=tokens), lambda _: None, Brake())
        best, count = min(best, time.perf_counter() - began), written.tokens
    began = time.perf_counter()
    freed = host.unload("rung", model)
    return {
        "load": loaded,
        "tokens": count,
        "write": best,
        "unload": time.perf_counter() - began,
        "held": freed.expected,
        "share": freed.got / freed.expected,
        "kept": family(host) - before,
    }


def compare(host: ProcessHost, name: str, source: str, tokens: int) -> bool:
    with plain_process() as ask:
        ask(source, tokens)  # imports that only a load brings along
        in_worker(host, source, tokens)
        plains, workers = [], []
        for _ in range(ROUNDS):
            plains.append(ask(source, tokens))
            workers.append(in_worker(host, source, tokens))
    load = min(w["load"] for w in workers) / min(p[0] for p in plains)
    speed = max(w["tokens"] / w["write"] for w in workers) / max(p[1] / p[2] for p in plains)
    slowest, share = max(w["unload"] for w in workers), min(w["share"] for w in workers)
    print(
        f"{name:10} load {min(w['load'] for w in workers) * 1e3:6.0f} ms, × {load:.2f} (≤ {LOAD}); "
        f"{max(w['tokens'] / w['write'] for w in workers):6.1f} tokens/s, × {speed:.2f} (≥ {SPEED}); "
        f"unload {slowest * 1e3:4.0f} ms at most (≤ 1000), {share:.1%} of {workers[-1]['held'] / 2**20:.0f} MiB back "
        f"(≥ {BACK:.0%}); app and server {workers[-1]['kept'] / 2**20:+.1f} MiB"
    )
    return load <= LOAD and speed >= SPEED and slowest <= 1 and share >= BACK


def fresh_workers(host: ProcessHost) -> None:
    """Start of a worker, and what it holds while nothing is loaded."""
    python = sys.executable
    starts, private, ends = [], [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        worker = host._workers.begin("idle", python)
        worker.receive()
        starts.append(time.perf_counter() - began)
        private.append(worker.own().used)
        began = time.perf_counter()
        worker.hang_up("was only to be measured")
        worker.ended.wait(10)
        ends.append(time.perf_counter() - began)
        host._workers.forget(worker)
    print(
        f"worker     start {min(starts) * 1e3:.1f} ms (median {sorted(starts)[ROUNDS // 2] * 1e3:.1f}), "
        f"holds {max(private) / 2**20:.1f} MiB of its own, exit {sorted(ends)[ROUNDS // 2] * 1e3:.1f} ms"
    )


def main() -> None:
    host = ProcessHost()
    began = time.perf_counter()
    host.warm()
    while not host._workers.server(sys.executable).ready.wait(1):
        pass
    print(f"server     ready after {time.perf_counter() - began:.1f} s")
    fresh_workers(host)
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        from tests.models.conftest import make_checkpoint

        rungs = [("tiny", str(make_checkpoint(Path(folder) / "tiny", 256)), 100)]
        cache = Path.home() / ".cache" / "gearshift"
        rungs += [(name, str(cache / name), 24) for name in ("bfloat16", "float32") if (cache / name).exists()]
        for rung in rungs:
            holds &= compare(host, *rung)
    calls = 2000
    model = host.load(ModelSpec(name="rung", source=rungs[-1][1]))
    began = time.perf_counter()
    for _ in range(calls):
        host.own()
    print(f"own()      {(time.perf_counter() - began) / calls * 1e6:.1f} µs for a worker")
    host.unload("rung", model)
    host.close()
    sys.exit(0 if holds else "a bar does not hold")


if __name__ == "__main__":
    plain() if sys.argv[1:] == ["plain"] else main()
