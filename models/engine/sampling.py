"""How a rung chooses its tokens: transformers' GenerationConfig, from the model's own and what was asked."""

import copy
from typing import Any

from ..replies.generation import Options

# Set from `Options`, or kept as streaming one reply needs them.
_OURS = {
    "max_new_tokens": "Options.max_new_tokens",
    "max_length": "Options.max_new_tokens",
    "temperature": "Options.temperature",
    "do_sample": "Options.temperature: above 0 samples",
    "num_beams": "1: a reply is streamed",
    "num_return_sequences": "1: a reply is streamed",
    "return_dict_in_generate": "False: a reply is streamed",
    "eos_token_id": "what the model and its tokenizer say",
    "pad_token_id": "what the model and its tokenizer say",
    "token_healing": "False: what was streamed stands",
    "use_cache": "True",
    "prefill_chunk_size": "what keeps the memory of a long prompt low",
}


def generation_config(model: Any, tokenizer: Any, options: Options, *, tokens: int, chunk: int | None) -> Any:
    """For a reply of at most `tokens` whose prompt is read `chunk` tokens at a time (None: at once).

    Fields that only sampling uses have no effect at temperature 0. Raises ValueError for a field that is unknown,
    not to be set, or has a value that transformers refuses.
    """
    config = copy.deepcopy(model.generation_config)
    for name, value in options.sampling.items():
        if name in _OURS:
            raise ValueError(f"sampling[{name!r}]: can't be set, got {value!r}; it is {_OURS[name]}")
        if name.startswith("_") or name not in type(config)().to_dict():
            raise ValueError(
                f"sampling[{name!r}]: GenerationConfig of transformers has no such field, got {value!r}; correct it "
                "or leave it out"
            )
        setattr(config, name, value)
    sampled = options.temperature > 0
    config.do_sample = sampled
    config.temperature = options.temperature if sampled else 1.0
    if not sampled:
        config.top_p, config.top_k = 1.0, 50  # the values that say nothing: any other is warned about
    config.max_new_tokens, config.max_length, config.prefill_chunk_size = tokens, None, chunk
    config.num_beams = config.num_return_sequences = 1
    config.use_cache, config.return_dict_in_generate = True, False
    ends = end_tokens(model, tokenizer)
    config.eos_token_id = ends or None
    if config.pad_token_id is None:
        config.pad_token_id = ends[0] if ends else 0
    try:
        config.validate(user_set_attributes=set(options.sampling) if sampled else set())
    except (ValueError, TypeError) as error:
        reason = f"sampling={options.sampling!r}: {error}"
    else:
        return config
    raise ValueError(reason)


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a reply: the model's, and the one that the tokenizer's chat template ends turns with."""
    own = model.generation_config.eos_token_id
    own = [] if own is None else own if isinstance(own, list) else [own]
    extra = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
    return list(dict.fromkeys([*own, *extra]))
