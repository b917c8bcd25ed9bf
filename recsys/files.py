"""Atomic writes: a reader finds the whole new file or folder, or the old one, never half.

Each is written into a temporary folder beside its path, on the same file system, and renamed
into place at the end. "~" is expanded and links are followed. Permissions are those of any new
file: the temporary folder's own, which no other user may read, are not inherited.

A process that is killed leaves its temporary folder behind, and the next write of the same path
removes it. A lock, which the system releases with the process, tells it from one in use.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing can be told from a folder in use, so all is kept
    fcntl = None

SUFFIX = ".draft"  # of temporary folders
AT_FDCWD, EXCHANGE = -100, 2  # of the system calls renameat2 (Linux) and renamex_np (macOS)
NEW, OLD = "new", "old"  # all that a temporary folder holds


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file, replacing an earlier one, and make the folders above it."""
    with atomic_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def atomic_file(path: str | Path, overwrite: bool = True) -> Iterator[Path]:
    """Path of a draft for the block to write; it becomes `path` when the block ends.

    If the block raises, `path` stays as it was. Without `overwrite`, a file that another process
    wrote in the meantime is kept, and the draft dropped.
    """
    path = Path(path).expanduser().resolve()
    with _folder_beside(path) as beside:
        draft = beside / NEW / path.name
        yield draft
        if overwrite:
            os.replace(draft, path)
        else:
            _move_if_absent(draft, path)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Empty draft folder for the block to fill; it becomes `path` when the block ends.

    An earlier folder there is replaced as a whole. If the block or the move raises, `path` stays
    as it was. ValueError if it can never be replaced, see `resolved_folder`.
    """
    path = resolved_folder(path)
    with _folder_beside(path) as beside:
        yield beside / NEW
        if not exchanged(beside / NEW, path):
            _replace_folder(beside / NEW, path, beside / OLD)


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that neither name is ever without one.

    Only Linux and macOS can, and not on each file system: elsewhere, False.
    """
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    paths = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        return libc.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], EXCHANGE) == 0
    if hasattr(libc, "renamex_np"):
        return libc.renamex_np(*paths, EXCHANGE) == 0
    return False


def _replace_folder(draft: Path, path: Path, old: Path) -> None:
    """Move the draft to `path` and an earlier folder to `old`, in two steps."""
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(draft, path)
    except BaseException:
        if old.exists():
            os.replace(old, path)
        raise


@contextlib.contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """Empty folder in the system's temporary folder, for the block; `name` is part of its name.

    Unlike those of `tempfile`, one that a killed process left is removed by the next call.
    """
    with _folder_beside(Path(tempfile.gettempdir()).resolve() / name) as beside:
        yield beside / NEW


def resolved_folder(path: str | Path) -> Path:
    """The folder that `path` names, behind "~" and links.

    A mount point, the working folder and those above it raise ValueError: none can be replaced.
    """
    folder = Path(path).expanduser().resolve()
    if folder.is_mount() or folder in (Path.cwd(), *Path.cwd().parents):
        raise ValueError(
            "folder must not be a mount point, the working folder or one above it, "
            f"got {str(path)!r}"
        )
    return folder


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """Locked temporary folder beside `path`, which holds an empty folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    folder, lock = _locked_folder(path)
    try:
        (folder / NEW).mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _close(lock)


def _locked_folder(path: Path) -> tuple[Path, int | None]:
    """A new folder beside `path` and its lock; again if it was removed before it was locked."""
    while True:
        folder = Path(tempfile.mkdtemp(SUFFIX, f".{path.name}-", path.parent))
        lock = _lock(folder, wait=True)
        if folder.exists():
            return folder, lock
        _close(lock)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left beside `path`, and put back what one had moved away."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}-????????{SUFFIX}"):
        lock = _lock(folder, wait=False)
        if lock is not None and set(os.listdir(lock)) <= {NEW, OLD}:
            if (folder / OLD).exists() and not path.exists():
                os.replace(folder / OLD, path)
            shutil.rmtree(folder, ignore_errors=True)
        _close(lock)


def _lock(folder: Path, wait: bool) -> int | None:
    """Descriptor of the locked folder; None if it is gone, in use, a link or of another user."""
    if fcntl is None:
        return None
    lock = None
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return lock
    except OSError:
        _close(lock)
        return None


def _close(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _move_if_absent(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            os.replace(draft, path)
