"""The users of MovieLens-100K: age, gender and occupation (Harper and Konstan 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.datasets.movielens import MOVIELENS
from recsys.datasets.sources import find_source

if TYPE_CHECKING:
    import pandas as pd


def load_movielens_users(progress: bool = True) -> pd.DataFrame:
    """Load what the users of MovieLens-100K said about themselves.

    Found as `load_movielens("100k")` finds its files. The later releases do not have it, except
    1M, which is not read here. Postal codes are left out: with age, gender and occupation they
    single out users.

    Parameters
    ----------
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    DataFrame
        One row per user, by the label that `load_movielens("100k").user_labels` holds, in
        ascending order: `age` in years, `gender` ("F" or "M": the form offered no other),
        `occupation` (one of 21 words).

    Raises
    ------
    ValueError
        If the file is damaged or incomplete.
    ConnectionError
        If the data is not found and cannot be downloaded.
    """
    import pandas as pd

    source = find_source(MOVIELENS["100k"], progress)
    names = ["user", "age", "gender", "occupation"]
    try:
        with source.open("u.user") as file:
            types = {"user": int, "age": int, "gender": str, "occupation": str}
            users = pd.read_csv(file, sep="|", names=[*names, "zip"], usecols=names, dtype=types)
        if (
            users.empty
            or users.duplicated("user").any()
            or not users["gender"].isin(("F", "M")).all()
        ):
            raise ValueError("a user has two rows, or a gender other than F and M")
    except (KeyError, ValueError) as error:
        raise ValueError(f"{source.path} is damaged or incomplete: {error}") from None
    return users.set_index("user").sort_index()
