"""The only file that calls `from_pretrained`: load, check, generate, release, through transformers."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .conversation import Message, fitted
from .failures import LoadError
from .generation import Brake, Options, Written
from .ladder import ModelSpec
from .memory import trim

# Two overlapping loads leave transformers' `tie_weights` a no-op for the rest of the process: one at a time, always.
_LOAD_LOCK = threading.Lock()


class TransformersModel:
    """A loaded rung: generates text, one reply at a time."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any) -> None:
        self.spec = spec
        self._model: Any = model
        self._tokenizer: Any = tokenizer

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: Brake,
    ) -> Written:
        """Stream the reply after `partial` into `on_text`."""
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

        class Brake(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002
                return torch.full((input_ids.shape[0],), brake.stopped, dtype=torch.bool)

        class Stream(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
                if text:
                    on_text(text)

        def tokens(turns: list[Message]) -> Any:
            turns = [*turns, {"role": "assistant", "content": partial}] if partial else turns
            return self._tokenizer.apply_chat_template(
                turns,
                add_generation_prompt=not partial,
                continue_final_message=bool(partial),
                return_tensors="pt",
                return_dict=True,
            )

        done = len(self._tokenizer(partial, add_special_tokens=False)["input_ids"]) if partial else 0
        left = options.max_new_tokens - done
        if left <= 0:
            return Written("length", 0, 0, 0.0, 0.0)
        room = self.spec.context - left
        inputs = fitted(messages, tokens, lambda found: found["input_ids"].shape[1] <= room).to(self._model.device)
        stream = Stream(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        prompt, began = inputs["input_ids"].shape[1], time.monotonic()
        handle = _brake_prefill(self._model, brake)
        try:
            with torch.inference_mode():
                written = self._model.generate(
                    **inputs,
                    max_new_tokens=left,
                    do_sample=options.temperature > 0,
                    **({"temperature": options.temperature} if options.temperature > 0 else {}),
                    streamer=stream,
                    stopping_criteria=StoppingCriteriaList([Brake()]),
                )
        except Braked:
            stream.end()
            return Written("braked", prompt, 0, 0.0, time.monotonic() - began)
        finally:
            handle.remove()
        new = written[0, prompt:].tolist()
        end = "eos" if new and new[-1] in self._ends() else "length" if len(new) >= left else "braked"
        return Written(end, prompt, len(new), 0.0, time.monotonic() - began)

    def _ends(self) -> list[int]:
        ids = self._model.generation_config.eos_token_id
        return ids if isinstance(ids, list) else [ids]

    def close(self) -> None:
        self._model = self._tokenizer = None
        trim()


class Braked(Exception):
    """A generation was told to stop; what it wrote so far stands."""


def _brake_prefill(model: Any, brake: Brake) -> Any:
    """A long prefill ignores stopping criteria; a hook on the input embedding's successor layers does not."""

    def check(*_: Any) -> None:
        if brake.stopped:
            raise Braked

    layers = [m for name, m in model.named_modules() if name.rsplit(".", 1)[-1].isdigit()]
    return _Handles([layer.register_forward_pre_hook(check) for layer in layers])


class _Handles:
    def __init__(self, handles: list[Any]) -> None:
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def prepare() -> None:
    """Import torch and transformers, without the quantisation libraries (a rung that needs one brings it along)."""
    with _LOAD_LOCK:
        import accelerate  # noqa: F401
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, TextStreamer  # noqa: F401


def load_transformers(spec: ModelSpec) -> TransformersModel:
    """Load a rung with its weights faulted in, and prove by one forward step that it works. Raises LoadError."""
    with _LOAD_LOCK:
        try:
            return _load(spec)
        except Exception as error:  # noqa: BLE001 - a broken checkpoint can raise anything; the reason is kept as text
            reason = f"{type(error).__name__}: {error}"
    trim()
    raise LoadError(f"{spec.name}: {reason}")


def _load(spec: ModelSpec) -> TransformersModel:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    original = PreTrainedModel.tie_weights
    tokenizer = AutoTokenizer.from_pretrained(spec.source, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        spec.source, dtype="auto", device_map=None if spec.device == "cpu" else spec.device, local_files_only=True
    ).eval()
    if PreTrainedModel.tie_weights is not original:
        raise RuntimeError("transformers was left with tie_weights patched by an overlapping load; restart the process")
    touched = 0
    for plain in _plain_tensors([*model.parameters(), *model.buffers()]):
        if plain.device.type == "meta":
            raise RuntimeError("some weights were not loaded (left on the meta device)")
        if plain.device.type == "cpu" and plain.is_contiguous() and plain.numel():
            touched += int(plain.detach().reshape(-1).view(torch.uint8)[::4096].sum())
    with torch.inference_mode():
        first = torch.tensor([[tokenizer.bos_token_id or 0]], device=model.device)
        if not bool(torch.isfinite(model(first).logits).all()):
            raise RuntimeError("its first step gave logits that are not finite")
    return TransformersModel(spec, model, tokenizer)


def _plain_tensors(tensors: list[Any]) -> Iterator[Any]:
    """Quantised weights are tensors made of tensors; their parts are what lies in memory."""
    for tensor in tensors:
        data = getattr(tensor, "data", tensor)
        if hasattr(data, "__tensor_flatten__"):
            names, _ = data.__tensor_flatten__()
            yield from _plain_tensors([getattr(data, name) for name in names])
        else:
            yield data


def load_gguf(path: Path) -> tuple[Any, Any]:
    """Model in float32 and tokenizer of a GGUF file, dequantised by transformers (needs the package `gguf`)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with _LOAD_LOCK:
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        return model, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def load_int8(path: Path) -> Any:
    """A checkpoint with its linear weights quantised to int8 by torchao, ready to be saved."""
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import AutoModelForCausalLM, TorchAoConfig

    with _LOAD_LOCK:
        config = TorchAoConfig(Int8WeightOnlyConfig())
        return AutoModelForCausalLM.from_pretrained(path, dtype="auto", quantization_config=config)
