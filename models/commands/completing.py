"""What the shell may complete, found when it asks."""

from collections.abc import Iterator
from pathlib import Path

_ENDINGS = (".jsonl", ".zst", ".csv", ".json", ".parquet", ".log", ".txt", ".prom")


def recordings(incomplete: str) -> Iterator[str]:
    """Folders, and files that may hold samples by their ending, that begin as what was typed does."""
    begun, slash, _ = incomplete.rpartition("/")
    folder = Path(begun + slash).expanduser()
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        told = f"{begun}{slash}{entry.name}"
        if told.startswith(incomplete) and not entry.name.startswith("."):
            if entry.is_dir():
                yield f"{told}/"
            elif entry.name.endswith(_ENDINGS):
                yield told


def settings_keys(incomplete: str) -> Iterator[str]:
    """`KEY=` of each setting, as `--set` takes it."""
    return (f"{key}=" for key in settings_names(incomplete))


def settings_names(incomplete: str) -> Iterator[str]:
    """Each setting by its name."""
    from ...pipeline.configuring import keys

    return (key for key in keys() if key.startswith(incomplete))
