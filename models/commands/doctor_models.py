"""What a doctor sees of models: torch, where they would live, and which there are."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..hosts.choosing import forks_workers
from ..ladders.discover import found_in
from ..ladders.ladder import CACHE, Ladder, LadderError
from ..needs.paths import hub_cache
from .doctor_findings import Findings

_PATIENCE = 120.0
"""Seconds for an import of torch on a slow disk."""

_BACKENDS = """
import torch
kinds = ["cpu"]
kinds += [f"cuda ({torch.cuda.device_count()})"] if torch.cuda.is_available() else []
kinds += ["mps"] if torch.backends.mps.is_available() else []
kinds += [f"xpu ({torch.xpu.device_count()})"] if hasattr(torch, "xpu") and torch.xpu.is_available() else []
print(", ".join(kinds))
"""


def torch_backends(found: Findings) -> None:
    """What torch can compute on, as a process of its own says: an import that crashes is told, too."""
    if importlib.util.find_spec("torch") is None:
        return  # which was told with the packages
    try:
        done = subprocess.run(
            [sys.executable, "-c", _BACKENDS], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        found.tell("torch computes on", f"no answer within {_PATIENCE:.0f} s")
        found.break_("torch can't be imported in time", "see whether the disk is very slow, or install torch anew")
        return
    said = done.stdout.strip() or (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    found.tell("torch computes on", said if done.returncode == 0 else f"nothing: {said}")
    if done.returncode != 0:
        found.break_(f"torch can't be imported: {said}", "pip install --force-reinstall torch")


def host(found: Findings) -> None:
    """Where models would live."""
    if forks_workers():
        found.tell("Models live in", "worker processes of a fork server")
    else:
        found.tell("Models live in", "the app's own process, as workers can't be forked here")
        found.miss("worker processes, which outlive a lack of memory", "Linux with /proc/self/smaps_rollup")


def ladders(found: Findings) -> None:
    """The cache folder, the ladder in it, and the chat models in the Hugging Face cache."""
    problem = _unwritable(CACHE)
    found.tell("Cache folder", f"{CACHE}{f', {problem}' if problem else ''}")
    if problem:
        found.miss(
            f"a cache folder that can be written ({CACHE}: {problem})",
            "its rights mended, or XDG_CACHE_HOME set to another; until then rungs are measured anew in each run",
        )
    file, models = CACHE / "ladder.toml", []
    try:
        models = found_in(hub_cache())
    except OSError as error:
        found.break_(f"{hub_cache()} can't be read: {error.strerror}", "mend its rights, or set HF_HOME")
    try:
        ladder = Ladder.from_toml(file) if file.exists() else None
    except LadderError as error:
        found.tell("Ladder", f"{file}: can't be used")
        found.break_(str(error), f"correct {file}, or remove it")
    else:
        rungs = "none there" if ladder is None else ", ".join(spec.name for spec in ladder)
        found.tell("Ladder", f"{file}: {rungs}")
        if ladder is None and not models:
            found.miss(
                "a ladder, and chat models to find",
                "`gearshift demo --models-only` once, or `hf download` a chat model",
            )
    told = ", ".join(spec.name for spec in models[:8]) + (f" and {len(models) - 8} more" if len(models) > 8 else "")
    found.tell("Chat models", told or f"none in {hub_cache()}, the Hugging Face cache")


def terminal(found: Findings) -> None:
    """What this terminal can show."""
    size = shutil.get_terminal_size()
    kind = f"{size.columns}x{size.lines}" if sys.stdout.isatty() else "none, this goes to a file or pipe"
    colours = "NO_COLOR is set" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "16 or 256 colours"
    found.tell("Terminal", f"{kind}; {os.environ.get('TERM') or 'TERM is unset'}, {colours}, {sys.stdout.encoding}")


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there, or in what of it is there already; nothing where it can."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        return f"not writable: {error.strerror}"
