<<<<<<< HEAD
"""Users of MovieLens-100K: numbered as the log numbers them; a damaged file is refused."""

import pytest

from recsys.datasets import load_movielens_users, movielens_users

ROWS = ["9|53|F|other|94043", "7|24|M|technician|85711", "12|7|M|student|T8H1N"]
=======
"""What users of MovieLens-100K said about themselves: read, and refused if damaged."""

import numpy as np
import pandas as pd
import pytest

from recsys import load_movielens
from recsys.datasets import load_movielens_users

LINES = "3|41|F|artist|55105\n1|24|M|technician|85711\n"
>>>>>>> main


@pytest.fixture
def write_users(tmp_path, monkeypatch):
<<<<<<< HEAD
    """Write u.user, for a release of three users, where the loader looks for it."""
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(movielens_users, "N_USERS", 3)
    (tmp_path / "ml-100k").mkdir()

    def write(rows):
        (tmp_path / "ml-100k" / "u.user").write_text("\n".join(rows) + "\n")

    return write


def test_rows_are_in_the_order_of_the_log(write_users):
    """The log numbers the users by rising id: 7, 9, 12."""
    write_users(ROWS)
    users = load_movielens_users()
    assert list(users.columns) == ["age", "gender", "occupation"]
    assert users["age"].tolist() == [24, 53, 7]
    assert users["gender"].tolist() == ["M", "F", "M"]
    assert users["occupation"].tolist() == ["technician", "other", "student"]
    assert users.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:2],
        [*ROWS[:2], "12|7|M||T8H1N"],
        [*ROWS[:2], "12||M|student|T8H1N"],
        [*ROWS[:2], "12|7|x|student|T8H1N"],
        [*ROWS[:2], "9|7|M|student|T8H1N"],
    ],
)
def test_a_damaged_file_is_refused(rows, write_users):
    write_users(rows)
    with pytest.raises(ValueError, match="must hold 3 users in u.user"):
        load_movielens_users()


def test_no_file_is_refused(write_users):
    with pytest.raises(ValueError, match="it has no u.user"):
        load_movielens_users()
=======
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    (tmp_path / "ml-100k").mkdir()
    return (tmp_path / "ml-100k" / "u.user").write_text


def test_users_are_read_in_the_order_of_their_labels(write_users):
    write_users(LINES)
    expected = pd.DataFrame(
        {"age": [24, 41], "gender": ["M", "F"], "occupation": ["technician", "artist"]},
        index=pd.Index([1, 3], name="user"),
    )
    found = load_movielens_users()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize(
    "text",
    ["", LINES + LINES, LINES + "4|x|M|artist|1\n", LINES + "4|30||artist|1\n", LINES + "4|30\n"],
)
def test_damaged_files_are_refused(text, write_users):
    write_users(text)
    with pytest.raises(ValueError, match="ml-100k is damaged or incomplete"):
        load_movielens_users()


def test_a_missing_file_is_refused(write_users):
    with pytest.raises(ValueError, match="it has no u.user"):
        load_movielens_users()


def test_real_users():
    try:
        users, log = load_movielens_users(progress=False), load_movielens("100k", progress=False)
    except ConnectionError as error:
        pytest.skip(f"ml-100k is not available: {error}")
    assert users.index.tolist() == list(log.user_labels)
    assert users.gender.value_counts().to_dict() == {"M": 670, "F": 273}
    assert users.loc[1].tolist() == [24, "M", "technician"]
    assert np.array_equal(np.sort(users.age.unique())[[0, -1]], [7, 73])
>>>>>>> main
