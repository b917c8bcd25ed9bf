"""The users of MovieLens-100K: age, gender and occupation, as they stated them in 1997-98."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.datasets.movielens import MOVIELENS
from recsys.datasets.sources import find_source

if TYPE_CHECKING:
    import pandas as pd

N_USERS = 943


def load_movielens_users(progress: bool = True) -> pd.DataFrame:
    """Age, gender and occupation of the users of `load_movielens("100k")`.

    Found or downloaded as the ratings are.

    Parameters
    ----------
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    DataFrame
        Row u is user u of the log. Columns age in years, gender ("F" or "M") and occupation.

    Raises
    ------
    ValueError
        If the file is damaged or incomplete.
    ConnectionError
        If the data is not found and cannot be downloaded.
    """
    import pandas as pd

    source = find_source(MOVIELENS["100k"], progress)
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
