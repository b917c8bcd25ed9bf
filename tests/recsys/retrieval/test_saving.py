"""Saved indexes: what is read is what was saved, and a file that was changed is refused."""

import sys
import types

import numpy as np
import pytest

import recsys
from recsys import Interactions
from recsys.models import Popularity
from recsys.retrieval import ExactIndex, load_index, save_index
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.ivf import IVFIndex
from recsys.retrieval.ivfpq import IVFPQIndex

VECTORS = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)


@pytest.fixture(params=[ExactIndex, FaissIndex, IVFIndex, IVFPQIndex])
def index(request):
    if request.param is FaissIndex:
        pytest.importorskip("faiss")
    return request.param().fit(VECTORS).remove([7, 80])


@pytest.fixture
def folder(tmp_path):
    save_index(ExactIndex().fit(VECTORS), tmp_path / "index")
    return tmp_path / "index"


def test_loaded_index_finds_the_same(index, tmp_path):
    save_index(index, tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    assert type(loaded) is type(index) and len(loaded) == 90
    for found, expected in zip(loaded.search(VECTORS, 90), index.search(VECTORS, 90)):
        np.testing.assert_array_equal(found, expected)
    assert 7 not in loaded.search(VECTORS, 90)[0]


def test_an_empty_index_is_saved(tmp_path):
    save_index(ExactIndex().fit(np.zeros((0, 3))), tmp_path / "index")
    assert len(load_index(tmp_path / "index")) == 0


def test_saving_replaces_an_earlier_index(folder):
    save_index(ExactIndex().fit(VECTORS[:5]), folder)
    assert len(load_index(folder)) == 5


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
@pytest.mark.parametrize("fraction", [0, 0.5, 0.999])
def test_truncated_file_is_refused(file, fraction, folder):
    content = (folder / file).read_bytes().rstrip()
    (folder / file).write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(ValueError, match=file):
        load_index(folder)


def test_one_changed_byte_is_refused(folder):
    content = bytearray((folder / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "arrays.npz").write_bytes(content)
    with pytest.raises(ValueError, match="arrays.npz' has been changed or cut short"):
        load_index(folder)


def test_missing_file_or_folder_is_refused(folder):
    (folder / "arrays.npz").unlink()
    with pytest.raises(ValueError, match="must hold arrays.npz, got no such file"):
        load_index(folder)
    with pytest.raises(ValueError, match="must be a model bundle"):
        load_index(folder / "nothing")


def test_a_model_is_no_index_and_an_index_no_model(folder, tmp_path):
    Popularity().fit(Interactions([0, 1], [0, 1])).save(tmp_path / "model")
    with pytest.raises(ValueError, match="has no index class 'Popularity'"):
        load_index(tmp_path / "model")
    with pytest.raises(ValueError, match="has no model class 'ExactIndex'"):
        recsys.load(folder)


def test_saving_refuses_an_unfitted_index_a_full_folder_and_objects(tmp_path):
    with pytest.raises(ValueError, match="must be fitted first"):
        save_index(ExactIndex(), tmp_path / "index")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="folder must be new, empty or an earlier bundle"):
        save_index(ExactIndex().fit(VECTORS), tmp_path)
    index = types.SimpleNamespace(state=lambda: {"names": np.array(["a", 1], object)})
    with pytest.raises(ValueError, match="must hold arrays without objects, got 'names'"):
        save_index(index, tmp_path / "index")


def test_an_index_of_the_users_own_must_have_been_imported(tmp_path, monkeypatch):
    module = types.ModuleType("own_index")
    module.Own = type("Own", (ExactIndex,), {"__module__": "own_index"})
    monkeypatch.setitem(sys.modules, "own_index", module)
    save_index(module.Own().fit(VECTORS), tmp_path / "index")
    assert type(load_index(tmp_path / "index")) is module.Own
    monkeypatch.delitem(sys.modules, "own_index")
    with pytest.raises(ValueError, match="index's class is own_index.Own: import own_index before"):
        load_index(tmp_path / "index")
