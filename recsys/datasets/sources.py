"""Where data sets are found: a folder of the user's own, the cache, or a verified download."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from recsys.progress import shows_bars

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Archive:
    """A data set's folder name, which is also its archive's, and the archive's checksum.

    Subclasses add the address, `url`.
    """

    folder: str
    checksum: str  # such as "sha256:696d..."


@dataclass(frozen=True)
class Source:
    """A folder or a .zip of one data set; files are read from it by name."""

    path: Path

    def open(self, name: str) -> IO[bytes]:
        """The file of that name; ValueError if a folder does not hold it."""
        if self.path.is_dir():
            if not (self.path / name).is_file():
                raise ValueError(f"it has no {name}")
            return (self.path / name).open("rb")
        with zipfile.ZipFile(self.path) as archive:
            return io.BytesIO(archive.read(f"{self.path.stem}/{name}"))


def data_folders() -> list[Path]:
    """Folders that may hold data sets, in order: `RECSYS_DATA_DIR`, then the cache."""
    given = os.environ.get("RECSYS_DATA_DIR")
    return [Path(given), cache_folder()] if given else [cache_folder()]


def cache_folder() -> Path:
    """data/cache of the checkout; elsewhere the user's own cache folder."""
    if (REPOSITORY / "pyproject.toml").is_file():
        return REPOSITORY / "data" / "cache"
    import pooch

    return Path(pooch.os_cache("recsys"))


def find_source(archive: Archive, progress: bool) -> Source:
    """The data set from the first of `data_folders` that holds it, or downloaded."""
    for folder in data_folders():
        if (folder / archive.folder).is_dir():
            return Source(folder / archive.folder)
        path = folder / f"{archive.folder}.zip"
        if path.is_file():
            _verify(path, archive.checksum)
            return Source(path)
    return Source(_download(archive.url, archive.checksum, f"{archive.folder}.zip", progress))


def find_file(name: str, checksum: str, url: str, progress: bool) -> Path:
    """A single file, such as "open-bandit/bts/men/men.csv", found in the same way."""
    for folder in data_folders():
        if (folder / name).is_file():
            _verify(folder / name, checksum)
            return folder / name
    return _download(url, checksum, name, progress)


def _verify(path: Path, expected: str) -> None:
    algorithm, digest = expected.split(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if found != digest:
        raise ValueError(
            f"{path} is damaged or incomplete: its {algorithm} is {found}, expected {digest}; "
            "delete it to download it again"
        )


def _download(url: str, checksum: str, name: str, progress: bool) -> Path:
    """Download a file into the cache; a failed download leaves nothing there."""
    import pooch

    path = cache_folder() / name
    downloader = pooch.HTTPDownloader(progressbar=progress and shows_bars(), timeout=30)
    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                url,
                known_hash=checksum,
                fname=path.name,
                path=path.parent,
                downloader=downloader,
            )
        )
    except OSError as error:
        zipped = path.suffix == ".zip"
        step, held = ("unpack it, and", f"{path.stem}/") if zipped else ("and", name)
        raise ConnectionError(
            f"the data set is not found and {url} cannot be reached "
            f"({type(error).__name__}). Download it elsewhere, {step} set "
            f"RECSYS_DATA_DIR to the folder that holds {held}"
        ) from None
