"""A log becomes a frame, a matrix or a folder and comes back unchanged."""

import numpy as np
import pytest
from scipy import sparse

import recsys
from recsys import Interactions

LABELLED = {"user_labels": ["ann", "bob"], "item_labels": [70, 50, 60]}


@pytest.mark.parametrize(
    "form", [np.asarray, sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix]
)
def test_a_matrix_becomes_a_log_of_its_cells(form):
    cells = np.array([[0, 2, 0], [1.5, 0, -1]])
    log = Interactions.from_matrix(form(cells), **LABELLED, item_info={"title": ["A", "B", "C"]})
    found = sorted(zip(log.user.tolist(), log.item.tolist(), log.value.tolist(), strict=True))
    assert found == [(0, 1, 2.0), (1, 0, 1.5), (1, 2, -1.0)]
    assert log.matrix.toarray().tolist() == cells.tolist()
    assert log.user_labels == ["ann", "bob"] and log.titles.tolist() == ["A", "B", "C"]
    seen = Interactions.from_matrix(form(cells > 0))
    assert seen.value is None and seen.matrix.toarray().tolist() == [[0, 1, 0], [1, 0, 0]]
    assert (seen.n_users, seen.n_items) == (2, 3)


@pytest.mark.parametrize(
    "matrix, message",
    [
        (sparse.csr_matrix(([1.0, 0.0], ([0, 0], [0, 1])), (1, 2)), "matrix must not store zeros"),
        ([[1, np.nan]], "value must be finite, got nan"),
        ([1, 0], "matrix must be a matrix of numbers, got shape"),
        ([["a"]], "matrix must be a matrix of numbers"),
    ],
)
def test_what_is_no_matrix_of_interactions_is_refused(matrix, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions.from_matrix(matrix)


def test_to_frame_shows_labels_and_the_known_columns():
    log = Interactions([1, 0], [0, 2], [5, 6], [1.5, 2], **LABELLED)
    frame = log.to_frame()
    assert frame.to_dict("list") == {
        "user": ["bob", "ann"], "item": [70, 60], "time": [5.0, 6.0], "value": [1.5, 2.0],
    }  # fmt: skip
    frame["user"] = "eve"
    frame.loc[0, "time"] = 9
    assert log.user.tolist() == [1, 0] and log.time.tolist() == [5, 6]
    bare = Interactions([1, 0], [0, 2]).to_frame()
    assert bare.to_dict("list") == {"user": [1, 0], "item": [0, 2]}
    assert Interactions([], []).to_frame().shape == (0, 2)
    again = Interactions.from_frame(log.to_frame(), "user", "item", "time", "value")
    assert again.to_frame().equals(log.to_frame())


def test_a_saved_log_comes_back_whole(tmp_path):
    info = {"title": np.array(["A", "Ö", ""], object), "year": [1, 2, 3], "vector": np.eye(3)}
    log = Interactions(
        [1, 0, 1], [0, 2, 0], [1e12, 2, 3], [0.1, 2, 3], **LABELLED, item_info=info, unit="s"
    )
    log.save(tmp_path / "log")
    again = recsys.load(tmp_path / "log")
    assert type(again) is Interactions and again.fingerprint == log.fingerprint
    assert [again.user.tolist(), again.item.tolist()] == [[1, 0, 1], [0, 2, 0]]
    assert again.time.tolist() == [1e12, 2, 3] and again.value.tolist() == log.value.tolist()
    assert again.user_labels == ["ann", "bob"] and again.item_labels == [70, 50, 60]
    assert [type(label) for label in again.item_labels] == [int] * 3
    assert again.item_info["title"].tolist() == ["A", "Ö", ""]
    assert again.item_info["vector"].tolist() == np.eye(3).tolist()
    for array in (again.user, again.item, again.time, again.value, *again.item_info.values()):
        assert not array.flags.writeable
    again.save(tmp_path / "log")  # over the old one


def test_a_log_of_rows_alone_comes_back(tmp_path):
    Interactions([0, 0], [1, 1], n_users=5, n_items=4).save(tmp_path / "log")
    again = recsys.load(tmp_path / "log")
    assert repr(again) == "Interactions(2 rows, 5 users, 4 items)"
    assert (again.time, again.value, again.user_labels, again.item_info) == (None, None, None, {})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"user_labels": [("a", 1), "b"]}, r"user_labels must be text or whole .*, got \('a', 1\)"),
        (
            {"item_labels": [1.5, 2]},
            "item_labels must be text or whole numbers to be saved, got 1.5",
        ),
        ({"item_labels": [True, 2]}, "item_labels must be text or whole numbers .*, got True"),
        (
            {"item_info": {"x": [None, 1]}},
            r"item_info\['x'\] must hold text or numbers to be saved",
        ),
    ],
)
def test_what_json_and_arrays_cannot_hold_is_not_saved(options, message, tmp_path):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions([0, 1], [0, 1], **options).save(tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_labels_survive_saving(tmp_path):
    labels = ["", "007", "Ünal", "\ud800", 'a"b', "a\nb", 7, -3, 2**70, np.int64(9), np.str_("x")]
    ids = list(range(len(labels)))
    log = Interactions(ids, ids, user_labels=labels)
    log.save(tmp_path / "log")
    again = recsys.load(tmp_path / "log").user_labels
    assert again == labels and {type(label) for label in again} == {str, int}


def test_changed_labels_are_detected(tmp_path):
    Interactions([0, 1], [0, 1], user_labels=["ann", "bob"]).save(tmp_path / "log")
    file = tmp_path / "log" / "labels.json"
    file.write_text(file.read_text().replace("ann", "eve"))
    with pytest.raises(ValueError, match="labels.json.* has been changed or cut short"):
        recsys.load(tmp_path / "log")
    file.unlink()
    with pytest.raises(ValueError, match="must hold labels.json, got no such file"):
        recsys.load(tmp_path / "log")
