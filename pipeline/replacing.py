"""Files that are whole at every moment, and folders for one user alone."""

import contextlib
import errno
import logging
import os
import secrets
import stat
import time
from pathlib import Path

log = logging.getLogger("gearshift.pipeline")

_ENDING = ".new"
_STALE = 3600.0  # seconds after which an unfinished file has no writer any more
_told: set[str] = set()


def replace_file(path: Path, content: bytes, *, private: bool = False, lasting: bool = False) -> None:
    """Put `content` in the place of what is there: whoever reads meanwhile, or after a writer that was killed, finds
    the old file or the new one, whole. Raises OSError, and then the old one stands.

    A link is replaced, not followed. What is there keeps its rights, and a new file gets the usual ones.

    Args:
        private: for this user alone, whatever the rights were.
        lasting: on the disk before it returns, so that a loss of power leaves one of both too. It may take seconds.
    """
    _sweep(path)
    made = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}{_ENDING}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        if not private:
            _keep_rights(path, made)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def private_folder(path: Path) -> None:
    """Make the folder, and what is missing above it, for this user alone, whatever the umask says. Raises OSError.

    One that is there keeps its rights, as whoever made it may share it on purpose; where others can put files into it
    that is logged once. A link of another user's is refused: it would have us write where they can't.
    """
    try:
        path.mkdir(mode=0o700)
    except FileNotFoundError:
        private_folder(path.parent)
        return private_folder(path)
    except FileExistsError:
        if not path.is_dir():
            raise
        _check(path)
    else:
        path.chmod(0o700)  # an umask may have taken the user's own rights


def _check(folder: Path) -> None:
    trusted = (0, os.geteuid())
    link = folder.lstat()
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in trusted:
        raise PermissionError(errno.EPERM, f"is a link made by user {link.st_uid}; remove it", str(folder))
    found = folder.stat()
    open_to_all, foreign = found.st_mode & stat.S_IWOTH, found.st_uid not in trusted
    if (open_to_all or foreign) and str(folder) not in _told:
        _told.add(str(folder))
        why = "everyone may write to it" if open_to_all else f"it belongs to user {found.st_uid}"
        log.warning("others can change what is remembered in %s, as %s; run: chmod 700, or name another", folder, why)


def _keep_rights(path: Path, made: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        there = path.lstat().st_mode
        if stat.S_ISREG(there):
            made.chmod(stat.S_IMODE(there))


def _sweep(path: Path) -> None:
    """Remove what writers of this file left that were killed."""
    with contextlib.suppress(OSError):  # another has removed it, or it is another user's
        for left in path.parent.iterdir():
            ours = left.name.startswith(f".{path.name[:50]}.") and left.name.endswith(_ENDING)
            if ours and time.time() - left.lstat().st_mtime > _STALE:
                left.unlink()
