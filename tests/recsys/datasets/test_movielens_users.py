"""Users of MovieLens-100K: numbered as the log numbers them; a damaged file is refused."""

import pytest

from recsys.datasets import load_movielens_users, movielens_users

ROWS = ["9|53|F|other|94043", "7|24|M|technician|85711", "12|7|M|student|T8H1N"]


@pytest.fixture
def write_users(tmp_path, monkeypatch):
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
