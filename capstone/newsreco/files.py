"""Before files are written: a lock, a check that they can be, temporary files of our own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from recsys import validation
from recsys.files import temporary_folder


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
        Path(lock.lock_file).unlink(
            missing_ok=True
        )  # while it is held; filelock ignores a file without a name
        lock.release()


def check_writable(path: str | Path, folder: bool = False) -> None:
    """ValueError if a file, or with `folder` files in a folder, cannot be written at `path`.

    Folders above it that do not exist yet will be made, so that the nearest one that exists must
    take a new file. It is tried and not asked: a file system may be read-only. Nothing is left.
    """
    path = validation.path("path", path).resolve()
    if path.exists() and path.is_dir() != folder:
        kinds = ("folder", "file") if folder else ("file", "folder")
        raise ValueError(f"must be a {kinds[0]}, and {str(path)!r} is a {kinds[1]}")
    folders = [path, *path.parents] if folder else path.parents
    try:
        with tempfile.TemporaryFile(dir=next(one for one in folders if one.exists())):
            pass
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def own_temporary_files() -> Iterator[None]:
    """In the block, the temporary files of all libraries lie in one folder.

    If the process is killed, the next call removes that folder, unlike what `tempfile` leaves. The
    setting is the whole process's, so this is for commands.
    """
    with temporary_folder("newsreco") as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before
