"""Where models and caches are, as a user, or a variable, says it."""

import os
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """With `~` as the user's home; as it is where nobody has that home, or could."""
    try:
        return Path(path).expanduser()
    except (RuntimeError, ValueError):
        return Path(path)


def there(path: Path) -> bool:
    """Is anything at this path? Nothing is at one that is too long, or holds a NUL."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def user_cache() -> Path:
    """By the variable for it, else in the user's home; who has none, has it at the root, as in a container."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return expanded(named)
    home = expanded("~")
    return (home if home.is_absolute() else Path("/")) / ".cache"


def hub_cache() -> Path:
    """The folder of the local Hugging Face cache, by the variables that huggingface_hub goes by."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if named := os.environ.get(name):
            return expanded(os.path.expandvars(named))
    if home := os.environ.get("HF_HOME"):
        return expanded(os.path.expandvars(home)) / "hub"
    return user_cache() / "huggingface" / "hub"
