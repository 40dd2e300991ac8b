"""What a rung is: a checkpoint, how it is run, and for what it is kept."""

import re

import msgspec

from ...pipeline.reading import RefusedError

DTYPES = ("auto", "float32", "bfloat16", "float16")
QUANTISATIONS = ("torchao-int8", "torchao-int4", "bitsandbytes-8bit", "bitsandbytes-4bit")
DEVICES = re.compile(r"cpu|auto|mps|(cuda|xpu)(:\d+)?")


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rung.

    name: unique on the ladder. source: a folder with config.json and safetensors, a GGUF file, or the id of a model
    in the local Hugging Face cache. dtype: what it runs in, `auto` being what it is stored in. quantisation: what
    transformers does to it at the load: `torchao-int8`, `torchao-int4`, `bitsandbytes-8bit`, `bitsandbytes-4bit`.
    device: `cpu`, `cuda:0` …, or `auto`, spread over accelerators and RAM as accelerate does. context: tokens to keep
    room for. quality: on any scale, more is better; by default by size and precision. latency: seconds within which
    a reply should come. need: bytes by pool, all in, of what a load of the app's own makes: then no file is read, and
    `source` is whatever that load takes. What a load is measured to take counts where it is more.
    """

    name: str
    source: str
    dtype: str = "auto"
    quantisation: str | None = None
    device: str = "cpu"
    context: int = 2048
    quality: float | None = None
    latency: float | None = None
    need: dict[str, int] = {}

    @property
    def pool(self) -> str:
        """The pool that its weights go to; for `auto`, the one that it falls back to."""
        if self.device in ("cpu", "auto"):
            return "ram"
        return f"{self.device}:0" if self.device in ("cuda", "xpu") else self.device

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import record_html

        return record_html(self)


class LadderError(RefusedError):
    """A ladder that can't be used: names the file, the key, the value and the remedy."""
