"""The model registry: versions with provenance, loaded only if unchanged to the byte."""

import numpy as np
import pytest

from newsreco.models.bundle import Settings
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.promotion import promote, rollback
from newsreco.tracking.registry import (
    load_production,
    load_version,
    production_version,
    register,
    status,
)
from newsreco.tracking.runs import tracked
from newsreco.tracking.sweep import compare_runs


def test_version_has_data_code_and_metrics(good, add_version, same_model, mlflow_uri):
    assert add_version(good) == 1
    row = status(mlflow_uri).loc[1]
    assert row["alias"] == "" and row["decision"] == ""
    assert row["ranker_auc"] == pytest.approx(good.metrics["ranker_auc"], abs=1e-6)
    assert row["low"] < row["ranker_auc"] < row["high"]
    assert row["data"] == good.data_fingerprint and row["code"]
    assert same_model(load_version(1, mlflow_uri), good.model)


def test_bundle_has_one_version(good, inverted, add_version, mlflow_uri, tmp_path):
    assert add_version(good) == add_version(good) == 1
    assert add_version(inverted) == 2
    good.model.save(tmp_path / "model")
    assert register(folder=tmp_path / "model", uri=mlflow_uri) == 1


def test_bundle_trained_while_the_store_was_down(good, same_model, mlflow_uri, tmp_path):
    good.model.save(tmp_path / "model")
    assert register(folder=tmp_path / "model", uri=mlflow_uri) == 1
    row = status(mlflow_uri).loc[1]
    assert np.isnan(row["ranker_auc"]) and row["data"] == good.data_fingerprint
    assert same_model(load_version(1, mlflow_uri), good.model)


def test_registration_errors(mlflow_uri, tmp_path):
    with pytest.raises(ValueError, match="run or folder, got neither"):
        register(uri=mlflow_uri)
    with pytest.raises(ValueError, match="bundle"):
        register(folder=tmp_path, uri=mlflow_uri)
    with pytest.raises(ValueError, match="not found"):
        register("0123456789abcdef0123456789abcdef", uri=mlflow_uri)
    with tracked(Settings(), mlflow_uri) as run:
        pass
    with pytest.raises(ValueError, match="must have recorded a model"):
        register(run.id, uri=mlflow_uri)


def test_versions_and_runs_of_the_older_format_are_refused(good, add_version, mlflow_uri):
    add_version(good)
    with mlflow_client(mlflow_uri) as mlflow:
        client = mlflow.MlflowClient()
        run = client.get_model_version("newsreco", "1").run_id
        client.delete_model_version_tag("newsreco", "1", "checksum")
        client.delete_tag(run, "checksum")
    with pytest.raises(ValueError, match=r"version 1 .* older newsreco.*train the model again"):
        load_version(1, mlflow_uri)
    with pytest.raises(ValueError, match=r"run .* older newsreco.*train the model again"):
        register(run, uri=mlflow_uri)


def bundle_of(version, mlflow_uri):
    with mlflow_client(mlflow_uri) as mlflow:
        source = f"models:/newsreco/{version}/artifacts/bundle"
        return mlflow.artifacts.download_artifacts(artifact_uri=source)


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json"])
def test_changed_byte_is_refused(good, weak, dataset, add_version, mlflow_uri, name):
    promote(add_version(good), uri=mlflow_uri)
    with open(f"{bundle_of(1, mlflow_uri)}/{name}", "r+b") as file:
        file.seek(200)
        byte = file.read(1)
        file.seek(200)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ValueError):
        load_production(mlflow_uri)
    with pytest.raises(ValueError, match="changed or cut short|JSON|format"):
        promote(add_version(weak), dataset.log, uri=mlflow_uri)


def test_another_intact_bundle_is_refused(good, weak, add_version, mlflow_uri):
    promote(add_version(good), uri=mlflow_uri)
    weak.model.save(bundle_of(1, mlflow_uri))
    with pytest.raises(ValueError, match="not the bundle that was registered"):
        load_production(mlflow_uri)


def test_rollback_to_a_damaged_version_is_refused(good, inverted, dataset, add_version, mlflow_uri):
    promote(add_version(inverted), uri=mlflow_uri)
    promote(add_version(good), dataset.log, uri=mlflow_uri)
    with open(f"{bundle_of(1, mlflow_uri)}/arrays.npz", "ab") as file:
        file.write(b"!")
    with pytest.raises(ValueError, match="changed or cut short"):
        rollback(mlflow_uri)
    assert production_version(mlflow_uri) == 2


def delete_version(version, mlflow_uri):
    with mlflow_client(mlflow_uri) as mlflow:
        mlflow.MlflowClient().delete_model_version("newsreco", str(version))


def test_deleted_version_is_one_sentence(good, inverted, dataset, add_version, mlflow_uri):
    promote(add_version(inverted), uri=mlflow_uri)
    promote(add_version(good), dataset.log, uri=mlflow_uri)
    delete_version(1, mlflow_uri)
    with pytest.raises(ValueError, match=r"^version must be one of \[2\] of 'newsreco', got 1$"):
        load_version(1, mlflow_uri)
    with pytest.raises(ValueError, match="in production before 2 and still exists"):
        rollback(mlflow_uri)
    delete_version(2, mlflow_uri)
    with pytest.raises(ValueError, match="registered first, as none is left, of 'newsreco', got 2"):
        load_version(2, mlflow_uri)
    with pytest.raises(ValueError, match="no version with the alias 'production'"):
        load_production(mlflow_uri)


def test_alias_on_a_deleted_version_is_one_sentence(good, add_version, mlflow_uri, monkeypatch):
    promote(add_version(good), uri=mlflow_uri)
    delete_version(1, mlflow_uri)
    monkeypatch.setattr("newsreco.tracking.registry.find_production", lambda client, name: 1)
    with pytest.raises(ValueError, match="^version must be registered first.*got 1$"):
        load_production(mlflow_uri)


def test_deleted_versions_are_passed_over_by_rollback(
    good, weak, inverted, dataset, add_version, mlflow_uri
):
    promote(add_version(inverted), uri=mlflow_uri)
    promote(add_version(weak), dataset.log, uri=mlflow_uri)
    promote(add_version(good), dataset.log, uri=mlflow_uri)
    delete_version(3, mlflow_uri)  # it was in production
    assert production_version(mlflow_uri) is None
    assert rollback(mlflow_uri) == production_version(mlflow_uri) == 2
    assert rollback(mlflow_uri) == 1
    assert promote(2, dataset.log, uri=mlflow_uri).passes


def test_deleted_experiment_is_one_sentence(good, mlflow_uri, caplog):
    with mlflow_client(mlflow_uri) as mlflow:
        number = mlflow.MlflowClient().create_experiment("newsreco")
        mlflow.MlflowClient().delete_experiment(number)
    with tracked(Settings(), mlflow_uri) as run:
        pass
    assert run.reason.startswith("experiment 'newsreco' was deleted: `mlflow experiments restore")
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("name", ["it's news", 'the "news"', "ünï %20 #1?"])
def test_names_with_quotes(good, same_model, mlflow_uri, tmp_path, name):
    good.model.save(tmp_path / "model")
    assert register(folder=tmp_path / "model", uri=mlflow_uri, name=name) == 1
    assert register(folder=tmp_path / "model", uri=mlflow_uri, name=name) == 1
    promote(1, uri=mlflow_uri, name=name)
    assert list(status(mlflow_uri, name).index) == [1]
    assert same_model(load_production(mlflow_uri, name), good.model)


def test_names_that_mlflow_cannot_have_are_one_sentence(good, mlflow_uri, tmp_path):
    good.model.save(tmp_path / "model")
    for name in ("both ' and \"", "a/b", "a:b", ""):
        with pytest.raises(ValueError) as error:
            register(folder=tmp_path / "model", uri=mlflow_uri, name=name)
        assert "name" in str(error.value).lower() and "\n" not in str(error.value)


@pytest.mark.parametrize("experiment", ["it's", 'the "news"'])
def test_experiments_with_quotes(good, dataset, mlflow_uri, experiment):
    with tracked(good.settings, mlflow_uri, experiment) as run:
        run.log(good, dataset.log, report=False)
    assert run.reason is None
    assert len(compare_runs(mlflow_uri, experiment)) == 1
    assert load_version(register(run.id, uri=mlflow_uri), mlflow_uri).settings == good.settings
