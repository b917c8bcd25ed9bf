"""Bundles: files that were changed, cut short or forged are refused."""

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys import Interactions
from recsys.bundle import checksum
from recsys.models import ImplicitALS, Popularity

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def folder(tmp_path):
    """A saved model of three users and four items."""
    log = Interactions([0, 0, 1, 2], [0, 1, 1, 3])
    ImplicitALS(factors=2, iterations=1).fit(log).save(tmp_path / "model")
    return tmp_path / "model"


def assert_refused(folder, message):
    with pytest.raises(ValueError, match=message):
        recsys.load(folder)


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
def test_missing_file_is_detected(file, folder):
    (folder / file).unlink()
    assert_refused(folder, re.escape(file))


@pytest.mark.parametrize("file", ["arrays.npz", "manifest.json"])
@pytest.mark.parametrize("fraction", [0, 0.3, 0.9, 0.999])
def test_truncated_file_is_detected(file, fraction, folder):
    content = (folder / file).read_bytes().rstrip()
    (folder / file).write_bytes(content[: int(len(content) * fraction)])
    assert_refused(folder, re.escape(file))


def test_changed_labels_are_detected(tmp_path):
    log = Interactions([0, 1], [0, 1], user_labels=["ann", "bob"], item_labels=["x", "y"])
    Popularity().fit(log).save(tmp_path / "model")
    file = tmp_path / "model" / "labels.json"
    file.write_text(file.read_text().replace("ann", "eve"))
    assert_refused(tmp_path / "model", "labels.json' has been changed or cut short")


def test_any_changed_byte_of_the_arrays_is_detected(folder):
    content = (folder / "arrays.npz").read_bytes()
    for position in np.linspace(0, len(content) - 1, 25).astype(int):
        changed = bytearray(content)
        changed[position] ^= 1
        (folder / "arrays.npz").write_bytes(changed)
        assert_refused(folder, "arrays.npz.* has been changed or cut short: its sha256 differs")
    (folder / "arrays.npz").write_bytes(content + b" ")
    assert_refused(folder, "its sha256 differs")


CHANGES = {
    "version": ["99", None],
    "module": ["recsys.models.bpr", "os", 3, None],
    "class": ["BPR", "Nonsense", ["BPR"], None],
    "parameters": [
        {"factors": 8}, {"factors": -1}, {"nope": 1}, [1], None,
        {"rng": {"generator": {"bit_generator": "seed"}}},
    ],
    "data_fingerprint": ["0", 3, None],
    "sha256": [{}, {"arrays.npz": "0" * 64}, {"arrays.npz": None}, ["arrays.npz"], 5, None],
    "checksum": ["0" * 64, None],
    "more": [1],
}  # fmt: skip


def change(folder, field, value, forge=False):
    """Change or remove a field of the manifest; with `forge`, the checksum agrees with it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    if value is None:
        del manifest[field]
    else:
        manifest[field] = value
    if forge:
        manifest["checksum"] = checksum(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("field", CHANGES)
def test_changed_manifest_is_refused(field, folder):
    original = (folder / "manifest.json").read_text()
    for value in CHANGES[field]:
        change(folder, field, value)
        assert_refused(
            folder, "manifest.json.* has been changed or cut short: its checksum differs"
        )
        (folder / "manifest.json").write_text(original)
    assert recsys.load(folder).is_fitted


@pytest.mark.parametrize("format", [1, 3, "2"])
def test_other_formats_are_refused_with_what_to_do(format, folder):
    change(folder, "version", "0.1", forge=True)
    change(folder, "format", format, forge=True)
    assert_refused(
        folder, rf"was saved by version 0.1 \(format {format}\): fit and save the model again"
    )


@pytest.mark.parametrize("module", ["recsys.models.als", "recsys.models.nothing", "recsys..x"])
def test_unknown_class_is_refused(module, folder):
    change(folder, "module", module, forge=True)
    change(folder, "class", "Nonsense", forge=True)
    assert_refused(folder, f"^module {module} has no model class 'Nonsense'")


def test_class_that_is_no_model_is_refused(folder):
    for module, name in [("recsys.evaluate", "Report"), ("recsys.models", "ImplicitALS")]:
        change(folder, "module", module, forge=True)
        change(folder, "class", name, forge=True)
        assert_refused(folder, f"^module {module} has no model class '{name}'")


def test_foreign_class_is_loaded_only_if_its_module_is_imported(tmp_path, monkeypatch):
    class Mine(Popularity):
        pass

    Mine.__module__ = "my_models"
    Mine().fit(Interactions([0], [0])).save(tmp_path / "model")
    assert_refused(tmp_path / "model", "^the model's class is my_models.Mine: import my_models")
    monkeypatch.setitem(sys.modules, "my_models", types.SimpleNamespace(Mine=Mine))
    assert type(recsys.load(tmp_path / "model")) is Mine


def test_models_of_the_users_own_load_where_their_module_is_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(PROGRAMS)
    own_models = importlib.import_module("own_models")
    for model in own_models.fitted():
        model.save(tmp_path / "model")
        loaded = recsys.load(tmp_path / "model")
        assert type(loaded) is type(model) and repr(loaded) == repr(model)
        np.testing.assert_array_equal(loaded.score([0, 1, 2]), model.score([0, 1, 2]))
        np.testing.assert_array_equal(loaded.recommend([0, 1], 3), model.recommend([0, 1], 3))
        monkeypatch.delitem(sys.modules, "own_models")
        name = type(model).__name__
        message = f"^the model's class is own_models.{name}: import own_models before loading"
        assert_refused(tmp_path / "model", message)
        monkeypatch.setitem(sys.modules, "own_models", own_models)


def test_models_of_a_script_load_in_that_script_only(tmp_path):
    command = [sys.executable, str(PROGRAMS / "own_models.py"), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(PROGRAMS.parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
    for name in ("Newest", "DampedALS"):
        message = f"^the model's class is '{name}' of the script that saved it: move it to a module"
        assert_refused(tmp_path / name, message)


def test_loading_never_imports_a_foreign_module(folder, tmp_path, monkeypatch):
    (tmp_path / "recsys_evil.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    change(folder, "module", "recsys_evil", forge=True)
    assert_refused(folder, "import recsys_evil before loading")


@pytest.mark.parametrize(
    "text, message",
    [
        (b"", "is not valid JSON"),
        (b"not json", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[]", "must be a manifest of format 2"),
        (b"null", "must be a manifest of format 2"),
    ],
)
def test_file_that_is_no_manifest_is_refused(text, message, folder):
    (folder / "manifest.json").write_bytes(text)
    assert_refused(folder, rf"manifest.json.* {message}")


def test_folder_without_a_bundle_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        assert_refused(path, f"^folder must be a model bundle with a manifest.json, got '{path}'")


def test_arrays_that_would_run_code_are_refused(folder):
    """An array of objects is stored as a pickle, which may run any code when it is opened."""
    ran = []

    class Trap:
        def __reduce__(self):
            return (ran.append, (1,))

    np.savez(folder / "arrays.npz", item_scores=np.array([Trap()], dtype=object))
    digest = hashlib.sha256((folder / "arrays.npz").read_bytes()).hexdigest()
    change(folder, "sha256", {"arrays.npz": digest}, forge=True)
    assert_refused(folder, "allow_pickle=False|[Oo]bject arrays")
    assert ran == []


def test_saving_again_replaces_the_bundle_and_nothing_else(folder, tmp_path):
    Popularity().fit(Interactions([0], [0])).save(folder)
    assert isinstance(recsys.load(folder), Popularity)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    with zipfile.ZipFile(folder / "arrays.npz") as file:
        assert "user_factors.npy" not in file.namelist()


def test_other_files_are_never_replaced(tmp_path, folder):
    model = recsys.load(folder)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    (tmp_path / "file").write_text("text")
    (tmp_path / "app").mkdir()
    for name in ("manifest.json", "index.html"):
        (tmp_path / "app" / name).write_text("{}")
    for name in ("thesis", "file", "app"):
        with pytest.raises(
            ValueError, match="^folder must be new, empty or an earlier bundle, got"
        ):
            model.save(tmp_path / name)
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"
    assert (tmp_path / "app" / "index.html").exists()
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    assert recsys.load(tmp_path / "empty").parameters == model.parameters


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generator_is_saved_with_its_state(bits, tmp_path):
    log = Interactions([0, 0, 1, 2], [0, 1, 1, 3])
    rng = np.random.Generator(getattr(np.random, bits)(8))
    model = ImplicitALS(factors=2, iterations=1, rng=rng).fit(log)
    model.save(tmp_path / "model")
    assert recsys.load(tmp_path / "model").rng.random() == rng.random()


def test_bundle_has_the_permissions_of_any_folder(folder, tmp_path):
    (tmp_path / "plain").mkdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("names", [[], ["other.npz"], ["arrays.npz", "../secret.npz"]])
def test_a_forged_list_of_files_is_refused(names, folder):
    for path in (folder / "other.npz", folder.parent / "secret.npz"):
        path.write_bytes((folder / "arrays.npz").read_bytes())
    digest = hashlib.sha256((folder / "arrays.npz").read_bytes()).hexdigest()
    change(folder, "sha256", dict.fromkeys(names, digest), forge=True)
    assert_refused(folder, "manifest.json.* must hold the sha256 of its files")


def test_paths_of_bundles_are_expanded_and_links_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    log = Interactions([0, 1], [1, 0])
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    log.save("~/link")
    log.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk").is_dir()
    assert recsys.load("~/link").fingerprint == log.fingerprint


def test_the_working_folder_is_no_bundle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="^folder must not be a mount point, the working folder"):
        Interactions([0], [0]).save(".")
    assert not any(tmp_path.iterdir())
