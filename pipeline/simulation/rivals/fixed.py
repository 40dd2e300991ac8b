"""One rung for ever: what most programs that load a model do."""

from .rival import Rival, Wanted


class AlwaysLargest(Rival):
    """Loads the best rung at once, fit or not, and again whenever it was killed.

    Source: `transformers` and every script around `from_pretrained`; the upper end of what a fixed choice can reach.
    """

    name = "always largest"

    def on_sample(self, time: float) -> Wanted:  # noqa: ARG002
        return self.ladder[0]


class AlwaysSmallest(Rival):
    """Loads the last rung at once, fit or not, and again whenever it was killed. Source: the careful fixed choice."""

    name = "always smallest"

    def on_sample(self, time: float) -> Wanted:  # noqa: ARG002
        return self.ladder[-1]
