<<<<<<< HEAD
"""The users of MovieLens-100K: age, gender and occupation, as they stated them in 1997-98."""
=======
"""The users of MovieLens-100K: age, gender and occupation (Harper and Konstan 2015)."""
>>>>>>> main

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.datasets.movielens import MOVIELENS
from recsys.datasets.sources import find_source

if TYPE_CHECKING:
    import pandas as pd

<<<<<<< HEAD
N_USERS = 943


def load_movielens_users(progress: bool = True) -> pd.DataFrame:
    """Age, gender and occupation of the users of `load_movielens("100k")`.

    Found or downloaded as the ratings are.
=======

def load_movielens_users(progress: bool = True) -> pd.DataFrame:
    """Load what the users of MovieLens-100K said about themselves.

    Found as `load_movielens("100k")` finds its files. The later releases do not have it, except
    1M, which is not read here. Postal codes are left out: with age, gender and occupation they
    single out users.
>>>>>>> main

    Parameters
    ----------
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    DataFrame
<<<<<<< HEAD
        Row u is user u of the log. Columns age in years, gender ("F" or "M") and occupation.
=======
        One row per user, by the label that `load_movielens("100k").user_labels` holds, in
        ascending order: `age` in years, `gender` ("F" or "M": the form offered no other),
        `occupation` (one of 21 words).
>>>>>>> main

    Raises
    ------
    ValueError
        If the file is damaged or incomplete.
    ConnectionError
        If the data is not found and cannot be downloaded.
    """
    import pandas as pd

    source = find_source(MOVIELENS["100k"], progress)
<<<<<<< HEAD
    columns = ["id", "age", "gender", "occupation", "zip"]
    with source.open("u.user") as file:
        users = pd.read_csv(file, sep="|", names=columns, dtype={"zip": str})
    users = users.sort_values("id", ignore_index=True)  # as the log numbers its users
    known = users[columns[:4]].notna().all(axis=None) and users["gender"].isin(["F", "M"]).all()
    if len(users) != N_USERS or not known or not users["id"].is_unique:
        raise ValueError(
            f"{source.path} must hold {N_USERS} users in u.user, each with age, gender and "
            "occupation: it is damaged or incomplete"
        )
    return users[["age", "gender", "occupation"]]
=======
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
>>>>>>> main
