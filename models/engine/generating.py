"""A loaded rung's replies: prompt, stream, brake, and errors that leave no memory behind."""

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from ..failures import ModelError, OutOfMemory, out_of_memory, told
from ..ladders.ladder import ModelSpec
from ..replies.conversation import Message, fitted
from ..replies.generation import Brake, Options, Written
from .braking import Braked, brake_prefill
from .decoding import Pieces
from .memory import pressed, trim, unhook
from .prompting import Prompter, plain_stops, shortened
from .sampling import end_tokens, generation_config
from .writing import Writing

# Tokens of a prompt that are read at a time: the working memory of a prefill grows with it, and its time hardly falls.
PREFILL_CHUNK = 256

# What a field of `Options.sampling` with a value that nothing checked makes transformers raise.
_MISUSES = (ValueError, TypeError, AttributeError, LookupError)


class TransformersModel:
    """A loaded rung: generates text, one reply at a time. `close` ends a reply that is being written."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any) -> None:
        self.spec = spec
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._prompter = Prompter(tokenizer)
        self._context: int = min(spec.context, _positions(model) or spec.context)
        self._chunk = PREFILL_CHUNK if model._supports_default_dynamic_cache() else None
        self._turn = threading.Lock()
        self._closing = False

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: Brake,
    ) -> Written:
        """Stream the reply after `partial` into `on_text`; what that raises ends the reply and is raised here.

        Raises ModelError or OutOfMemory, without a traceback that keeps tensors, and ValueError for a message or an
        option that can't be used.
        """
        with self._turn:
            if self._closing:
                raise ModelError(f"{self.spec.name}: it has been unloaded; ask for a reply anew")
            writing = Writing(on_text, brake, lambda: self._closing)
            failure: Exception | None = None
            try:
                self._write(writing, messages, partial, options)
            except Braked:
                failure = writing.error
            except Exception as error:  # noqa: BLE001 - whatever a model raises is told as text, and passed on
                failure = self._failure(error, writing, options)
            if isinstance(failure, OutOfMemory):
                trim()
        if failure is not None:
            raise failure
        return writing.written()

    def close(self) -> None:
        """Brake the reply that is being written, wait until it has stopped, and give the memory back. Idempotent."""
        self._closing = True
        with self._turn:
            model, self._model, self._tokenizer, self._prompter = self._model, None, None, None
            if model is None:
                return
            unhook(model)
            alive = weakref.ref(model)
            del model
            trim(garbage=alive() is not None)  # a cycle holds it

    def _write(self, writing: Writing, messages: list[Message], partial: str, options: Options) -> None:
        import torch

        assert self._prompter is not None
        done = len(self._tokenizer(partial, add_special_tokens=False)["input_ids"]) if partial else 0
        left = options.max_new_tokens - done
        if left <= 0:
            return
        prompt = self._prompt(messages, partial, left)
        left = min(left, self._context - len(prompt))
        config = generation_config(
            self._model,
            self._tokenizer,
            options,
            tokens=left,
            chunk=self._chunk if self._chunk is not None and len(prompt) > self._chunk else None,
        )
        ids = torch.tensor([prompt], device=self._model.device)
        ends = end_tokens(self._model, self._tokenizer)
        stops = [*plain_stops(self._tokenizer), *options.stop]
        writing.begin(prompt, left, ends, Pieces(self._decode, prompt if partial else ()), stops)
        end_brake = brake_prefill(self._model, writing.stopped)
        try:
            with torch.inference_mode():
                self._model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    generation_config=config,
                    streamer=writing.hearing(end_brake),
                    **({"tokenizer": self._tokenizer} if config.stop_strings else {}),
                )
        finally:
            end_brake()
        writing.finish()

    def _prompt(self, messages: list[Message], partial: str, left: int) -> list[int]:
        """The prompt's tokens, with room for the reply: the oldest turns go first, then the start of `partial`.

        A reply may have half of the context at the cost of older turns, and takes what the latest turn leaves.
        """
        room = self._context - min(left, self._context // 2)
        whole = messages
        system = [message for message in messages if message["role"] == "system"]
        latest = [message for message in messages if message["role"] != "system"][-1:]
        for turns, most in ((whole, room), ([*system, *latest], self._context - 1)):
            try:
                return fitted(turns, lambda some: self._ids(some, partial), lambda ids: len(ids) <= most)  # noqa: B023
            except ValueError as error:
                reason = str(error)
        kept = shortened(partial, lambda tail: len(self._ids([*system, *latest], tail)) <= room)
        if not kept:
            raise ValueError(reason)
        return self._ids([*system, *latest], kept)

    def _ids(self, messages: list[Message], partial: str) -> list[int]:
        assert self._prompter is not None
        text = self._prompter.text(messages, partial)
        return self._tokenizer(text, add_special_tokens=self._tokenizer.chat_template is None)["input_ids"]

    def _decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _failure(self, error: Exception, writing: Writing, options: Options) -> Exception:
        """What is raised for `error`: the same in words, without what it holds on to."""
        misused = isinstance(error, (ValueError, TypeError)) and writing.tokens == 0
        if misused and not writing.begun:
            return ValueError(str(error))
        # while transformers made its logits processors; with fields of the app's, at their first use too
        early = misused and not writing.reading
        used = options.sampling and isinstance(error, _MISUSES) and writing.tokens <= 1 and not out_of_memory(error)
        if early and not options.sampling:
            return ModelError(f"{self.spec.name}: its generation_config.json can't be used: {told(error)}")
        if early or used:
            return ValueError(f"sampling={options.sampling!r}, temperature={options.temperature!r}: {error}")
        kind = OutOfMemory if out_of_memory(error, pressed=pressed()) else ModelError
        return kind(f"{self.spec.name}: {told(error)}")


def _positions(model: Any) -> int | None:
    """Tokens that the model's positions reach, where it says so."""
    return getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
