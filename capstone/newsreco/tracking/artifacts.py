"""Files of runs and versions, found also after the store was moved to another folder.

MLflow keeps the absolute address of each file. Where that is a path that does not exist, the same
path is looked for beside the database: a store is usually moved as a whole.
"""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from newsreco.tracking.client import sqlite_file

FOLDER = "mlartifacts"  # beside the database
MIN_PARTS = 3  # of a path beside the store, so that it holds a random id


def find_files(store: str, location: str, owner: str) -> str:
    """URI of a file or folder: the location, or the same one beside the store.

    Parameters
    ----------
    store : str
        URI of the tracking store.
    location : str
        URI of the file or folder, as the store has it.
    owner : str
        For the error message, such as "version 1 of 'newsreco'".

    Raises
    ------
    ValueError
        If there is nothing at either.
    """
    path, root = local_path(location), store_folder(store)
    if path is None or path.exists():
        return location
    parts = path.parts
    for first in range(1, len(parts) - MIN_PARTS + 1) if root else ():
        if (beside := root.joinpath(*parts[first:])).exists():
            return beside.as_uri()
    place = f"{str(root)!r}, as they lay beside it before" if root else "there"
    raise ValueError(
        f"{owner} has its files in {str(path)!r}, which does not exist: if the store was moved, "
        f"move its files to {place}"
    )


def files_beside(store: str, experiment: str) -> str | None:
    """URI of the folder beside a database where an experiment's files go; None for a server."""
    file = sqlite_file(store)
    return file and (file.absolute().parent / FOLDER / experiment).as_uri()


def check_location(store: str, location: str, experiment: str) -> None:
    """ValueError if an experiment would write its files where the store was before it moved."""
    path, beside = local_path(location), files_beside(store, experiment)
    if path is None or beside is None or location == beside or path.exists():
        return
    if path.parts[-2:] == (FOLDER, experiment):  # made by `files_beside`, in another folder
        raise ValueError(
            f"experiment {experiment!r} keeps its files in {str(path)!r}, which does not exist: if "
            "the store was moved, make that a link to the folder where they are now, or use a new "
            "store"
        )


def local_path(location: str) -> Path | None:
    """The path that a URI names on this machine; None if it is elsewhere."""
    if "://" not in location and Path(location).is_absolute():
        return Path(location)
    parts = urlsplit(location)
    return Path(urllib.request.url2pathname(parts.path)) if parts.scheme == "file" else None


def store_folder(store: str) -> Path | None:
    """The folder of a SQLite store, or of a store of files; None for a server."""
    if file := sqlite_file(store):
        return file.absolute().parent
    path = Path(store).absolute() if ":" not in store else local_path(store)
    return None if path is None else path.parent
