"""MovieLens-1M as sequences: read from either form, cut as published, refused if damaged."""

import hashlib

import numpy as np
import pytest

from recsys import Interactions, load_movielens
from recsys.datasets import movielens_sequences, split_sequences
from recsys.datasets.sources import data_folders

PAIRS = np.array([[0, 0], [0, 2], [0, 1], [1, 3], [1, 0]])
FORMS = {
    "ml-1m-sequences/sequences.txt": "1 3 2\n4 1\n",
    "ml-1m.txt": "1 1\n1 3\n1 2\n2 4\n2 1\n",
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(movielens_sequences, "SIZES", (2, 4))
    digest = hashlib.sha256(PAIRS.astype("<i4").tobytes()).hexdigest()
    monkeypatch.setattr(movielens_sequences, "CHECKSUM", digest)

    def write(name, text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    return write


@pytest.mark.parametrize("name", FORMS)
def test_both_forms_give_the_same_log(name, write):
    write(name, FORMS[name])
    log = load_movielens("1m-sequences")
    assert np.array_equal(np.column_stack([log.user, log.item]), PAIRS)
    assert log.time.tolist() == [0, 1, 2, 0, 1]
    assert (log.n_users, log.n_items) == (2, 4)


def test_items_csv_gives_the_ids_of_movielens(write):
    write("ml-1m-sequences/sequences.txt", FORMS["ml-1m-sequences/sequences.txt"])
    write("ml-1m-sequences/items.csv", "item,movieId\n1,70\n2,80\n3,90\n4,60\n")
    assert load_movielens("1m-sequences").item_labels == [70, 80, 90, 60]


def test_an_incomplete_items_csv_is_refused(write):
    write("ml-1m-sequences/sequences.txt", FORMS["ml-1m-sequences/sequences.txt"])
    write("ml-1m-sequences/items.csv", "item,movieId\n1,70\n2,80\n4,60\n")
    with pytest.raises(ValueError, match="items.csv is damaged or incomplete"):
        load_movielens("1m-sequences")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ml-1m-sequences/sequences.txt", "1 3 2\n4 2\n"),  # another item
        ("ml-1m-sequences/sequences.txt", "1 3 2\n"),
        ("ml-1m-sequences/sequences.txt", ""),
        ("ml-1m-sequences/sequences.txt", "1 3 x\n4 1\n"),
        ("ml-1m.txt", "1 1\n1 2\n1 3\n2 4\n2 1\n"),  # another order
        ("ml-1m.txt", "1\n1\n"),
    ],
)
def test_damaged_files_are_refused(name, text, write):
    write(name, text)
    with pytest.raises(ValueError, match="damaged or incomplete"):
        load_movielens("1m-sequences")


def test_a_missing_file_is_named_with_its_source(write, tmp_path, monkeypatch):
    monkeypatch.setattr(movielens_sequences, "data_folders", lambda: [tmp_path])
    with pytest.raises(ConnectionError, match="ml-1m.txt of https://github.com/kang205/SASRec"):
        load_movielens("1m-sequences")


def test_a_log_of_another_size_is_not_split():
    with pytest.raises(ValueError, match="log must be load_movielens.*got 1 users and 2 items"):
        split_sequences(Interactions([0, 0], [0, 1], [0.0, 1.0]))


def test_the_real_sequences_are_cut_as_published():
    if not any(
        (f / "ml-1m-sequences").is_dir() or (f / "ml-1m.txt").is_file() for f in data_folders()
    ):
        pytest.skip("the sequences of MovieLens-1M are not available")
    log = load_movielens("1m-sequences")
    train, validation, test = split_sequences(log)
    assert (len(log), len(train), len(validation), len(test)) == (999_611, 993_059, 512, 6_040)
    assert np.unique(validation.user)[:3].tolist() == [13, 16, 22]  # of the published list
    last = {part: np.full(6_040, -1.0) for part in ("train", "validation", "test")}
    for name, part in zip(last, (train, validation, test), strict=True):
        np.maximum.at(last[name], part.user, part.time)
    assert np.all(last["test"] == np.bincount(log.user) - 1)
    held = last["validation"] >= 0
    assert np.all(last["train"] == last["test"] - np.where(held, 2, 1))
