"""Files that only their owner may read: written whole and to the disk before they have their name."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def make_once(path: Path, data: bytes) -> None:
    """Make a file of mode 0600 and its folder, unless it is there; whoever returns from here finds it whole.

    Of several processes that start for the first time at once one wins, and the others read what it has made.

    Raises
    ------
    OSError
        If the folder or the file cannot be made.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write_synced(temporary, data, 0o600)
        os.link(temporary, path)  # fails if another process was faster, where a rename would replace its file
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes, mode: int) -> None:
    """Make a new file and return when the disk has it.

    Raises
    ------
    OSError
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when the disk knows a folder's entries.

    Raises
    ------
    OSError
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
