"""Files that are whole or not there, and folders that one process at a time writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


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
def locked(folder: str | Path, timeout: float = 0.0) -> Iterator[None]:
    """Keep other processes from writing `folder`; ValueError where one still does after `timeout`.

    The lock is a file beside the folder. The system releases it when the process ends, even if
    the process is killed.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout)
    except Timeout:
        raise ValueError(
            f"another process is writing {str(folder)!r}; wait for it, or choose another folder"
        ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)  # while it is held; filelock ignores a file without a name
        lock.release()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
