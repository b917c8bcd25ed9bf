"""What users of MovieLens-100K said about themselves: read, and refused if damaged."""

import numpy as np
import pandas as pd
import pytest

from recsys import load_movielens
from recsys.datasets import load_movielens_users

LINES = "3|41|F|artist|55105\n1|24|M|technician|85711\n"


@pytest.fixture
def write_users(tmp_path, monkeypatch):
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
