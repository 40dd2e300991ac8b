"""Folders that look like those of the kernel."""

from pathlib import Path


def write(folder: Path, **files: str) -> None:
    """Files by name, `__` for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def mounts(proc: Path, *lines: tuple[str, Path, str, str]) -> None:
    """`mountinfo` of (root, mount point, type, options)."""
    text = "".join(
        f"{30 + i} 23 0:{i} {root} {str(point).replace(' ', chr(92) + '040')} rw,relatime - {kind} {kind} {options}\n"
        for i, (root, point, kind, options) in enumerate(lines)
    )
    write(proc / "self", mountinfo=text)
