"""Bundles: what has been changed, cut short or made up is refused."""

import json
import re
import zipfile

import numpy as np
import pytest

import recsys
from recsys import Interactions, bundle
from recsys.models import ImplicitALS, Popularity


@pytest.fixture
def folder(tmp_path):
    """A saved model of three users and four items."""
    log = Interactions([0, 0, 1, 2], [0, 1, 1, 3])
    ImplicitALS(factors=2, iterations=1).fit(log).save(tmp_path / "model")
    return tmp_path / "model"


def refused(folder, message):
    with pytest.raises(ValueError, match=message):
        recsys.load(folder)


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_a_missing_file_is_noticed(file, folder):
    (folder / file).unlink()
    refused(folder, re.escape(file))


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_noticed(file, share, folder):
    content = (folder / file).read_bytes().rstrip()
    (folder / file).write_bytes(content[: int(len(content) * share)])
    refused(folder, re.escape(file))


def test_any_changed_byte_of_the_arrays_is_noticed(folder):
    content = (folder / "arrays.npz").read_bytes()
    for place in np.linspace(0, len(content) - 1, 25).astype(int):
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / "arrays.npz").write_bytes(changed)
        refused(folder, "arrays.npz.* has been changed or cut short: its sha256 differs")
    (folder / "arrays.npz").write_bytes(content + b" ")
    refused(folder, "its sha256 differs")


CHANGES = {
    "version": ["99", None],
    "class": ["BPR", "Nonsense", ["BPR"], None],
    "parameters": [
        {"factors": 8}, {"factors": -1}, {"nope": 1}, [1], None,
        {"rng": {"generator": {"bit_generator": "seed"}}},
    ],
    "data_fingerprint": ["0", 3, None],
    "sha256": [{}, {"arrays.npz": "0" * 64}, {"arrays.npz": None}, ["arrays.npz"], 5, None],
    "seal": ["0" * 64, None],
    "more": [1],
}  # fmt: skip


def change(folder, field, value, seal=False):
    """Write another value, or none, into a manifest; with `seal` as if it had been saved so."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    if value is None:
        del manifest[field]
    else:
        manifest[field] = value
    if seal:
        manifest["seal"] = bundle._seal(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("field", CHANGES)
def test_a_manifest_that_has_been_changed_is_refused(field, folder):
    original = (folder / "manifest.json").read_text()
    for value in CHANGES[field]:
        change(folder, field, value)
        refused(folder, "manifest.json.* has been changed or cut short: its seal differs")
        (folder / "manifest.json").write_text(original)
    assert recsys.load(folder).is_fitted


@pytest.mark.parametrize("version", [None, 2, "1"])
def test_another_format_is_refused(version, folder):
    change(folder, "format", version, seal=True)
    refused(folder, "manifest.json.* must have format 1")


def test_a_model_that_this_version_does_not_have_is_refused(folder):
    for kind in ("Nonsense", "Recommender"):
        change(folder, "class", kind, seal=True)
        refused(folder, f"^class must be one of .'BPR', .*, got '{kind}'")


@pytest.mark.parametrize(
    "text, message",
    [
        (b"", "is not valid JSON"),
        (b"not json", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[]", "must have format 1"),
        (b"null", "must have format 1"),
    ],
)
def test_a_manifest_that_is_none_is_refused(text, message, folder):
    (folder / "manifest.json").write_bytes(text)
    refused(folder, rf"manifest.json.* {message}")


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "none"):
        refused(place, f"^folder must be a model bundle with a manifest.json, got '{place}'")


def test_arrays_that_would_run_code_are_refused(folder):
    """An array of objects is stored as a pickle, which may run anything when it is opened."""
    ran = []

    class Trap:
        def __reduce__(self):
            return (ran.append, (1,))

    np.savez(folder / "arrays.npz", item_scores=np.array([Trap()], dtype=object))
    change(folder, "sha256", {"arrays.npz": bundle._digest(folder / "arrays.npz")}, seal=True)
    refused(folder, "allow_pickle=False|[Oo]bject arrays")
    assert ran == []


def test_saving_again_replaces_the_bundle_and_nothing_else(folder, tmp_path):
    Popularity().fit(Interactions([0], [0])).save(folder)
    assert isinstance(recsys.load(folder), Popularity)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    with zipfile.ZipFile(folder / "arrays.npz") as file:
        assert "user_factors.npy" not in file.namelist()


def test_other_peoples_files_are_never_replaced(tmp_path, folder):
    model = recsys.load(folder)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    (tmp_path / "file").write_text("text")
    (tmp_path / "app").mkdir()
    for name in ("manifest.json", "index.html"):
        (tmp_path / "app" / name).write_text("{}")
    for place in ("thesis", "file", "app"):
        with pytest.raises(
            ValueError, match="^folder must be new, empty or an earlier bundle, got"
        ):
            model.save(tmp_path / place)
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"
    assert (tmp_path / "app" / "index.html").exists()
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    assert recsys.load(tmp_path / "empty").parameters == model.parameters


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_a_generator_is_saved_with_its_state(bits, tmp_path):
    log = Interactions([0, 0, 1, 2], [0, 1, 1, 3])
    rng = np.random.Generator(getattr(np.random, bits)(8))
    model = ImplicitALS(factors=2, iterations=1, rng=rng).fit(log)
    model.save(tmp_path / "model")
    assert recsys.load(tmp_path / "model").rng.random() == rng.random()


def test_a_bundle_is_as_readable_as_any_folder(folder, tmp_path):
    (tmp_path / "plain").mkdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode
