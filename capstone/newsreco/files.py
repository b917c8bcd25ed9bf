"""Files that are whole or not there, and folders that one process at a time writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


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

    The lock is a file beside the folder with the number of the process that holds it. A lock
    whose process is gone is no lock.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f".{folder.name}.lock"
    _take(lock, folder)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path, folder: Path) -> None:
    for _ in range(2):
        try:
            with open(lock, "x") as file:
                file.write(str(os.getpid()))
            return
        except FileExistsError:
            owner = _owner(lock)
            if owner is not None and _runs(owner):
                raise ValueError(
                    f"process {owner} is already writing {str(folder)!r}; wait for it, or choose "
                    f"another folder (if there is no such training, remove {str(lock)!r})"
                ) from None
            lock.unlink(missing_ok=True)
    raise ValueError(f"{str(folder)!r} was taken by somebody else just now; try again")


def _owner(lock: Path) -> int | None:
    """The process that a lock names; None where it names none."""
    try:
        return int(lock.read_text())
    except (OSError, ValueError):
        return None


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
