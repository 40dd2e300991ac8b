"""A conversation as the text that a model goes on with."""

from collections.abc import Callable
from typing import Any

from ..replies.conversation import Message
from .templating import limited

_NAMES = {"system": "System", "user": "User", "assistant": "Assistant"}


# beside jinja's own errors, what the expressions of a template raise
_RAISED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class Prompter:
    """Renders conversations by a tokenizer's chat template, or plainly where it has none.

    What was streamed of a reply is put behind the template's opening of an assistant's turn, to the character: where
    the template itself continues a message it may strip it, and a space would be lost or doubled.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def text(self, messages: list[Message], partial: str) -> str:
        """The prompt, up to the last character of `partial`. Raises ValueError when the template refuses it,
        ModelError when it does not end.

        A template without a system role, whether it says so or leaves the text out, gets the system text in front of
        the first question.
        """
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        if self._tokenizer.chat_template is None:
            return _plain(messages) + partial
        if not system.strip():
            return self._rendered(messages) + partial
        try:
            text = self._rendered(messages)
        except ValueError:
            text = ""  # told by the second try, where the system role is not the cause
        if system.strip() not in text:
            text = self._rendered(_without_system(messages, system))
        return text + partial

    def _rendered(self, messages: list[Message]) -> str:
        from jinja2 import TemplateError

        try:
            with limited():
                return self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except (TemplateError, *_RAISED) as error:
            roles = ", ".join(message["role"] for message in messages)
            told = _without_quotes(str(error), messages)
            reason = f"the model's chat template refuses the conversation ({roles}): {told}"
        raise ValueError(reason)


def _without_quotes(text: str, messages: list[Message]) -> str:
    """A template may quote what was said, and errors go into logs, which are to hold none of it."""
    said = {form for m in messages for form in (m["content"], m["content"].strip(), repr(m["content"])[1:-1]) if form}
    for each in sorted(said, key=len, reverse=True):
        text = text.replace(each, "…")
    return text


def _without_system(messages: list[Message], system: str) -> list[Message]:
    turns = [message for message in messages if message["role"] != "system"]
    first = next((i for i, turn in enumerate(turns) if turn["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": system}, *turns]
    merged: Message = {**turns[first], "content": f"{system}\n\n{turns[first]['content']}"}
    return [*turns[:first], merged, *turns[first + 1 :]]


def _plain(messages: list[Message]) -> str:
    """For models without a chat template: `User: …`, a blank line, `Assistant:`."""
    turns = [f"{_NAMES.get(m['role'], m['role'].title())}: {m['content'].strip()}" for m in messages]
    return "\n\n".join([*turns, f"{_NAMES['assistant']}:"])


def plain_stops(tokenizer: Any) -> list[str]:
    """Where a model without a chat template would begin to write the other's turn."""
    return [] if tokenizer.chat_template is not None else [f"\n\n{_NAMES[role]}:" for role in ("user", "system")]


def shortened(partial: str, fits: Callable[[str], bool]) -> str:
    """The longest tail of `partial`, by quarters of it, that fits; empty where none does."""
    while partial and not fits(partial):
        partial = partial[max(1, len(partial) // 4) :]
    return partial
