"""Text from tokens as they come: each character once, as soon as it is whole."""

from collections.abc import Callable, Sequence

_HALF = "\ufffd"  # what bytes that are no whole character are decoded to
_HALVES = 3  # of a character's four bytes at most three can be waited with, decoded to one mark each
_CONTEXT = 5  # tokens; a decoder drops the space before the first token that it gets, so it gets some of those before


class Pieces:
    """Decodes token by token, in constant time for each.

    What is joined from `add` is the text of the tokens, but for a character that the last ones only begin: it is held
    back until it is whole, and whoever goes on writes it anew.

    Args:
        decode: text of token ids, special tokens left out and nothing tidied.
        before: the tokens that the new ones follow, where text follows text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], before: Sequence[int] = ()) -> None:
        self._decode = decode
        self._known = list(before[-_CONTEXT:])
        self._new: list[int] = []
        self._said = 0  # characters of the new tokens' text

    def add(self, token: int) -> str:
        """What can be told of the text now that `token` has come."""
        self._new.append(token)
        known = self._decode(self._known)
        text = self._decode([*self._known, *self._new])[len(known) :]
        sure = max(len(text.rstrip(_HALF)), len(text) - _HALVES)
        piece = text[self._said : sure]
        self._said = max(self._said, sure)
        if sure == len(text):
            self._known, self._new, self._said = [*self._known, *self._new][-_CONTEXT:], [], 0
        return piece


class Stops:
    r"""Ends a text before the first of some strings; what may be the start of one is held back until that is clear.

    >>> stops = Stops(["\n\nUser:"])
    >>> [stops.add(piece) for piece in ("Yes.\n", "\nUse", " it", "\n\nUser: ")], stops.found, stops.rest()
    (['Yes.', '', '\n\nUse it', ''], True, '')
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def add(self, piece: str) -> str:
        """What can be told now."""
        text = self._held + piece
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        keep = next((n for n in range(min(longest, len(text)), 0, -1) if self._starts(text[-n:])), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return held

    def _starts(self, end: str) -> bool:
        return any(stop.startswith(end) for stop in self._stops)
