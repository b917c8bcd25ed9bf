"""Files that are whole or not there, and folders that one process at a time writes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def write_text(path: str | Path, text: str) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(draft, 0o666 & ~_umask())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


@contextlib.contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Keep others from writing `folder` meanwhile; ValueError where somebody already does.

    The lock is a file beside the folder with the number of the process that holds it. The system
    itself lets go of it when that process ends, however it ends.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f".{folder.name}.lock"
    with _take(lock, folder) as file:
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            lock.unlink(missing_ok=True)  # before the file is closed: it is still ours


def _take(lock: Path, folder: Path) -> TextIO:
    """The open file of the lock, held."""
    while True:
        file = open(lock, "a+")  # noqa: SIM115 (held beyond this function)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, lock):
                return file
        except BlockingIOError:
            file.seek(0)
            owner = file.read()
            file.close()
            raise ValueError(
                f"process {owner} is already writing {str(folder)!r}; wait for it, or choose "
                "another folder"
            ) from None
        except BaseException:
            file.close()
            raise
        file.close()  # its last owner has just taken it away: look again


def _is_at(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
