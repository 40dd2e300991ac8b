"""The same talk without gearshift: one model, loaded once.

python -m tests.survival.exhaustion.naive CHECKPOINT; it ends with its standard input.
"""

import sys
import threading

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from .app import say


def main() -> None:
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    prompt = tokenizer("Go on.", return_tensors="pt")
    number = 0
    while not over.is_set():
        say("asked", number=number)
        written = model.generate(**prompt, max_new_tokens=40)
        say("reply", number=number, tokens=int(written.shape[1]))
        number += 1


if __name__ == "__main__":
    main()
