"""Atomic writes: a reader finds the whole new file or folder, or the old one, never half.

Each is written into a temporary folder beside its path, on the same file system, and renamed
into place at the end. "~" is expanded and links are followed. Permissions are those of any new
file: the temporary folder's own, which no other user may read, are not inherited.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


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
        draft = Path(beside) / path.name
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
        draft, old = Path(beside) / "new", Path(beside) / "old"
        draft.mkdir()
        yield draft
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(draft, path)
        except BaseException:
            if old.exists():
                os.replace(old, path)
            raise


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


def _folder_beside(path: Path) -> tempfile.TemporaryDirectory:
    path.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(
        prefix=f".{path.name}-", dir=path.parent, ignore_cleanup_errors=True
    )


def _move_if_absent(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            os.replace(draft, path)
