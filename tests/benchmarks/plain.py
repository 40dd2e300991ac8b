"""Plain transformers in a fresh process, to compare with: prints one JSON object.

`python -m tests.benchmarks.plain FOLDER TOKENS`: seconds of `from_pretrained` and the first forward pass after all
imports (the least of three), seconds until the first token of a chat, and tokens a second of a greedy reply.
"""

import json
import sys
import threading
import time
from typing import Any

QUESTION = [{"role": "user", "content": "Tell me what gravity is, and who discovered it."}]
TURNS = 3


def measured(folder: str, tokens: int) -> dict[str, float]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer

    def load() -> tuple[Any, Any, float]:
        began = time.perf_counter()
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        inputs = tokenizer.apply_chat_template(
            QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            model(**inputs)
        return (model, tokenizer), inputs, time.perf_counter() - began

    load()  # imports what is left to import
    *_, loaded = min((load() for _ in range(TURNS)), key=lambda each: each[-1])
    (model, tokenizer), inputs, _ = load()

    def reply(count: int) -> tuple[float, float]:
        """Seconds until the first piece of text, and in all."""
        stream = TextIteratorStreamer(tokenizer, skip_prompt=True)
        asked: dict[str, Any] = {**inputs, "max_new_tokens": count, "min_new_tokens": count, "do_sample": False}
        writer = threading.Thread(target=model.generate, kwargs={**asked, "streamer": stream})
        start = time.perf_counter()
        writer.start()
        next(iter(stream))
        first = time.perf_counter() - start
        writer.join()
        return first, time.perf_counter() - start

    first, _ = reply(8)
    whole = min(reply(tokens)[1] for _ in range(TURNS))
    return {"load": loaded, "first": first, "rate": tokens / whole}


if __name__ == "__main__":
    import torch  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer  # noqa: F401

    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
