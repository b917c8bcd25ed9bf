"""Files of a store that was moved: found beside it, or missed in a sentence."""

import shutil
from pathlib import Path

import pytest

from newsreco.tracking.artifacts import (
    check_location,
    files_beside,
    find_files,
    local_path,
    store_folder,
)
from newsreco.tracking.promotion import promote
from newsreco.tracking.registry import load_production, load_version, register
from newsreco.tracking.runs import tracked
from newsreco.tracking.sweep import compare_runs


@pytest.fixture
def moved(good, dataset, add_version, mlflow_uri, tmp_path):
    """URI of a store with one version in production, which was moved."""
    promote(add_version(good), uri=mlflow_uri)
    (tmp_path / "archive").mkdir()
    shutil.move(tmp_path / "store", tmp_path / "archive" / "store 2")
    return f"sqlite:///{tmp_path}/archive/store 2/mlflow.db"


def test_models_and_evaluations_of_a_moved_store_are_found(moved, good, same_model):
    assert same_model(load_production(moved), good.model)
    name = compare_runs(moved).index[0]
    assert compare_runs(moved, baseline=name)["difference"].iloc[0] == 0.0


def test_relative_uri_of_a_moved_store(moved, good, same_model, monkeypatch):
    monkeypatch.chdir(store_folder(moved))
    assert same_model(load_production("sqlite:///mlflow.db"), good.model)


def test_store_that_was_moved_without_its_files_is_one_sentence(moved, tmp_path):
    shutil.rmtree(tmp_path / "archive" / "store 2" / "mlartifacts")
    with pytest.raises(ValueError) as error:
        load_version(1, moved)
    message = str(error.value)
    assert message.startswith("version 1 of 'newsreco' has its files in ")
    assert f"{tmp_path}/store/mlartifacts/newsreco/models" in message and "\n" not in message
    assert f"move its files to '{tmp_path}/archive/store 2'" in message


def test_moved_store_does_not_write_to_the_old_folder(moved, good, tmp_path, caplog):
    with tracked(good.settings, moved) as run:
        pass
    assert run.id is None and run.reason.startswith("experiment 'newsreco' keeps its files in")
    good.model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="experiment 'newsreco' keeps its files in"):
        register(folder=tmp_path / "model", uri=moved)
    assert not (tmp_path / "store").exists()


def test_link_from_the_old_folder_lets_a_moved_store_record_again(moved, good, dataset, tmp_path):
    (tmp_path / "store").symlink_to(tmp_path / "archive" / "store 2")
    with tracked(good.settings, moved) as run:
        run.log(good, dataset.log, report=False)
    assert run.reason is None


def test_files_of_a_server_are_left_to_it():
    for location in ("mlflow-artifacts:/1/models", "s3://bucket/1", "models:/m-1"):
        assert local_path(location) is None
        assert find_files("http://there", location, "version 1") == location
        check_location("sqlite:///mlflow.db", location, "newsreco")
    with pytest.raises(ValueError, match=r"^run 1 has its files in '/nowhere/1'.*to there$"):
        find_files("http://there", "file:///nowhere/1", "run 1")


def test_experiment_of_another_program_may_keep_its_files_anywhere(tmp_path):
    store = f"sqlite:///{tmp_path}/mlflow.db"
    check_location(store, "file:///elsewhere/mlruns/1", "newsreco")
    check_location(store, "file:///elsewhere/mlartifacts/other", "newsreco")
    check_location(store, files_beside(store, "newsreco"), "newsreco")
    with pytest.raises(ValueError, match="if the store was moved"):
        check_location(store, "file:///elsewhere/mlartifacts/newsreco", "newsreco")


def test_path_beside_the_store_must_have_three_parts_in_common(tmp_path):
    (tmp_path / "artifacts" / "bundle").mkdir(parents=True)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    with pytest.raises(ValueError, match="does not exist"):
        find_files(store, "file:///old/m-1/artifacts/bundle", "version 1")
    (tmp_path / "m-1" / "artifacts" / "bundle").mkdir(parents=True)
    found = find_files(store, "file:///old/m-1/artifacts/bundle", "version 1")
    assert local_path(found) == tmp_path / "m-1" / "artifacts" / "bundle"


def test_folder_of_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store_folder("sqlite:///mlflow.db") == store_folder("mlruns") == tmp_path
    assert store_folder("file:///a/mlruns") == Path("/a")
    assert store_folder("http://there") is store_folder("postgresql://u@h/d") is None
