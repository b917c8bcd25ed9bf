"""MovieLens, a data set of film ratings (Harper and Konstan 2015)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recsys import validation
from recsys.datasets.movielens_sequences import SEQUENCES, load_sequences
from recsys.datasets.sources import Archive, Source, data_folders, find_source
from recsys.interactions import Interactions
from recsys.io import read_csv
from recsys.split import temporal_split

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Release(Archive):
    """A release of MovieLens: its archive, number of ratings and file format."""

    n_ratings: int
    layout: str = "csv"

    @property
    def url(self) -> str:
        return f"https://files.grouplens.org/datasets/movielens/{self.folder}.zip"


# Hashes and counts as published by GroupLens beside each archive.
MOVIELENS = {
    "latest-small": Release(
        "ml-latest-small",
        "sha256:696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        100_836,
    ),
    "100k": Release("ml-100k", "md5:0e33842e24a9c977be4e0107933c0723", 100_000, "100k"),
    "1m": Release("ml-1m", "md5:c4d9eecfca2ab87c1945afe126590906", 1_000_209, "dat"),
    "25m": Release("ml-25m", "md5:6b51fb2759a8657d3bfcbfc42b592ada", 25_000_095),
    "32m": Release("ml-32m", "md5:d472be332d4daa821edc399621853b57", 32_000_204),
}
LIKES = "1m-likes"
LIKES_FOLDER, N_LIKES = "ml-1m-likes", 516_819
LIKES_CUTOFF, LEAST_LIKES = 975_768_738, 5  # of `split_likes`


def load_movielens(name: str = "latest-small", progress: bool = True) -> Interactions:
    """Load the MovieLens ratings (Harper and Konstan 2015).

    The unpacked folder (such as ml-latest-small) or its .zip is looked for in the folder that
    `RECSYS_DATA_DIR` names, then in the cache; otherwise the archive is downloaded and its
    checksum verified. The data may not be redistributed and is never part of the repository.

    Parameters
    ----------
    name : {"latest-small", "100k", "1m", "1m-likes", "1m-sequences", "25m", "32m"}
        "1m-likes" holds the ratings of 4 and 5 stars that `split_likes` uses, from the folder
        ml-1m-likes or from the whole release: the same log from either. "1m-sequences" is 1M as
        published with SASRec (Kang and McAuley 2018), without films of fewer than five ratings:
        sequences.txt of the folder ml-1m-sequences, or ml-1m.txt of the authors, which is not
        downloaded. Its time is the position in the user's sequence; it has no ratings or titles.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Interactions
        value is the rating in stars, time in seconds UTC; labels are the ids of MovieLens;
        `item_info` has "title", "genres" (such as "Comedy|Drama") and "year" (0 if unknown).
        Films are numbered in a fixed random order: ties break by the lower id, and in the order
        of the MovieLens ids they would favour old films.

    Raises
    ------
    ValueError
        If the name is unknown, or the files are damaged or incomplete.
    ConnectionError
        If the data is not found and cannot be downloaded.
    """
    validation.one_of("name", name, [*MOVIELENS, LIKES, SEQUENCES])
    if name in (LIKES, SEQUENCES):
        return _load_likes(progress) if name == LIKES else load_sequences()
    release = MOVIELENS[name]
    source = find_source(release, progress)
    ratings, films = _read(source, release.layout)
    _check_count(source, ratings, release.n_ratings)
    return _movielens_log(ratings, films)


def _load_likes(progress: bool) -> Interactions:
    """The likes of MovieLens-1M in order of time, from ml-1m-likes or else from ml-1m."""
    folders = [folder / LIKES_FOLDER for folder in data_folders()]
    source = next((Source(folder) for folder in folders if folder.is_dir()), None)
    if source is not None:
        ratings, films = _read(source, "csv")
    else:
        release = MOVIELENS["1m"]
        source = find_source(release, progress)
        ratings, films = _read(source, release.layout)
        _check_count(source, ratings, release.n_ratings)
    ratings = _used_likes(ratings)
    _check_count(source, ratings, N_LIKES)
    return _movielens_log(ratings, films)


def _used_likes(ratings: pd.DataFrame) -> pd.DataFrame:
    """The likes before the cutoff, and the later ones of users with enough before it."""
    likes = ratings[ratings["rating"] >= 4].sort_values(["time", "user", "item"])
    before = likes["time"] < LIKES_CUTOFF
    count = likes["user"].map(likes.loc[before, "user"].value_counts()).fillna(0)
    return likes[before | ((likes["time"] > LIKES_CUTOFF) & (count >= LEAST_LIKES))]


def split_likes(likes: Interactions) -> tuple[Interactions, Interactions]:
    """Training and test set of `load_movielens("1m-likes")`, cut at one time.

    The training set holds the likes before second 975,768,738 (2 December 2000), about
    nine tenths; the test set the later likes of users with at least five in training.
    """
    return temporal_split(likes, at=LIKES_CUTOFF)


def _read(source: Source, layout: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings and films; ValueError if they are incomplete."""
    try:
        ratings, films = _READERS[layout](source)
        _check_films(ratings, films)
    except (KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise ValueError(f"{source.path} is damaged or incomplete: {error}") from None
    return ratings, films


def _check_count(source: Source, ratings: pd.DataFrame, expected: int) -> None:
    if len(ratings) != expected:
        raise ValueError(
            f"{source.path} must hold {expected:,} ratings, got {len(ratings):,}: "
            "it is damaged or incomplete"
        )


def _check_films(ratings: pd.DataFrame, films: pd.DataFrame) -> None:
    """ValueError unless all numbers are there and each rated film has one row with a title."""
    numbers = ratings[["user", "item", "rating", "time"]].to_numpy(np.float64)
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        raise ValueError("a rating has a missing or negative number")
    known = films.loc[films["title"].notna() & films["genres"].notna(), "item"]
    missing = np.setdiff1d(ratings["item"], known)
    if len(missing) or known.duplicated().any():
        raise ValueError(f"{len(missing)} rated films have no title, or a film has two")


def _movielens_log(ratings: pd.DataFrame, films: pd.DataFrame) -> Interactions:
    """The log of the rated films, numbered in a fixed random order."""
    users = np.unique(ratings["user"])
    items = np.random.default_rng(0).permutation(np.unique(ratings["item"]))
    item_id = np.full(int(items.max()) + 1, -1)
    item_id[items] = np.arange(len(items))
    films = films.set_index("item").reindex(items)
    titles = films["title"].fillna("").to_numpy(str)
    year = films["title"].str.extract(r"\((\d{4})\)\s*$")[0].fillna(0).astype(int)
    return Interactions(
        np.searchsorted(users, ratings["user"]),
        item_id[ratings["item"]],
        ratings["time"].to_numpy(),
        ratings["rating"].to_numpy(),
        user_labels=users,
        item_labels=items,
        item_info={
            "title": titles,
            "genres": films["genres"].fillna("").to_numpy(str),
            "year": year.to_numpy(),
        },
    )


def _read_csv(source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ratings.csv and movies.csv with headers (latest-small, 25m, 32m)."""
    import pandas as pd

    names = {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"}
    with source.open("ratings.csv") as file:
        ratings = pd.DataFrame(read_csv(file, names))
    with source.open("movies.csv") as file:
        films = pd.read_csv(file)
    return ratings, films.rename(columns={"movieId": "item"})


def _read_dat(source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ratings.dat and movies.dat, fields separated by :: (1m)."""
    import pandas as pd

    with source.open("ratings.dat") as file:
        text = file.read().replace(b"::", b",")
    columns = ["user", "item", "rating", "time"]
    ratings = pd.read_csv(io.BytesIO(text), names=columns, dtype={"rating": np.float32})
    with source.open("movies.dat") as file:
        rows = [line.split("::") for line in file.read().decode("latin-1").splitlines()]
    films = pd.DataFrame(rows, columns=["item", "title", "genres"]).astype({"item": int})
    return ratings, films


def _read_100k(source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """u.data, u.item and u.genre (100k): genres are columns of 0 and 1."""
    import pandas as pd

    with source.open("u.data") as file:
        columns = ["user", "item", "rating", "time"]
        ratings = pd.read_csv(file, sep="\t", names=columns, dtype={"rating": np.float32})
    with source.open("u.genre") as file:
        genres = [line.split("|")[0] for line in file.read().decode().split()]
    with source.open("u.item") as file:
        films = pd.read_csv(file, sep="|", encoding="latin-1", header=None)
    flags = films.iloc[:, 5:]
    if flags.shape[1] != len(genres) or not flags.isin((0, 1)).all(axis=None):
        raise ValueError(f"u.item must have a 0 or 1 for each of {len(genres)} genres")
    flags = flags.to_numpy(bool)
    joined = ["|".join(np.array(genres)[row]) for row in flags]
    return ratings, pd.DataFrame({"item": films[0], "title": films[1], "genres": joined})


_READERS = {"csv": _read_csv, "dat": _read_dat, "100k": _read_100k}
