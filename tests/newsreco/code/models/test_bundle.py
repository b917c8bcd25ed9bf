"""Bundles that are not whole, though their checksums are right: one sentence each."""

import json
import shutil

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.models.bundle import Settings
from newsreco.training import train
from recsys import bundle


@pytest.fixture(scope="module")
def saved(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "model"
    train(world.log, Settings(), progress=False, lists=0).model.save(folder)
    return folder


@pytest.fixture
def edited(saved, tmp_path):
    """A function that copies the bundle with other parameters and arrays, signed again."""

    def edit(parameters=None, without=""):
        folder = shutil.copytree(saved, tmp_path / "model", dirs_exist_ok=True)
        manifest = json.loads((folder / bundle.MANIFEST).read_text())
        manifest["parameters"] |= parameters or {}
        with np.load(folder / bundle.ARRAYS) as file:
            kept = [n for n in file if n != without and n.partition(".")[0] != without]
            arrays = {name: file[name] for name in kept}
        np.savez(folder / bundle.ARRAYS, **arrays)
        digest = bundle._sha256(folder / bundle.ARRAYS)
        manifest["sha256"][bundle.ARRAYS] = digest
        manifest["checksum"] = bundle.checksum(manifest)
        (folder / bundle.MANIFEST).write_text(json.dumps(manifest))
        return folder

    return edit


def sentence(capsys, folder):
    """What `newsreco recommend` says of a bundle that it refuses."""
    assert main(["recommend", "--model", str(folder), "--user", "U1"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("newsreco recommend: "), error
    return error


def test_bundle_signed_again_is_read(edited, capsys):
    assert main(["recommend", "--model", str(edited()), "--user", "U1"]) == 0


@pytest.mark.parametrize("part", ["settings", "embedder", "ranker"])
def test_unknown_setting_is_named(edited, saved, capsys, part):
    values = json.loads((saved / bundle.MANIFEST).read_text())["parameters"][part]
    folder = edited({part: values | {"flavour": 1}})
    error = sentence(capsys, folder)
    assert "flavour" in error and str(folder) in error


def test_each_missing_array_is_refused(edited, saved, capsys):
    with np.load(saved / bundle.ARRAYS) as file:
        names = {*file, *(name.partition(".")[0] for name in file)}  # matrices, and their parts
    assert len(names) > 20
    for name in sorted(names):
        sentence(capsys, edited(without=name))
