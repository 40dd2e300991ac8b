"""Colours, for light paper and for dark: told apart by people who see red and green alike, and in grey too."""

from typing import NamedTuple


class Palette(NamedTuple):
    """CSS colours. rungs: best first, from the start again where there are more."""

    paper: str
    ink: str
    faint: str
    external: str
    own: str
    bound: str
    low: str
    high: str
    critical: str
    up: str
    down: str
    shed: str
    nothing: str
    rungs: tuple[str, ...]

    def rung(self, rank: int | None) -> str:
        """Of the rung with this place on the ladder, 0 the best; None for no rung."""
        return self.nothing if rank is None else self.rungs[rank % len(self.rungs)]


LIGHT = Palette(
    paper="#ffffff", ink="#1f2933", faint="#d8dee6", external="#33658a", own="#86bbd8", bound="#b45309", low="#7b8794",
    high="#d97706", critical="#c2185b", up="#0f766e", down="#b45309", shed="#c2185b", nothing="#cbd2d9",
    rungs=("#0f766e", "#5b8def", "#8e6bbf", "#d48a3a", "#b55d7c", "#7a7a52"),
)  # fmt: skip
DARK = Palette(
    paper="#14181d", ink="#e4e7eb", faint="#343c46", external="#7fb2dc", own="#3d6f93", bound="#f0a858", low="#8b97a4",
    high="#f5b041", critical="#ff6f91", up="#4fd1b5", down="#f0a858", shed="#ff6f91", nothing="#4a545f",
    rungs=("#4fd1b5", "#7ea6ff", "#b79be6", "#e8ac6b", "#de8fab", "#b3b382"),
)  # fmt: skip
